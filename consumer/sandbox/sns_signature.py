"""The check of AWS Signature Version 4 that the scripted endpoint makes, written from AWS's description of it."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from consumer.sandbox.sns_script import Refuse

_SKEW_MAX = timedelta(minutes=15)
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<day>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, "
    r"SignedHeaders=(?P<headers>[a-z0-9;-]+), Signature=(?P<signature>[0-9a-f]{64})\Z"
)


def refusal_of_signature(
    headers: Mapping[str, str], body: bytes, secrets: Mapping[str, str], now: datetime
) -> Refuse | None:
    """Why AWS would not believe this POST to `/`, or None.

    `headers` by lower-case name; `secrets`: access key id to secret. With no secrets the form of the signature is checked,
    not its worth.
    """
    if "authorization" not in headers:
        return _forbidden("MissingAuthenticationToken", "Request is missing Authentication Token")
    found = _AUTHORIZATION.match(headers["authorization"])
    signed = found["headers"].split(";") if found else []
    if not found or "x-amz-date" not in headers or any(name not in headers for name in signed):
        return Refuse(status=400, code="IncompleteSignature", message="Authorization header is not complete")
    if found["service"] != "sns":
        return _forbidden("SignatureDoesNotMatch", "Credential should be scoped to correct service: 'sns'.")
    if abs(now - _instant(headers["x-amz-date"])) > _SKEW_MAX:
        return _forbidden("RequestExpired", "Request is too old or too far in the future")
    if not secrets:
        return None
    if found["key"] not in secrets:
        return _forbidden("InvalidClientTokenId", "The security token included in the request is invalid.")
    expected = _signature(found, headers, signed, body, secrets[found["key"]])
    if not hmac.compare_digest(expected, found["signature"]):
        return _forbidden("SignatureDoesNotMatch", "The request signature we calculated does not match")
    return None


def _signature(found: re.Match[str], headers: Mapping[str, str], signed: list[str], body: bytes, secret: str) -> str:
    lines = [f"{name}:{' '.join(headers[name].split())}" for name in signed]
    canonical = "\n".join(["POST", "/", "", *lines, "", found["headers"], hashlib.sha256(body).hexdigest()])
    scope = f"{found['day']}/{found['region']}/sns/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{secret}".encode()
    for part in (found["day"], found["region"], "sns", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    to_sign = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, digest])
    return hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()


def _instant(amz_date: str) -> datetime:
    try:
        return datetime.strptime(amz_date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def _forbidden(code: str, message: str) -> Refuse:
    return Refuse(status=403, code=code, message=message)
