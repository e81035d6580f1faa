"""What each error of SNS and of boto3 tells us of the text: one pure function, without a word of the error's own message."""

import re
import ssl
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from botocore import exceptions as aws
from urllib3.util.ssl_match_hostname import CertificateError

from consumer.core.delivery import Failure, Fault, Hint

NOT_ALLOWED = frozenset({"AuthorizationError", "AccessDenied", "AccessDeniedException", "NotAuthorized"})
"""Who we are is believed; what we ask is not permitted."""

_Meaning = tuple[Fault, Hint]

_TOO_FAST = re.compile(r"Throttl|\ATooManyRequests|\ARequestLimitExceeded\Z|\ASlowDown\Z")
_REFUSED_PARAMETER = re.compile(
    r"InvalidParameter(Value|Combination)?|ParameterValueInvalid|Validation(Exception|Error)",
)
_BY_CODE: tuple[tuple[re.Pattern[str], _Meaning], ...] = (
    (
        re.compile(r"ExpiredToken(Exception)?|RequestExpired|RequestTimeTooSkewed"),
        (Fault.TRANSIENT, Hint.REFRESH_CREDENTIALS),
    ),
    (
        re.compile(r"InternalError|InternalFailure|ServiceUnavailable|RequestTimeout"),
        (Fault.AMBIGUOUS, Hint.NONE),
    ),
    (_REFUSED_PARAMETER, (Fault.PERMANENT, Hint.HALT_ON_BURST)),
    (re.compile(r"OptedOut"), (Fault.PERMANENT, Hint.OPTED_OUT)),
    (re.compile(r"NotFound|EndpointDisabled|PlatformApplicationDisabled"), (Fault.PERMANENT, Hint.NONE)),
    (
        re.compile(
            r"AuthorizationError|AccessDenied(Exception)?|NotAuthorized|InvalidSecurity|SignatureDoesNotMatch|"
            r"IncompleteSignature|InvalidClientTokenId|UnrecognizedClient.*|MissingAuthenticationToken|OptInRequired|KMS.*"
        ),
        (Fault.HALT, Hint.NONE),
    ),
)
_NAMES_AN_ATTRIBUTE = re.compile(r"AWS\.|Amazon\.|[Mm]essage ?[Aa]ttribute|Sender ?I[Dd]|SMSType|OriginationNumber")

_NEVER_CONNECTED = (aws.EndpointConnectionError, aws.ConnectTimeoutError, aws.ProxyConnectionError)
_SETUP_BROKEN = (
    aws.NoCredentialsError,
    aws.PartialCredentialsError,
    aws.CredentialRetrievalError,
    aws.TokenRetrievalError,
    aws.NoAuthTokenError,
    aws.SSOError,
    aws.LoginError,
    aws.ProfileNotFound,
    aws.ConfigNotFound,
    aws.ConfigParseError,
    aws.InvalidConfigError,
    aws.InvalidProxiesConfigError,
    aws.NoRegionError,
    aws.InvalidRegionError,
    aws.EndpointProviderError,
)
_CERTIFICATE_REFUSED = (ssl.SSLCertVerificationError, CertificateError)  # the second for another host's certificate
_CA_FILE_UNREADABLE = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)

_CODE = re.compile(r"(?!.*[0-9]{4})[A-Za-z][A-Za-z0-9._-]{0,63}\Z|[1-5][0-9]{2}\Z")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_CAUSES_MAX = 12


def failure_of(error: Exception) -> Failure:
    """What `error`, raised by a call to SNS, means. `code` is AWS's own code, or the name of the exception's class."""
    name = type(error).__name__
    match error:
        case aws.ClientError():
            return _failure_of_reply(error)
        case aws.SSLError():
            return _failure_of_tls(error)
        case _ if isinstance(error, _NEVER_CONNECTED):
            return Failure(fault=Fault.TRANSIENT, code=name)
        case aws.ParamValidationError():
            return Failure(fault=Fault.PERMANENT, code=name, hint=Hint.HALT_ON_BURST)
        case _ if isinstance(error, _SETUP_BROKEN):
            return Failure(fault=Fault.HALT, code=name)
        case _:
            return Failure(fault=Fault.AMBIGUOUS, code=name)


def unsent(failure: Failure) -> Failure:
    """The same failure where no request left, as when the token service refused: no doubt, and no fault of the text's."""
    match failure.fault:
        case Fault.AMBIGUOUS:
            return _but(failure, Fault.TRANSIENT, Hint.HALT_WHEN_REPEATED)
        case Fault.PERMANENT if failure.code != aws.ParamValidationError.__name__:
            return _but(failure, Fault.HALT, Hint.NONE)
        case _:
            return failure


def request_id_of(reply: Mapping[str, Any]) -> str | None:
    """AWS's id of a request, if it looks like one."""
    found = reply.get("ResponseMetadata", {}).get("RequestId")
    return found if isinstance(found, str) and _UUID.match(found) else None


def _failure_of_reply(error: aws.ClientError) -> Failure:
    reply: Mapping[str, Any] = error.response
    document = reply.get("Error", {})
    code = str(document.get("Code", ""))
    status = reply.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    fault, hint = _meaning(code, status, str(document.get("Message", "")))
    printable = code if _CODE.match(code) else f"Http{status}"
    return Failure(fault=fault, code=printable, hint=hint, request_id=request_id_of(reply))


def _meaning(code: str, status: int, message: str) -> _Meaning:
    if _TOO_FAST.search(code) or status == HTTPStatus.TOO_MANY_REQUESTS:
        return Fault.TRANSIENT, Hint.SLOW_DOWN
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Fault.AMBIGUOUS, Hint.NONE
    if _REFUSED_PARAMETER.fullmatch(code) and _NAMES_AN_ATTRIBUTE.search(message):
        return Fault.HALT, Hint.CONFIGURATION
    by_code = next((meaning for pattern, meaning in _BY_CODE if pattern.fullmatch(code)), None)
    return by_code or _meaning_of_status(status)


def _meaning_of_status(status: int) -> _Meaning:
    match status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return Fault.HALT, Hint.NONE  # whatever the code says, no text is ever to blame for it
        case HTTPStatus.REQUEST_TIMEOUT:
            return Fault.AMBIGUOUS, Hint.NONE
        case _ if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return Fault.PERMANENT, Hint.HALT_ON_BURST
        case _:
            return Fault.AMBIGUOUS, Hint.NONE


def _failure_of_tls(error: aws.SSLError) -> Failure:
    for cause in _causes(error):
        name = type(cause).__name__
        if isinstance(cause, _CERTIFICATE_REFUSED):
            return Failure(fault=Fault.TRANSIENT, code=name, hint=Hint.HALT_WHEN_REPEATED)
        if isinstance(cause, _CA_FILE_UNREADABLE):
            return Failure(fault=Fault.HALT, code=name)  # our own CA file: TLS has not begun
    return Failure(fault=Fault.AMBIGUOUS, code=type(error).__name__)


def _causes(error: BaseException) -> Iterator[BaseException]:
    waiting: list[object] = [error]
    for _ in range(_CAUSES_MAX):
        if not waiting:
            return
        found = waiting.pop(0)
        if isinstance(found, BaseException):
            yield found
            inner = getattr(found, "kwargs", {})
            waiting += [inner.get("error"), found.__cause__, found.__context__, *found.args]


def _but(failure: Failure, fault: Fault, hint: Hint) -> Failure:
    return Failure(fault=fault, code=failure.code, hint=hint, request_id=failure.request_id)
