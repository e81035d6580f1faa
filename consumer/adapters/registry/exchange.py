"""One question to the registry and its answer, within limits of time, attempts and size."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
from tenacity import Retrying
from tenacity.retry import retry_if_exception_type
from tenacity.stop import stop_after_attempt, stop_after_delay
from tenacity.wait import wait_exponential

from consumer.adapters.registry.tls import Tls, context, is_about_tls
from consumer.errors import Broken, ExitCode, Unavailable

ANSWER_BYTES_MAX = 2_097_152
ATTEMPTS_MAX = 3
TOTAL_S = 10.0
_WAIT_FIRST_S, _WAIT_LONGEST_S = 0.1, 1.0
_WHAT = "registry"
_OK = range(200, 300)
_ABOUT_THE_QUESTION = frozenset({404, 409, 422})
_NOT_FOUND = 404
_ACCESS = {401: "unauthorized", 403: "forbidden"}
_PASSING = frozenset({408, 429, *range(500, 600)})


class Answer(msgspec.Struct, frozen=True):
    """What the registry said: its status, and the JSON object that came with it (empty where a 404 had none)."""

    status: int
    document: dict[str, Any]

    @property
    def ok(self) -> bool:
        """Whether it did as asked."""
        return self.status in _OK


class _Passing(Unavailable):
    """An outage that may be over in a moment."""

    def __init__(self, code: str) -> None:
        super().__init__(_WHAT, code)


class Exchange:
    """An HTTP client that asks again, a few times, what was not answered; any number of threads may use it.

    `timeout_s` limits each connect, each wait for bytes and the reading of an answer; no attempt begins `total_s` after the
    first. Raises Unavailable where there is no answer, none that a registry gives, or no access.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        tls: Tls | None = None,
        attempts_max: int = ATTEMPTS_MAX,
        total_s: float = TOTAL_S,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`url`: up to and with the base path (`http://apicurio:8080/apis/ccompat/v7`); raises Broken where it is none.

        The same where a file of `tls` is unusable.
        """
        self._client = httpx.Client(
            base_url=_base(url),
            auth=None if username is None else (username, password or ""),
            headers=_headers(token),
            timeout=timeout_s,
            verify=True if tls is None else context(tls),
            follow_redirects=False,
        )
        self._timeout_s = timeout_s
        self._clock = clock
        self._retrying = Retrying(
            stop=stop_after_attempt(attempts_max) | stop_after_delay(total_s),
            wait=wait_exponential(multiplier=_WAIT_FIRST_S, max=_WAIT_LONGEST_S),
            retry=retry_if_exception_type(_Passing),
            sleep=sleep,
            reraise=True,
        )

    def get(self, path: str) -> Answer:
        """Ask for what lies at `path`, relative to the base path."""
        return self._retrying.copy()(self._once, "GET", path, None)

    def post(self, path: str, document: object) -> Answer:
        """Hand over `document`. It may arrive twice: only for what may be said twice."""
        return self._retrying.copy()(self._once, "POST", path, msgspec.json.encode(document))

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def _once(self, method: str, path: str, content: bytes | None) -> Answer:
        headers = None if content is None else {"Content-Type": "application/vnd.schemaregistry.v1+json"}
        try:
            with self._client.stream(method, path, content=content, headers=headers) as response:
                return self._answer(response)
        except httpx.TimeoutException:
            raise _Passing("timeout") from None
        except httpx.ConnectError as problem:
            raise _Passing("tls" if is_about_tls(problem) else "unreachable") from None
        except httpx.TransportError as problem:
            raise _Passing("tls" if is_about_tls(problem) else "cut_off") from None

    def _answer(self, response: httpx.Response) -> Answer:
        status = response.status_code
        if status in _ACCESS:
            raise Unavailable(_WHAT, _ACCESS[status])
        if status in _PASSING:
            raise _Passing(f"http_{status}")
        if status not in _OK and status not in _ABOUT_THE_QUESTION:
            raise Unavailable(_WHAT, f"http_{status}")
        try:
            document = msgspec.json.decode(self._body(response))
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            document = None
        if not isinstance(document, dict):
            if status == _NOT_FOUND and response.request.method == "GET":
                return Answer(status, {})
            raise Unavailable(_WHAT, "not_a_registry")
        return Answer(status, document)

    def _body(self, response: httpx.Response) -> bytes:
        until_s = self._clock() + self._timeout_s
        body = bytearray()
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > ANSWER_BYTES_MAX:
                raise Unavailable(_WHAT, "answer_too_large")
            if self._clock() > until_s:
                raise _Passing("timeout")
        return bytes(body)


def _base(url: str) -> httpx.URL:
    try:
        base = httpx.URL(url.rstrip("/") + "/")
    except httpx.InvalidURL:
        base = httpx.URL()
    if base.scheme not in {"http", "https"} or not base.host:
        raise Broken("the registry's URL is not http://host/path or https://host/path", ExitCode.SETTINGS)
    return base


def _headers(token: str | None) -> dict[bytes, bytes]:
    """As bytes: what cannot be encoded would be shown by the error that says so."""
    headers = {b"Accept": b"application/vnd.schemaregistry.v1+json, application/json", b"Accept-Encoding": b"identity"}
    return headers if token is None else headers | {b"Authorization": b"Bearer " + token.encode()}
