"""The bytes that the scripted SNS endpoint answers with: the AWS query protocol's documents, whole and spoiled."""

from http import HTTPStatus
from xml.sax.saxutils import escape

from consumer.sandbox.sns_script import Answer, Refuse, Spoiling

_NAMESPACE = "http://sns.amazonaws.com/doc/2010-03-31/"
_GARBAGE = bytes(range(128, 256)) + b"<<not xml>>"
_SERVER_ERROR = 500

BROKEN_HTTP = frozenset({Spoiling.CUT, Spoiling.GARBLED_STATUS, Spoiling.GARBLED_HEADERS})
"""Spoilt below the document: the connection must end after these."""


def published(message_id: str, request_id: str) -> bytes:
    """The whole HTTP reply to a Publish that was taken."""
    return _reply(200, _document("Publish", f"<MessageId>{message_id}</MessageId>", request_id), request_id)


def sms_attributes(request_id: str) -> bytes:
    """The whole HTTP reply to GetSMSAttributes."""
    entry = "<entry><key>DefaultSMSType</key><value>Transactional</value></entry>"
    return _reply(200, _document("GetSMSAttributes", f"<attributes>{entry}</attributes>", request_id), request_id)


def refused(refusal: Refuse, request_id: str) -> bytes:
    """The whole HTTP reply to what is refused."""
    blame = "Receiver" if refusal.status >= _SERVER_ERROR else "Sender"
    body = (
        f'<ErrorResponse xmlns="{_NAMESPACE}">\n  <Error>\n    <Type>{blame}</Type>\n'
        f"    <Code>{escape(refusal.code)}</Code>\n    <Message>{escape(refusal.message)}</Message>\n  </Error>\n"
        f"  <RequestId>{request_id}</RequestId>\n</ErrorResponse>\n"
    )
    return _reply(refusal.status, body.encode(), request_id)


def answered(answer: Answer, request_id: str) -> bytes:
    """The whole HTTP reply with the bytes that the script dictates."""
    return _reply(answer.status, answer.body, request_id, content_type=answer.content_type)


def spoiled(how: Spoiling, message_id: str, request_id: str) -> bytes:
    """What is left of the reply to a Publish that was taken."""
    whole = published(message_id, request_id)
    head, _, body = whole.partition(b"\r\n\r\n")
    match how:
        case Spoiling.CUT:
            return head + b"\r\n\r\n" + body[: len(body) // 2]
        case Spoiling.EMPTY:
            return _reply(200, b"", request_id)
        case Spoiling.NO_MESSAGE_ID:
            return _reply(200, _document("Publish", "", request_id), request_id)
        case Spoiling.GARBLED_BODY:
            return _reply(200, _GARBAGE, request_id)
        case Spoiling.GARBLED_STATUS:
            return _GARBAGE + b"\r\n\r\n"
        case Spoiling.GARBLED_HEADERS:
            return head + b"\r\nContent-Length: 1\r\n\r\n" + body


def _document(action: str, result: str, request_id: str) -> bytes:
    return (
        f'<{action}Response xmlns="{_NAMESPACE}">\n  <{action}Result>{result}</{action}Result>\n'
        f"  <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>\n</{action}Response>\n"
    ).encode()


def _reply(status: int, body: bytes, request_id: str, *, content_type: str = "text/xml") -> bytes:
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else ""
    head = (
        f"HTTP/1.1 {status} {phrase}\r\nx-amzn-RequestId: {request_id}\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body
