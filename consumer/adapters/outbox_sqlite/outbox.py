"""The outbox that the two loops work on."""

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from consumer.adapters.outbox_sqlite import dispatch_side, intake_side, opening, room, stops, sweeping
from consumer.adapters.outbox_sqlite.connection import (
    WorkerLock,
    connect,
    connect_read_only,
    snapshot,
    translating,
)
from consumer.adapters.outbox_sqlite.writer import Writer
from consumer.core.delivery import Attempt, Claim, Patience, Settlement
from consumer.core.notice import Change
from consumer.core.record import Position
from consumer.core.standing import Memory, Questions
from consumer.ports import Recording, Room, Swept
from consumer.telemetry import Line, alarm

T = TypeVar("T")


class SqliteOutbox:
    """`ports.OutboxForIntake` and `ports.OutboxForDispatch` on one file, from any thread; one process at a time.

    `close` finishes what was asked for and gives nothing back: the next `open` deals with what is claimed or under way.
    """

    @classmethod
    def open(cls, path: Path, *, identity: Mapping[str, str], now: datetime) -> Self:
        """Take the file into use, making it where there is none.

        `identity` names the source that it belongs to for ever (cluster, group, topics). Whatever an earlier process left
        claimed is pending again, what it left sending is in doubt. Raises Broken (in use, another's, newer, damaged) or
        Unavailable.
        """
        path = path.resolve()  # two names of one file are one lock
        with contextlib.ExitStack() as undo, translating():
            lock = WorkerLock(path)
            undo.callback(lock.release)
            db = connect(path)
            undo.callback(db.close)
            held = _prepare(db, path, identity, now)
            reading = connect_read_only(path)
            undo.pop_all()
            if held:
                alarm(Line.SWEPT, held=held)
            return cls(path, lock, Writer(db), reading)

    def __init__(self, path: Path, lock: WorkerLock, writer: Writer, reading: sqlite3.Connection) -> None:
        """Take over what `open` made."""
        self._path = path
        self._lock = lock
        self._writer = writer
        self._reading = reading
        self._reads = threading.Lock()

    def recall(self, questions: Questions) -> Memory:
        """See `ports.OutboxForIntake`."""
        return self._read(lambda db: intake_side.recall(db, questions))

    def record(self, changes: Sequence[Change], now: datetime) -> Recording:
        """See `ports.OutboxForIntake`."""
        return self._writer.begin(lambda db: intake_side.Batch(db, now).write(changes))

    def backlog(self, now: datetime, *, at_most: int) -> int:
        """See `ports.OutboxForIntake`."""
        return self._read(lambda db: dispatch_side.backlog(db, now, at_most))

    def room(self) -> Room:
        """See `ports.OutboxForIntake`. Pages that the file holds empty count as free: they are used before it grows."""
        return self._read(lambda db: room.room(db, self._path))

    def stops(self) -> Sequence[Position]:
        """See `ports.OutboxForIntake`."""
        return self._read(stops.read)

    def stop_at(self, stopped: Sequence[Position], now: datetime) -> None:
        """See `ports.OutboxForIntake`."""
        self._writer.do(lambda db: stops.write(db, stopped, now))

    def pass_stops(self, passed: Sequence[Position]) -> None:
        """See `ports.OutboxForIntake`."""
        self._writer.do(lambda db: stops.forget(db, passed))

    def claim(self, *, owner: str, now: datetime, lease_until: datetime, limit: int) -> Sequence[Claim]:
        """See `ports.OutboxForDispatch`."""
        return self._writer.do(lambda db: dispatch_side.claim(db, owner, now, lease_until, limit))

    def begin(self, claim: Claim, attempt: Attempt, now: datetime) -> bool:
        """See `ports.OutboxForDispatch`. A claim whose lease has run out is no longer ours."""
        return self._writer.do(lambda db: dispatch_side.begin(db, claim, attempt, now))

    def opted_out(self, phone_digest: str) -> bool:
        """See `ports.OutboxForDispatch`."""
        return self._read(lambda db: dispatch_side.opted_out(db, phone_digest))

    def settle(self, claim: Claim, settlement: Settlement, now: datetime) -> bool:
        """See `ports.OutboxForDispatch`. The same settlement may be made again after Unavailable."""
        return self._writer.do(lambda db: dispatch_side.settle(db, claim, settlement, now))

    def sweep(self, now: datetime, patience: Patience) -> Swept:
        """See `ports.OutboxForDispatch`. Up to 500 of each sort a call."""
        return self._writer.do(lambda db: sweeping.sweep(db, now, patience))

    def due_at(self) -> datetime | None:
        """See `ports.OutboxForDispatch`."""
        return self._read(dispatch_side.due_at)

    def close(self) -> None:
        """Finish what was asked for, and let another process work on the file. May be called again."""
        with contextlib.ExitStack() as undo:
            undo.callback(self._lock.release)
            undo.callback(self._reading.close)
            undo.callback(self._writer.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._reads, translating(), snapshot(self._reading):
            return work(self._reading)


def _prepare(db: sqlite3.Connection, path: Path, identity: Mapping[str, str], now: datetime) -> int:
    """All of it or nothing. How many notices the last worker left in a doubt that nothing will settle by itself."""
    version = opening.check_version(db, path)
    db.execute("BEGIN IMMEDIATE")
    try:
        opening.migrate(db, version)
        opening.identify(db, path, identity)
        held = sweeping.recover(db, now)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # some failures, such as a full disk, have rolled back already
            db.execute("ROLLBACK")
        raise
    return held
