"""A dispatcher on a real SQLite outbox, with a clock, a provider and preferences that the test plays."""

import random
import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from consumer.adapters.outbox_sqlite import SqliteOutbox, SqliteOutboxReader
from consumer.backoff import exponential
from consumer.core.breaker import Tolerance
from consumer.core.delivery import Accepted, Attempt, Claim, Failure, Fault, Hint, Outcome, Patience, Settlement
from consumer.core.gate import Gate
from consumer.core.limiter import Rate
from consumer.core.notice import Change, Notice
from consumer.dispatch import Dispatch, DispatchLimits
from consumer.errors import Unavailable
from consumer.ports import OutboxForDispatch, Sms, SmsProvider, Swept
from tests.builders import NOW, PSEUDONYMS, notice, preferences
from tests.dispatch.bank import CATALOGUE, TEXTS
from tests.fakes import Listed

ACCEPTED = Accepted(message_id="message-1", request_id="request-1")
HALT = Failure(fault=Fault.HALT, code="AuthorizationError")
AMBIGUOUS = Failure(fault=Fault.AMBIGUOUS, code="ReadTimeoutError", request_id="request-2")
UNREACHED = Failure(fault=Fault.TRANSIENT, code="ConnectTimeoutError")
THROTTLED = Failure(fault=Fault.TRANSIENT, code="Throttling", hint=Hint.SLOW_DOWN)
EXPIRED_TOKEN = Failure(fault=Fault.TRANSIENT, code="ExpiredToken", hint=Hint.REFRESH_CREDENTIALS)
CERTIFICATE = Failure(fault=Fault.TRANSIENT, code="SSLCertVerificationError", hint=Hint.HALT_WHEN_REPEATED)
REFUSED = Failure(fault=Fault.PERMANENT, code="InvalidParameter", hint=Hint.HALT_ON_BURST)
OPTED_OUT = Failure(fault=Fault.PERMANENT, code="OptedOut", hint=Hint.OPTED_OUT)
MISCONFIGURED = Failure(fault=Fault.HALT, code="InvalidParameter", hint=Hint.CONFIGURATION)


