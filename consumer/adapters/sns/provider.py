"""SmsProvider on AWS SNS: what goes over the wire, and what counts as proof."""

import logging
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore import exceptions as aws

from consumer.adapters.sns.clients import Clients, Credentials, Limits, Target
from consumer.adapters.sns.faults import NOT_ALLOWED, failure_of, request_id_of
from consumer.core.delivery import Accepted, Failure, Fault, Hint, Outcome
from consumer.ports import Sms

if TYPE_CHECKING:
    from types_boto3_sns import SNSClient
    from types_boto3_sns.type_defs import MessageAttributeValueTypeDef

TEXT_CHARACTERS_MAX = 1600
_SENDER_ID = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9-]{3,11}\Z")
_ORIGINATION_NUMBER = re.compile(r"\+?[0-9]{5,14}\Z")
_MESSAGE_ID = re.compile(r"[A-Za-z0-9-]{1,100}\Z")
_LOGGERS = ("boto3", "botocore", "urllib3")


class SnsProvider:
    """SmsProvider by boto3, for any number of threads.

    `region` and `credentials` None: by boto3's own search. `endpoint_url` and `ca_bundle` (PEM) for another SNS than AWS's.
    `sender_id`: 3 to 11 alphanumerics or `-`, one letter at least; `origination_number`: 5 to 14 digits. `connections_max`:
    at least the number of threads. No connection is used once its client is older than `client_age_max_s`: the peer may have
    left it, and then nobody would know whether the text on it went out. Nothing is sent once `start_timeout_s` have passed
    since the call, however long the credentials took: a lease must be longer than the three timeouts together.
    `elapsed_s`: a clock that never goes back.
    """

    def __init__(
        self,
        *,
        region: str | None,
        credentials: Credentials | None = None,
        endpoint_url: str | None = None,
        ca_bundle: Path | None = None,
        sender_id: str | None = None,
        origination_number: str | None = None,
        connect_timeout_s: float = 3.0,
        read_timeout_s: float = 10.0,
        start_timeout_s: float = 2.0,
        connections_max: int = 32,
        client_age_max_s: float = 20.0,
        elapsed_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Look for credentials at once, so that no text waits for them; what fails in that is told by the first call.

        Raises ValueError for a sender or an endpoint that cannot be, without repeating it.
        """
        if endpoint_url is not None and not re.match(r"https?://[^/\s]+/?\Z", endpoint_url):
            raise ValueError("the SNS endpoint is no http or https URL without a path")
        self._sender = _sender_attributes(sender_id, origination_number)
        for name in _LOGGERS:
            logging.getLogger(name).setLevel(logging.WARNING)  # below it, they log numbers and texts
        limits = Limits(
            connect_s=connect_timeout_s, read_s=read_timeout_s, start_s=start_timeout_s, age_s=client_age_max_s
        )
        target = Target(region=region, credentials=credentials, endpoint_url=endpoint_url, ca_bundle=ca_bundle)
        self._clients = Clients(target, limits, connections_max=connections_max, elapsed_s=elapsed_s)

    def publish(self, sms: Sms) -> Outcome:
        """Exactly one request, or none. Never raises. A reply without a message id proves nothing: ambiguous."""
        refusal = _refusal(sms.text)
        if refusal is not None:
            return Failure(fault=Fault.PERMANENT, code=refusal, hint=Hint.HALT_ON_BURST)
        attributes = {"AWS.SNS.SMS.SMSType": _string(sms.sms_type.value), **self._sender}

        def request(client: "SNSClient") -> Outcome:
            return _proof_in(client.publish(PhoneNumber=sms.phone.e164, Message=sms.text, MessageAttributes=attributes))

        return self._clients.call(request)

    def probe(self) -> Outcome:
        """Whether SNS answers and believes who we are. Never raises.

        A role that may publish and nothing else is refused here: that is an answer too.
        """

        def request(client: "SNSClient") -> Outcome:
            try:
                reply: Any = client.get_sms_attributes(attributes=["DefaultSMSType"])
            except aws.ClientError as error:
                failure = failure_of(error)
                if error.operation_name != "GetSMSAttributes" or failure.code not in NOT_ALLOWED:
                    raise
                return Accepted(message_id="", request_id=failure.request_id)
            return Accepted(message_id="", request_id=request_id_of(reply))

        return self._clients.call(request)


def _proof_in(reply: Any) -> Outcome:
    message_id = reply.get("MessageId")
    if isinstance(message_id, str) and _MESSAGE_ID.match(message_id):
        return Accepted(message_id=message_id, request_id=request_id_of(reply))
    return Failure(fault=Fault.AMBIGUOUS, code="no_message_id", request_id=request_id_of(reply))


def _refusal(text: str) -> str | None:
    if not text:
        return "empty_text"
    if len(text) > TEXT_CHARACTERS_MAX:
        return "text_too_long"
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "text_not_unicode"
    return None


def _sender_attributes(
    sender_id: str | None, origination_number: str | None
) -> Mapping[str, "MessageAttributeValueTypeDef"]:
    attributes: dict[str, MessageAttributeValueTypeDef] = {}
    if sender_id is not None:
        if not _SENDER_ID.match(sender_id):
            raise ValueError("the sender id has not 3 to 11 letters, digits or hyphens, or no letter")
        attributes["AWS.SNS.SMS.SenderID"] = _string(sender_id)
    if origination_number is not None:
        if not _ORIGINATION_NUMBER.match(origination_number):
            raise ValueError("the origination number has not 5 to 14 digits")
        attributes["AWS.MM.SMS.OriginationNumber"] = _string(origination_number)
    return attributes


def _string(value: str) -> "MessageAttributeValueTypeDef":
    return {"DataType": "String", "StringValue": value}
