"""A scripted SNS endpoint over HTTP or HTTPS: real boto3 talks to it, it refuses what AWS refuses and fails on command."""

import ssl
import threading
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self, assert_never
from urllib.parse import parse_qsl

import msgspec

from consumer.sandbox import sns_replies
from consumer.sandbox.sns_log import LoggedRequest, RequestLog
from consumer.sandbox.sns_rules import attributes_of, refusal_of_action
from consumer.sandbox.sns_script import (
    ACCEPT,
    THROTTLE,
    Accept,
    Answer,
    Behaviour,
    BreakTls,
    BreakTlsBeforeRequest,
    Choice,
    Drop,
    Hang,
    Refuse,
    Request,
    Script,
    Spoil,
    takes,
)
from consumer.sandbox.sns_server import Exchange, SnsServer
from consumer.sandbox.sns_signature import refusal_of_signature

_SECOND = timedelta(seconds=1)
_JOIN_S = 10.0


def utc_now() -> datetime:
    """The wall clock, aware."""
    return datetime.now(UTC)


def new_id() -> str:
    """A random UUID, as AWS uses for messages and requests."""
    return str(uuid.uuid4())


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """PEM files for TLS."""

    chain: Path
    key: Path


class ScriptedSns:
    """A context manager: inside it `url` takes requests.

    `otherwise` chooses what to do where nothing is queued by `then`; `log`: a file for JSON lines; `secrets`: access key id
    to secret, to check signatures with (none: their form only); `latency_s` before each reply; more than
    `texts_per_second_max` are throttled. It holds numbers and texts in clear: a sandbox, no service.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        otherwise: Choice = lambda _request: ACCEPT,
        log: Path | None = None,
        secrets: Mapping[str, str] | None = None,
        certificate: Certificate | None = None,
        latency_s: float = 0.0,
        texts_per_second_max: int | None = None,
        now: Callable[[], datetime] = utc_now,
        identity: Callable[[], str] = new_id,
    ) -> None:
        """Bind at once, so that `url` is known; serve from `start` on."""
        self.log = RequestLog(log)
        self._script = Script(otherwise)
        self._secrets = dict(secrets or {})
        self._latency_s = latency_s
        self._texts_per_second_max = texts_per_second_max
        self._taken_at: deque[datetime] = deque()
        self._now = now
        self._identity = identity
        self._number = 0
        self._gate = threading.Event()
        self._lock = threading.Lock()
        self._server = SnsServer(
            ("127.0.0.1", port), self._serve, self._script.breaks_tls_before_request, _tls(certificate)
        )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="scripted-sns")
        self.port: int = self._server.server_address[1]
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Serve requests until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """Let go whoever hangs, end all connections, free the port. Raises what went wrong inside, if anything did."""
        self._server.stopping.set()
        self.release()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(_JOIN_S)
        self._server.end_connections()
        self._server.server_close()
        self.log.close()
        if self._server.defects:
            raise self._server.defects[0]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def then(self, *behaviours: Behaviour, action: str = "Publish") -> None:
        """Queue behaviours for the next requests of this action, one each."""
        self._script.then(action, behaviours)

    def release(self) -> None:
        """Let go every request that hangs now."""
        with self._lock:
            gate, self._gate = self._gate, threading.Event()
        gate.set()

    @property
    def requests(self) -> tuple[LoggedRequest, ...]:
        """Every request so far, probes included."""
        return self.log.entries()

    @property
    def publishes(self) -> tuple[LoggedRequest, ...]:
        """Every Publish so far, accepted or not."""
        return tuple(entry for entry in self.requests if entry.action == "Publish")

    @property
    def accepted(self) -> tuple[LoggedRequest, ...]:
        """Every text taken so far: what phones would show, whatever the client was told."""
        return tuple(entry for entry in self.requests if entry.accepted)

    @property
    def connections(self) -> int:
        """How many TCP connections were made to it so far."""
        return self._server.connections

    def _serve(self, headers: Mapping[str, str], body: bytes) -> Exchange:
        at = self._now()
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        with self._lock:
            self._number += 1
            request = _request(self._number, form)
            gate = self._gate
            behaviour = self._behaviour(request, headers, body, form, at)
            message_id = self._identity() if request.action == "Publish" and takes(behaviour) else ""
            self.log.append(_entry(at, request, behaviour, message_id))
        if self._latency_s:
            gate.wait(self._latency_s)
        return _exchange(behaviour, message_id, self._identity(), gate)

    def _behaviour(
        self, request: Request, headers: Mapping[str, str], body: bytes, form: Mapping[str, str], at: datetime
    ) -> Behaviour:
        behaviour = self._script.choose(request)
        if not takes(behaviour):
            return behaviour
        refusal = refusal_of_signature(headers, body, self._secrets, at) or refusal_of_action(form)
        if refusal is None and request.action == "Publish":
            refusal = self._refusal_of_rate(at)
        return refusal or behaviour

    def _refusal_of_rate(self, at: datetime) -> Refuse | None:
        if self._texts_per_second_max is None:
            return None
        while self._taken_at and at - self._taken_at[0] >= _SECOND:
            self._taken_at.popleft()
        if len(self._taken_at) >= self._texts_per_second_max:
            return THROTTLE
        self._taken_at.append(at)
        return None


def _request(number: int, form: Mapping[str, str]) -> Request:
    return Request(
        number=number,
        action=form.get("Action", ""),
        phone=form.get("PhoneNumber", ""),
        text=form.get("Message", ""),
        attributes={attribute.name: attribute.value for attribute in attributes_of(form)},
    )


def _entry(at: datetime, request: Request, behaviour: Behaviour, message_id: str) -> LoggedRequest:
    return LoggedRequest(
        at=at,
        number=request.number,
        action=request.action,
        phone=request.phone,
        text=request.text,
        attributes=request.attributes,
        accepted=bool(message_id),
        message_id=message_id,
        reply=behaviour.code if isinstance(behaviour, Refuse) else behaviour.name,
    )


def _exchange(behaviour: Behaviour, message_id: str, request_id: str, gate: threading.Event) -> Exchange:
    reply = sns_replies.published(message_id, request_id) if message_id else sns_replies.sms_attributes(request_id)
    match behaviour:
        case Accept():
            return Exchange(reply=reply)
        case Refuse():
            return Exchange(reply=sns_replies.refused(behaviour, request_id))
        case Answer():
            return Exchange(reply=sns_replies.answered(behaviour, request_id))
        case Hang(accepts=accepts, for_s=for_s):
            return Exchange(reply=reply if accepts else b"", keep_open=accepts, gate=gate, gate_s=for_s)
        case Drop() | BreakTlsBeforeRequest():
            return Exchange(reply=b"", keep_open=False)
        case BreakTls():
            return Exchange(reply=b"", keep_open=False, under_tls=True)
        case Spoil(how=how):
            reply = sns_replies.spoiled(how, message_id, request_id)
            return Exchange(reply=reply, keep_open=how not in sns_replies.BROKEN_HTTP)
        case _:
            assert_never(behaviour)


def _tls(certificate: Certificate | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)
    return context