class Clock:
    """Stands still until told otherwise."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at

    def advance(self, seconds: float) -> datetime:
        self.at += timedelta(seconds=seconds)
        return self.at


class ScriptedProvider:
    """Answers as told, one outcome for each call, and accepts whatever comes after; `meanwhile` runs during each publish."""

    def __init__(self) -> None:
        self.outcomes: deque[Outcome] = deque()
        self.probes: deque[Outcome] = deque()
        self.sent: list[Sms] = []
        self.probed = 0
        self.meanwhile: Callable[[], object] = lambda: None

    def publish(self, sms: Sms) -> Outcome:
        self.sent.append(sms)
        self.meanwhile()
        if self.outcomes:
            return self.outcomes.popleft()
        return Accepted(message_id=f"message-{len(self.sent)}", request_id=f"request-{len(self.sent)}")

    def probe(self) -> Outcome:
        self.probed += 1
        return self.probes.popleft() if self.probes else Accepted(message_id="", request_id=None)


class Unsteady:
    """An outbox that is away for the next calls of a name, as many as `outages` says."""

    def __init__(self, outbox: OutboxForDispatch) -> None:
        self._outbox = outbox
        self.outages: dict[str, int] = {}
        self.limits: list[int] = []
        self.sweeps = 0

    def _call(self, name: str) -> None:
        if self.outages.get(name, 0):
            self.outages[name] -= 1
            raise Unavailable("outbox", "locked")

    def claim(self, *, owner: str, now: datetime, lease_until: datetime, limit: int) -> Sequence[Claim]:
        self._call("claim")
        self.limits.append(limit)
        return self._outbox.claim(owner=owner, now=now, lease_until=lease_until, limit=limit)

    def begin(self, claim: Claim, attempt: Attempt, now: datetime) -> bool:
        self._call("begin")
        return self._outbox.begin(claim, attempt, now)

    def opted_out(self, phone_digest: str) -> bool:
        self._call("opted_out")
        return self._outbox.opted_out(phone_digest)

    def settle(self, claim: Claim, settlement: Settlement, now: datetime) -> bool:
        self._call("settle")
        return self._outbox.settle(claim, settlement, now)

    def sweep(self, now: datetime, patience: Patience) -> Swept:
        self._call("sweep")
        self.sweeps += 1
        return self._outbox.sweep(now, patience)

    def due_at(self) -> datetime | None:
        self._call("due_at")
        return self._outbox.due_at()


SECURITY_NOTICE: dict[str, Any] = {"kind": "card_not_present", "alert_class": "security", "rank": 0}


class Rig:
    """Everything around one dispatcher; `run` does one round by hand, without a thread."""

    def __init__(self, folder: Path, provider: SmsProvider | None = None, **changes: Any) -> None:
        self.clock = Clock()
        self.path = folder / "outbox.db"
        self.store = SqliteOutbox.open(self.path, identity={"group": "avviso"}, now=NOW)
        self.reader = SqliteOutboxReader.open(self.path)
        self.outbox = Unsteady(self.store)
        self.provider = ScriptedProvider()
        self.table = Listed(preferences())
        self.waits: list[float] = []
        self.dispatch = self.another(provider=provider or self.provider, **changes)
        self._recorded = 0

    def another(self, **changes: Any) -> Dispatch:
        """A dispatcher on the same outbox, by default as patient as a test and as fast as a provider allows."""
        limits = {"workers": 2, "lease_s": 60.0, "call_timeout_s": 10.0} | changes.pop("limits", {})
        rate = {"parts_per_s": 100.0, "burst_parts": 100.0, "recipient_s": 0.0} | changes.pop("rate", {})
        tolerance = {"first_s": 30.0, "another_s": 10.0, "ambiguous_max": 3} | changes.pop("tolerance", {})
        ordinary: dict[str, Any] = {
            "outbox": self.outbox,
            "preferences": self.table,
            "catalogue": CATALOGUE,
            "texts": TEXTS,
            "provider": self.provider,
            "pseudonyms": PSEUDONYMS,
            "gate": Gate(rate=Rate(**rate), tolerance=Tolerance(**tolerance), now=NOW),
            "backoff": exponential(
                first_s=2.0, longest_s=60.0, attempts_max=3, total_s=3600.0, chance=random.Random(7)
            ),
            "owner": "worker-1",
            "now": self.clock,
            "limits": DispatchLimits(**limits),
            "wait": self.wait,
        }
        return Dispatch(**(ordinary | changes))

    def wait(self, event: threading.Event, seconds: float) -> bool:
        self.waits.append(seconds)
        self.clock.advance(seconds)
        return event.is_set()

    def ask(self, **changes: Any) -> None:
        """From now on the customer asks for this."""
        self.table.by_customer["cust-1"] = msgspec.structs.replace(self.table.by_customer["cust-1"], **changes)

    def forget(self) -> None:
        self.table.by_customer.clear()

    def record(self, *, customer_id: str = "cust-1", **changes: Any) -> int:
        """Record one notice; its id."""
        self._recorded += 1
        ordinary = notice(transaction_id=f"tx-{self._recorded}")
        key = msgspec.structs.replace(ordinary.key, event_id=f"evt-{self._recorded}", customer_id=customer_id)
        one: Notice = msgspec.structs.replace(ordinary, **({"key": key} | changes))
        self.store.record([Change(notice=one)], self.clock()).durable()
        return self._recorded

    def claim(self, dispatch: Dispatch | None = None) -> list[Claim]:
        return list((dispatch or self.dispatch).claim_once().jobs)

    def run(self) -> int:
        """Claim what is due and work on each; how many there were."""
        claims = self.claim()
        for claim in claims:
            self.dispatch.work(claim)
        return len(claims)

    def during_the_next_call(self, action: Callable[[], object]) -> None:
        """Do it once, while the provider is being called."""

        def once() -> None:
            self.provider.meanwhile = lambda: None
            action()

        self.provider.meanwhile = once

    def standing(self, notice_id: int = 1) -> tuple[str, str]:
        """State and reason."""
        story = self.reader.show(notice_id)
        assert story is not None
        return story.summary.state, story.summary.reason

    def due_in_s(self, notice_id: int = 1) -> float:
        story = self.reader.show(notice_id)
        assert story is not None
        return (story.summary.not_before - self.clock()).total_seconds()

    def triggers(self, notice_id: int = 1) -> list[str]:
        story = self.reader.show(notice_id)
        assert story is not None
        return [entry.trigger for entry in story.history]

    def close(self) -> None:
        self.reader.close()
        self.store.close()


def told(caplog: pytest.LogCaptureFixture, line: str) -> list[dict[str, object]]:
    """The log lines of this name: level and fields."""
    return [
        {"level": record.levelname} | record.__dict__["fields"]
        for record in caplog.records
        if record.name == "avviso" and record.getMessage() == line
    ]
