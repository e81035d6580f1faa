import os
import shutil
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from consumer.adapters.outbox_sqlite import SqliteOutbox
from consumer.adapters.outbox_sqlite.room import room
from consumer.errors import Unavailable
from consumer.ports import Room
from tests.builders import NOW
from tests.outboxes import IDENTITY, numbered, recorded


def opened(path: Path) -> SqliteOutbox:
    return SqliteOutbox.open(path, identity=IDENTITY, now=NOW)


def test_the_backlog_is_counted_along_the_index_that_claims_walk(tmp_path: Path) -> None:
    statements: list[str] = []
    with opened(tmp_path / "outbox.db") as outbox:
        recorded(outbox, numbered(1), numbered(2, not_before=NOW + timedelta(hours=1)))
        outbox._reading.set_trace_callback(statements.append)
        assert outbox.backlog(NOW, at_most=10) == 1

    beside = sqlite3.connect(tmp_path / "outbox.db")
    plans = [
        row[3]
        for statement in statements
        if "count(*)" in statement
        for row in beside.execute(f"EXPLAIN QUERY PLAN {statement}")
    ]
    beside.close()
    assert [plan for plan in plans if "INDEX deliveries_due (rank=? AND not_before<?)" in plan]


def test_pages_that_the_file_holds_empty_are_room_to_write(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with opened(path) as outbox:
        outbox._writer.do(lambda db: db.execute("CREATE TABLE heap (content BLOB)").fetchall())
        outbox._writer.do(lambda db: db.execute("INSERT INTO heap VALUES (zeroblob(4000000))").fetchall())
        full = without_log(outbox, path)
        outbox._writer.do(lambda db: db.execute("DROP TABLE heap").fetchall())
        emptied = without_log(outbox, path)

    assert full.used_bytes - emptied.used_bytes > 3_500_000


def without_log(outbox: SqliteOutbox, path: Path) -> Room:
    beside = sqlite3.connect(path)
    beside.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    beside.close()
    return outbox.room()


def test_the_log_that_is_not_in_the_file_yet_counts(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with opened(path) as outbox:
        recorded(outbox, *(numbered(number) for number in range(200)))
        log_bytes = path.with_name("outbox.db-wal").stat().st_size
        assert outbox.room().used_bytes >= log_bytes > 0
        path.with_name("outbox.db-wal").unlink()
        assert outbox.room().used_bytes > 0


def test_what_is_free_is_what_an_ordinary_user_may_still_write(tmp_path: Path) -> None:
    disk = os.statvfs(tmp_path)
    with opened(tmp_path / "outbox.db") as outbox:
        free_bytes = outbox.room().free_bytes

    assert abs(free_bytes - disk.f_bavail * disk.f_frsize) < 2**30


def test_a_folder_that_went_away_is_unavailable(tmp_path: Path) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    with opened(folder / "outbox.db") as outbox:
        shutil.rmtree(folder)
        with pytest.raises(Unavailable):
            outbox.room()


def test_a_disk_that_cannot_be_asked_is_unavailable(tmp_path: Path) -> None:
    db = sqlite3.connect(":memory:")
    with pytest.raises(Unavailable, match="errno_2"):
        room(db, tmp_path / "nowhere" / "outbox.db")
    db.close()
