"""An outbox that many members share, and a journal of who wrote and who owned what, and when."""

import sqlite3
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from consumer.core.notice import Change, EventKey, Notice
from consumer.core.record import Position
from consumer.core.standing import Memory, Questions
from consumer.errors import Conflict, Unavailable
from consumer.ports import Recorded, Room

_TABLES = """
CREATE TABLE IF NOT EXISTS recorded (event TEXT PRIMARY KEY, part INTEGER, place INTEGER);
CREATE TABLE IF NOT EXISTS written (at REAL, member TEXT, part INTEGER, place INTEGER);
CREATE TABLE IF NOT EXISTS claims (at REAL, member TEXT, said TEXT, part INTEGER);
CREATE INDEX IF NOT EXISTS places ON recorded (part, place);
"""


class Written(NamedTuple):
    """A record that a member wrote, or tried to: `at` by the machine's monotonic clock."""

    at: float
    member: str
    part: int
    place: int


class Claim(NamedTuple):
    """What the group told a member of one partition."""

    at: float
    member: str
    said: str
    part: int


class OnItsWay:
    """What a member has decided to write."""

    def __init__(self, write: Callable[[], Recorded]) -> None:
        self.durable = write


class Ledger:
    """OutboxForIntake in one file for all processes: an event is recorded once, whoever brings it."""

    def __init__(self, path: Path, member: str) -> None:
        self._base = sqlite3.connect(path, timeout=30.0, isolation_level=None, check_same_thread=False)
        self._base.execute("PRAGMA journal_mode = WAL")
        self._base.executescript(_TABLES)
        self._member = member

    def close(self) -> None:
        self._base.close()

    def recall(self, _: Questions) -> Memory:
        return Memory()

    def record(self, changes: Sequence[Change], now: datetime) -> "OnItsWay":
        """Only `durable` writes: whoever dies or is frozen before that must not keep the others waiting."""
        notices = [change.notice for change in changes if change.notice is not None]
        if known := self._known(notices):
            raise Conflict(known)
        return OnItsWay(partial(self._write, notices, time.monotonic()))

    def _known(self, notices: Sequence[Notice]) -> frozenset[EventKey]:
        asked = "SELECT 1 FROM recorded WHERE event = ?"
        return frozenset(one.key for one in notices if self._base.execute(asked, (str(one.key),)).fetchone())

    def _write(self, notices: Sequence[Notice], at: float) -> Recorded:
        """`at`: when it was decided to. Unavailable where another member came first: the events are then asked for anew."""
        self._base.execute("BEGIN IMMEDIATE")
        for notice in notices:
            place = (notice.record.partition, notice.record.offset)
            self._base.execute("INSERT INTO written VALUES (?, ?, ?, ?)", (at, self._member, *place))
        known = self._known(notices)
        if not known:
            rows = [(str(notice.key), notice.record.partition, notice.record.offset) for notice in notices]
            self._base.executemany("INSERT INTO recorded VALUES (?, ?, ?)", rows)
        self._base.execute("COMMIT")
        if known:
            raise Unavailable("outbox", "conflict")
        return Recorded(notices=len(notices), cancelled=0)

    def backlog(self, now: datetime, *, at_most: int) -> int:
        return 0

    def room(self) -> Room:
        return Room(used_bytes=0, free_bytes=2**50)

    def stops(self) -> Sequence[Position]:
        return ()

    def stop_at(self, stopped: Sequence[Position], now: datetime) -> None:
        raise AssertionError("no flood here")

    def pass_stops(self, passed: Sequence[Position]) -> None:
        raise AssertionError("no flood here")

    def claim(self, said: str, parts: Sequence[int]) -> None:
        """Note what the group has just said."""
        at = time.monotonic()
        self._base.executemany("INSERT INTO claims VALUES (?, ?, ?, ?)", [(at, self._member, said, p) for p in parts])

    def recorded_below(self, part: int, place: int) -> int:
        """How many records of the partition stand here that lie before this offset."""
        asked = "SELECT count(DISTINCT place) FROM recorded WHERE part = ? AND place < ?"
        count: int = self._base.execute(asked, (part, place)).fetchone()[0]
        return count

    def written(self) -> Sequence[Written]:
        return [Written(*row) for row in self._base.execute("SELECT * FROM written ORDER BY at")]

    def claims(self) -> Sequence[Claim]:
        return [Claim(*row) for row in self._base.execute("SELECT * FROM claims ORDER BY at")]
