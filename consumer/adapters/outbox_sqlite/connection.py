"""Connections to the file, its lock, and what SQLite's errors mean to us."""

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from consumer.errors import Broken, ExitCode, Unavailable

_BUSY_TIMEOUT_MS = 5_000
_WAL_PAGES = 4_000
"""After so many the log is copied into the file; with the usual 1,000 each full batch, of up to 1,500, waits for that."""
_WAL_BYTES_MAX = _WAL_PAGES * 4096
"""To what the log is cut down once it has been copied."""
_CACHE_KIB = 16 * 1024
"""Room for all the pages that a batch changes: with less they are written, and read again, before its end."""
_PASSING = frozenset(
    {"BUSY", "LOCKED", "FULL", "IOERR", "CANTOPEN", "READONLY", "NOMEM", "PROTOCOL", "INTERRUPT", "PERM"}
)
_DAMAGED = frozenset({"CORRUPT", "NOTADB"})


def translated(error: sqlite3.Error) -> Exception:
    """Our error for SQLite's, by its name alone: its message may quote what a row holds."""
    name = getattr(error, "sqlite_errorname", "SQLITE_MISUSE").removeprefix("SQLITE_")
    family = name.partition("_")[0]
    if family in _PASSING:
        return Unavailable("outbox", name.lower())
    if family in _DAMAGED:
        return Broken(
            "the outbox's file is damaged; restore it from a backup, or mend it with SQLite's .recover",
            ExitCode.OUTBOX_DAMAGED,
        )
    return Broken(f"the outbox's file refuses what this version writes ({name})", ExitCode.OUTBOX_DAMAGED)


@contextlib.contextmanager
def translating() -> Iterator[None]:
    """Let none of SQLite's errors out."""
    try:
        yield
    except sqlite3.Error as error:
        raise translated(error) from None


def connect(path: Path) -> sqlite3.Connection:
    """A connection that writes durably (each commit is on the disk when it returns), for one thread at a time.

    The file is made where there is none, for its owner's eyes only; SQLite gives its companions the same rights.
    """
    os.close(_private(path))
    with contextlib.ExitStack() as undo:
        db = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_MS / 1000, isolation_level=None, check_same_thread=False)
        undo.callback(db.close)
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA fullfsync = ON")  # macOS: a plain fsync may leave it in the drive's cache
        db.execute("PRAGMA foreign_keys = ON")
        db.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES_MAX}")
        db.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
        db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        db.execute("PRAGMA temp_store = MEMORY")  # what a savepoint would undo, which else goes to a file of its own
        undo.pop_all()
    return db


def connect_read_only(path: Path) -> sqlite3.Connection:
    """A connection that cannot write, for one thread at a time."""
    url = f"{path.absolute().as_uri()}?mode=ro"
    db = sqlite3.connect(url, uri=True, timeout=_BUSY_TIMEOUT_MS / 1000, isolation_level=None, check_same_thread=False)
    db.row_factory = sqlite3.Row
    return db


def _private(path: Path) -> int:
    """A descriptor of the file, made readable by its owner only where there was none."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unavailable("outbox", f"errno_{error.errno}") from None


@contextlib.contextmanager
def snapshot(db: sqlite3.Connection) -> Iterator[None]:
    """All reads inside see the file as of one instant."""
    db.execute("BEGIN")
    try:
        yield
    finally:
        db.execute("ROLLBACK")


class WorkerLock:
    """The right to work on one file, an advisory lock on `<file>.lock` that the system releases when a process dies."""

    def __init__(self, path: Path) -> None:
        """Take the lock, or raise Broken where another holds it."""
        self._path = path.with_name(path.name + ".lock")
        self._descriptor = _private(self._path)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise Broken(
                f"{path} is in use: another process works on it, and SQLite allows one. Stop that one first, or give this "
                "one a file of its own (AVVISO_OUTBOX__URL)",
                ExitCode.OUTBOX_IN_USE,
            ) from None
        except OSError as error:  # not every file system has such locks
            os.close(self._descriptor)
            raise Unavailable("outbox", f"errno_{error.errno}") from None

    def release(self) -> None:
        """Let go. The file stays: removing it would let two processes hold two locks of one name."""
        os.close(self._descriptor)
