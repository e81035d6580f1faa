"""boto3's clients: one at a time for all threads, renewed before it can do harm, and never sending twice in one call."""

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import msgspec
from botocore import exceptions as aws
from botocore.config import Config
from botocore.loaders import Loader, create_loader

from consumer.adapters.sns.faults import failure_of, unsent
from consumer.core.delivery import Failure, Fault, Hint, Outcome

if TYPE_CHECKING:
    from types_boto3_sns import SNSClient


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """An access key of AWS. Never printed."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None

    def __repr__(self) -> str:
        """Nothing of it."""
        return "Credentials()"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds: to connect, to wait for bytes of a reply, from the start of a call to its request, and of a client's life."""

    connect_s: float
    read_s: float
    start_s: float
    age_s: float


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Which SNS, and who asks. None: as boto3 finds it in its environment."""

    region: str | None
    credentials: Credentials | None
    endpoint_url: str | None
    ca_bundle: Path | None


class SecondRequest(Exception):
    """boto3 was about to send the same call again."""


class RequestTooLate(Exception):
    """So long after the call began, another may have the notice by now."""


class Clients:
    """One client for all threads, on which no connection grows older than `limits.age_s`.

    After stale credentials and after any halt of the whole account the next call looks for credentials and settings anew:
    whoever mends them need not restart us. Nothing is sent later than `limits.start_s` after its call began, however long
    the credentials took.
    """

    def __init__(self, target: Target, limits: Limits, *, connections_max: int, elapsed_s: Callable[[], float]) -> None:
        """Look for credentials now; what fails in that is told by the first call."""
        self._target = target
        self._limits = limits
        self._connections_max = connections_max
        self._elapsed_s = elapsed_s
        self._lock = threading.Lock()
        self._session: boto3.Session | None = None
        self._client: SNSClient | None = None
        self._made_at_s = 0.0
        self._calling = threading.local()
        with suppress(aws.BotoCoreError, aws.ClientError):
            self._current()

    def call(self, request: Callable[["SNSClient"], Outcome]) -> Outcome:
        """Make one request, or none. Never raises."""
        self._calling.requests = 0
        session: boto3.Session | None = None
        try:
            self._calling.since_s = self._elapsed_s()
            client, session = self._current()
            return request(client)
        except Exception as error:  # noqa: BLE001 - whatever it is, the outbox must hear of it
            failure = failure_of(error) if self._calling.requests else unsent(failure_of(error))
            self._learn(failure, session)
            return failure

    def _current(self) -> tuple["SNSClient", boto3.Session]:
        with self._lock:
            if self._session is None:
                self._session, self._client = self._new_session(), None
            if self._client is None or self._elapsed_s() - self._made_at_s >= self._limits.age_s:
                if self._client is not None:
                    self._client.close()  # calls in flight keep their connections until they end
                self._client = self._new_client(self._session)
                self._made_at_s = self._elapsed_s()
            return self._client, self._session

    def _new_session(self) -> boto3.Session:
        key = self._target.credentials
        inner = botocore.session.get_session()
        inner.register_component("data_loader", _descriptions())
        inner.set_default_client_config(  # for whoever is asked for credentials: boto3 would wait for minutes
            Config(
                retries={"total_max_attempts": 2, "mode": "standard"},
                connect_timeout=self._limits.connect_s,
                read_timeout=self._limits.read_s,
            )
        )
        session = boto3.Session(
            aws_access_key_id=key.access_key_id if key else None,
            aws_secret_access_key=key.secret_access_key if key else None,
            aws_session_token=key.session_token if key else None,
            region_name=self._target.region,
            botocore_session=inner,
        )
        found = session.get_credentials()
        if found is not None:
            found.get_frozen_credentials()  # some sources are asked only now
        return session

    def _new_client(self, session: boto3.Session) -> "SNSClient":
        ca_bundle = self._target.ca_bundle
        client = session.client(
            "sns",
            endpoint_url=self._target.endpoint_url,
            verify=str(ca_bundle) if ca_bundle else None,
            config=Config(
                retries={"total_max_attempts": 1, "mode": "standard"},
                connect_timeout=self._limits.connect_s,
                read_timeout=self._limits.read_s,
                max_pool_connections=self._connections_max,
                parameter_validation=False,  # a fifth of the cost of a call; the provider checks what it would find
                tcp_keepalive=True,
            ),
        )
        effective: Any = client.meta.config
        assert effective.retries == {"total_max_attempts": 1, "mode": "standard"}, "boto3 would send twice"
        client.meta.events.register("before-send.sns", self._about_to_send)
        return client

    def _about_to_send(self, **_event: Any) -> None:
        if self._calling.requests:
            raise SecondRequest
        if self._elapsed_s() - self._calling.since_s > self._limits.start_s:
            raise RequestTooLate
        self._calling.requests = 1

    def _learn(self, failure: Failure, session: boto3.Session | None) -> None:
        stale = failure.hint is Hint.REFRESH_CREDENTIALS
        broken = failure.fault is Fault.HALT and failure.hint is not Hint.CONFIGURATION
        if stale or broken:
            with self._lock:
                if session is self._session:  # else another thread was told the same, and has looked anew
                    self._session = None


@cache
def _descriptions() -> Loader:
    """boto3's descriptions of services: always the same, and a tenth of a second to read while every thread waits."""
    return create_loader()
