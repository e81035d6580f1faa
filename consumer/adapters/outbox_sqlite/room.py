"""How much of the disk the file takes, and how much is left."""

import os
import sqlite3
from pathlib import Path

from consumer.errors import Unavailable
from consumer.ports import Room


def room(db: sqlite3.Connection, path: Path) -> Room:
    """The file's pages in use and its write-ahead log; free is what an ordinary user may still write there.

    Raises Unavailable where the folder cannot be asked.
    """
    pages, empty, page_bytes = (
        int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "freelist_count", "page_size")
    )
    try:
        disk = os.statvfs(path.parent)
        log_bytes = _size(path.with_name(path.name + "-wal"))
    except OSError as error:
        raise Unavailable("outbox", f"errno_{error.errno}") from None
    return Room(
        used_bytes=(pages - empty) * page_bytes + log_bytes,
        free_bytes=disk.f_bavail * disk.f_frsize + empty * page_bytes,
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0  # SQLite removes its log when it has written all of it into the file
