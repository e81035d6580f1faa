"""The outbox in one SQLite file: one process works on it, any number may read."""

from consumer.adapters.outbox_sqlite.outbox import SqliteOutbox
from consumer.adapters.outbox_sqlite.reader import SqliteOutboxReader

__all__ = ["SqliteOutbox", "SqliteOutboxReader"]
