"""Outboxes for tests: opened, killed and opened again, each on a store of its own."""

import shutil
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import msgspec

from consumer.adapters.outbox_sqlite import SqliteOutbox, SqliteOutboxReader
from consumer.core.delivery import Attempt, Claim, Patience, Settlement, Trigger
from consumer.core.event import Money
from consumer.core.notice import Cancellation, Change, Notice
from consumer.core.standing import Occurrence
from consumer.core.story import NoticeStory
from consumer.ports import OutboxForDispatch, OutboxForIntake, OutboxReader
from tests.builders import NOW, notice

IDENTITY = {"cluster": "cluster-1", "group": "avviso", "topics": "bank.balances.v1,bank.transactions.v1"}
ATTEMPT = Attempt(phone_digest="d" * 64, parts=1, language="en")
LEASE = timedelta(seconds=30)
PATIENCE = Patience(lease=LEASE, doubt=timedelta(minutes=15))


UNDONE = Cancellation(
    customer_id="cust-1",
    transaction_id="tx-1",
    same_id=True,
    record=notice().record,
    amount=Money(amount=Decimal("250.00"), currency="EUR"),
    tolerance_ratios={"large_debit": Decimal("0.05")},
)


class Outbox(OutboxForIntake, OutboxForDispatch, Protocol):
    """Both sides of one store."""


class OutboxBench(Protocol):
    """A store that a contract test works on."""

    @property
    def outbox(self) -> Outbox:
        """The working side of this life."""

    @property
    def reader(self) -> OutboxReader:
        """The operator's side of this life."""

    def kill(self, now: datetime = NOW) -> None:
        """End the process as `kill -9` does, and begin a new one on what it left."""

    def close(self) -> None:
        """Clean up."""


class SqliteBench:
    """The embedded outbox, in a folder of its own for each life of the process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lives = 0
        self._open(folder / "life-0", NOW)

    def _open(self, folder: Path, now: datetime) -> None:
        folder.mkdir(exist_ok=True)
        self.path = folder / "outbox.db"
        self.outbox = SqliteOutbox.open(self.path, identity=IDENTITY, now=now)
        self.reader = SqliteOutboxReader.open(self.path)

    def kill(self, now: datetime = NOW) -> None:
        """What lies on the disk this instant, the write-ahead log included, is all that the next process finds."""
        self._lives += 1
        folder = self._folder / f"life-{self._lives}"
        folder.mkdir()
        for name in ("outbox.db", "outbox.db-wal"):
            if (self.path.parent / name).exists():
                shutil.copy(self.path.parent / name, folder / name)
        self.close()
        self._open(folder, now)

    def close(self) -> None:
        self.reader.close()
        self.outbox.close()


def numbered(number: int, **changes: Any) -> Notice:
    """A notice with an event key of its own."""
    ordinary = notice(transaction_id=f"tx-{number}")
    key = msgspec.structs.replace(ordinary.key, event_id=f"evt-{number}")
    return msgspec.structs.replace(ordinary, **({"key": key} | changes))


def once(scope: str = "tx:tx-1:posted", **changes: Any) -> Occurrence:
    """Something that may be told once."""
    ordinary = Occurrence(customer_id="cust-1", kind="large_debit", scope=scope)
    return msgspec.structs.replace(ordinary, **changes)


def recorded(outbox: Outbox, *notices: Notice, now: datetime = NOW) -> None:
    outbox.record([Change(notice=one) for one in notices], now).durable()


def claimed(outbox: Outbox, now: datetime = NOW, owner: str = "worker-1", limit: int = 10) -> list[Claim]:
    return list(outbox.claim(owner=owner, now=now, lease_until=now + LEASE, limit=limit))


def begun(outbox: Outbox, now: datetime = NOW) -> Claim:
    """The one notice that is due, begun."""
    (claim,) = claimed(outbox, now)
    assert outbox.begin(claim, ATTEMPT, now)
    return claim


def doubted(outbox: Outbox, now: datetime = NOW, due: datetime | None = None) -> Claim:
    """The one notice that is due, with a send of which nobody knows."""
    claim = begun(outbox, now)
    assert outbox.settle(claim, settled(Trigger.DOUBT, "ReadTimeoutError", not_before=due), now)
    return claim


def settled(trigger: Trigger, reason: str = "", **changes: Any) -> Settlement:
    return Settlement(trigger=trigger, reason=reason, **changes)


def accepted(message_id: str = "message-1") -> Settlement:
    return settled(Trigger.ACCEPT, "accepted", message_id=message_id, request_id="request-1")


def story(reader: OutboxReader, notice_id: int = 1) -> NoticeStory:
    found = reader.show(notice_id)
    assert found is not None
    return found


def state(reader: OutboxReader, notice_id: int = 1) -> str:
    return story(reader, notice_id).summary.state


def triggers(reader: OutboxReader, notice_id: int = 1) -> list[str]:
    return [entry.trigger for entry in story(reader, notice_id).history]


def proof(reader: OutboxReader, notice_id: int = 1) -> Mapping[str, str]:
    """What the newest entry of the history knows besides the state."""
    return story(reader, notice_id).history[-1].detail
