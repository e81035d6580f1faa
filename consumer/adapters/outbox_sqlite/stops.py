"""Where floods of undecodable records stopped a process: a note in the control table that outlives it."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from consumer.adapters.outbox_sqlite.rows import micros
from consumer.core.record import Position

_PREFIX = "flood:"
_READ = "SELECT name, value FROM control WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name"
_WRITE = "INSERT OR REPLACE INTO control (name, value, changed_at) VALUES (?, ?, ?)"


def read(db: sqlite3.Connection) -> Sequence[Position]:
    """One a partition."""
    return [_position(row["name"], row["value"]) for row in db.execute(_READ, (_PREFIX,))]


def write(db: sqlite3.Connection, stopped: Sequence[Position], now: datetime) -> None:
    """The newest one of a partition replaces the one before."""
    db.executemany(_WRITE, [(_name(at), str(at.offset), micros(now)) for at in stopped])


def forget(db: sqlite3.Connection, passed: Sequence[Position]) -> None:
    """These partitions have none any more."""
    db.executemany("DELETE FROM control WHERE name = ?", [(_name(at),) for at in passed])


def _name(at: Position) -> str:
    return f"{_PREFIX}{at.topic}:{at.partition}"


def _position(name: str, value: str) -> Position:
    topic, _, partition = name.removeprefix(_PREFIX).rpartition(":")
    return Position(topic=topic, partition=int(partition), offset=int(value))
