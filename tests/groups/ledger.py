"""An outbox that many members share, and a journal of who wrote and who owned what, and when."""

import sqlite3
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from consumer.core.notice import Change
from consumer.core.record import Position
from consumer.core.standing import Memory, Questions
from consumer.errors import Conflict
from consumer.ports import Recorded, Room
from tests.fakes import Durable

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

    def record(self, changes: Sequence[Change], now: datetime) -> Durable:
        notices = [change.notice for change in changes if change.notice is not None]
        keys = {str(notice.key): notice for notice in notices}
        at = time.monotonic()
        self._base.execute("BEGIN IMMEDIATE")
        for notice in notices:
            writing = (at, self._member, notice.record.partition, notice.record.offset)
            self._base.execute("INSERT INTO written VALUES (?, ?, ?, ?)", writing)
        known = {key for key in keys if self._base.execute("SELECT 1 FROM recorded WHERE event = ?", (key,)).fetchone()}
        if not known:
            for key, notice in keys.items():
                row = (key, notice.record.partition, notice.record.offset)
                self._base.execute("INSERT INTO recorded VALUES (?, ?, ?)", row)
        self._base.execute("COMMIT")
        if known:
            raise Conflict(frozenset(keys[key].key for key in known))
        return Durable(Recorded(notices=len(notices), cancelled=0))

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
