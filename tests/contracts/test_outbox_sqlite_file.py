import contextlib
import errno
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pytest

from consumer.adapters.outbox_sqlite import SqliteOutbox, SqliteOutboxReader, schema, sweeping
from consumer.core.delivery import State
from consumer.core.notice import Change
from consumer.errors import Broken, ExitCode, Unavailable
from tests.builders import NOW, PHONE
from tests.outboxes import IDENTITY, PATIENCE, UNDONE, accepted, begun, numbered, once, recorded


def opened(path: Path, identity: Mapping[str, str] = IDENTITY) -> SqliteOutbox:
    return SqliteOutbox.open(path, identity=identity, now=NOW)


def raw(path: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        for statement in statements:
            db.execute(statement)


def refused(path: Path, identity: Mapping[str, str] = IDENTITY) -> Broken:
    with pytest.raises(Broken) as caught:
        opened(path, identity).close()
    return caught.value


def test_a_second_worker_on_the_file_is_refused_until_the_first_has_gone(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with opened(path):
        problem = refused(path)
        assert problem.exit_code == ExitCode.OUTBOX_IN_USE
        assert str(path) in str(problem)

    opened(path).close()


def test_a_file_system_without_locks_is_not_taken_for_another_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "canary")

    monkeypatch.setattr("fcntl.flock", refuse)

    with pytest.raises(Unavailable, match=f"errno_{errno.ENOTSUP}"):
        opened(tmp_path / "outbox.db")


def test_another_name_of_the_file_is_the_same_file(tmp_path: Path) -> None:
    (tmp_path / "alias.db").symlink_to(tmp_path / "outbox.db")

    with opened(tmp_path / "outbox.db"):
        assert refused(tmp_path / "alias.db").exit_code == ExitCode.OUTBOX_IN_USE


def test_a_worker_in_another_process_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    code = (
        "import sys; from pathlib import Path; from tests.builders import NOW; from tests.outboxes import IDENTITY\n"
        "from consumer.adapters.outbox_sqlite import SqliteOutbox; from consumer.errors import Broken\n"
        "try: SqliteOutbox.open(Path(sys.argv[1]), identity=IDENTITY, now=NOW).close()\n"
        "except Broken as problem: sys.exit(problem.exit_code)"
    )

    with opened(path):
        done = subprocess.run([sys.executable, "-c", code, str(path)], check=False, cwd=Path(__file__).parents[2])

    assert done.returncode == ExitCode.OUTBOX_IN_USE


def test_a_file_that_could_not_be_opened_is_not_left_locked(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    opened(path).close()

    refused(path, {**IDENTITY, "group": "another"})

    opened(path).close()


def test_the_file_remembers_whose_it_is_and_names_each_difference(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    opened(path).close()

    problem = refused(path, {"cluster": "cluster-2", "group": "avviso"})

    assert problem.exit_code == ExitCode.OUTBOX_FOREIGN
    assert "cluster was cluster-1, now is cluster-2" in str(problem)
    assert "topics was bank.balances.v1,bank.transactions.v1, now is (none)" in str(problem)
    assert "group was" not in str(problem)


def test_another_programs_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "browser.db"
    raw(path, "CREATE TABLE bookmarks (url TEXT)")

    problem = refused(path)

    assert problem.exit_code == ExitCode.OUTBOX_FOREIGN
    beside = sqlite3.connect(path)
    assert beside.execute("SELECT count(*) FROM sqlite_master").fetchone() == (1,)
    beside.close()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to be looked at as one " * 40)

    assert refused(path).exit_code == ExitCode.OUTBOX_DAMAGED


def test_a_newer_versions_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    opened(path).close()
    raw(path, f"PRAGMA user_version = {schema.VERSION + 1}")

    problem = refused(path)

    assert problem.exit_code == ExitCode.OUTBOX_SCHEMA
    assert f"its schema is {schema.VERSION + 1}, this version knows {schema.VERSION}" in str(problem)


def test_an_older_file_is_migrated_once_and_keeps_its_notices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "outbox.db"
    with opened(path) as outbox:
        recorded(outbox, numbered(1))
    monkeypatch.setattr(
        "consumer.adapters.outbox_sqlite.opening.MIGRATIONS", (*schema.MIGRATIONS, ("CREATE TABLE x (y)",))
    )
    monkeypatch.setattr("consumer.adapters.outbox_sqlite.opening.VERSION", schema.VERSION + 1)

    for _ in range(2):
        with opened(path), SqliteOutboxReader.open(path) as reader:
            assert reader.stats()["pending"] == 1

    raw(path, "INSERT INTO x VALUES (1)")


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "outbox.db"
    opened(path).close()
    broken = ("CREATE TABLE x (y)", "CREATE TABLE x (y)")
    with monkeypatch.context() as patched:
        patched.setattr("consumer.adapters.outbox_sqlite.opening.MIGRATIONS", (*schema.MIGRATIONS, broken))
        patched.setattr("consumer.adapters.outbox_sqlite.opening.VERSION", schema.VERSION + 1)
        refused(path)

    opened(path).close()


def test_a_disk_that_is_full_at_the_start_is_called_that_white_box(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(db: sqlite3.Connection, _: datetime) -> int:
        db.execute("ROLLBACK")  # as SQLite does itself where it finds no room
        problem = sqlite3.OperationalError("database or disk is full")
        problem.sqlite_errorname = "SQLITE_FULL"
        raise problem

    monkeypatch.setattr(sweeping, "recover", full)

    with pytest.raises(Unavailable, match=r"outbox is unavailable \(full\)"):
        opened(tmp_path / "outbox.db")


def test_every_commit_is_on_the_disk_when_it_returns(tmp_path: Path) -> None:
    with opened(tmp_path / "outbox.db") as outbox:
        settings = outbox._writer.do(
            lambda db: {
                name: db.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
        )

    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


def test_what_a_batch_may_have_to_undo_is_kept_in_memory_and_in_no_file_of_another_name(tmp_path: Path) -> None:
    with opened(tmp_path / "outbox.db") as outbox:
        (temp_store,) = outbox._writer.do(lambda db: db.execute("PRAGMA temp_store").fetchone())

    assert temp_store == 2


def test_a_batch_has_room_in_memory_and_in_the_log_which_stays_far_below_the_smallest_limit(tmp_path: Path) -> None:
    with opened(tmp_path / "outbox.db") as outbox:
        cache_kib, log_pages, log_bytes, page_bytes = outbox._writer.do(
            lambda db: [
                db.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("cache_size", "wal_autocheckpoint", "journal_size_limit", "page_size")
            ]
        )

    assert (cache_kib, log_pages, log_bytes) == (-16 * 1024, 4_000, 4_000 * page_bytes)
    assert 4 * log_bytes < 2**26


def test_the_schema_knows_exactly_the_states_of_the_machine(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with opened(path) as outbox:
        recorded(outbox, numbered(1))

    raw(path, *(f"UPDATE deliveries SET state = '{state.value}'" for state in State))
    with pytest.raises(sqlite3.IntegrityError):
        raw(path, "UPDATE deliveries SET state = 'lost'")


@pytest.mark.parametrize(
    "statement", ["UPDATE history SET state = 'held'", "DELETE FROM history", "UPDATE notices SET facts = '{}'"]
)
def test_history_and_notices_cannot_be_rewritten(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "outbox.db"
    with opened(path) as outbox:
        recorded(outbox, numbered(1))
        begun(outbox)

    with pytest.raises(sqlite3.IntegrityError):
        raw(path, statement)


def test_claiming_sweeping_and_asking_what_is_due_walk_an_index_and_sort_nothing(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    statements: list[str] = []
    with opened(path) as outbox:
        recorded(outbox, numbered(1))
        outbox._writer.do(lambda db: db.set_trace_callback(statements.append))
        outbox._reading.set_trace_callback(statements.append)
        outbox.settle(begun(outbox), accepted(), NOW)
        outbox.sweep(NOW, PATIENCE)
        outbox.due_at()
        outbox.record([Change(cancellation=UNDONE)], NOW).durable()

    beside = sqlite3.connect(path)
    plans = {
        row[3]
        for statement in statements
        if statement.startswith("SELECT")
        for row in beside.execute(f"EXPLAIN QUERY PLAN {statement}")
    }
    beside.close()
    assert plans
    assert not [plan for plan in plans if (plan.startswith("SCAN") and "INDEX" not in plan) or "TEMP B-TREE" in plan]


def test_a_reader_beside_the_worker_neither_waits_nor_writes(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with opened(path) as outbox, SqliteOutboxReader.open(path) as reader:
        recorded(outbox, numbered(1))
        assert reader.stats()["pending"] == 1
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader._db.execute("DELETE FROM occurrences")


def test_a_reader_works_where_no_worker_does(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with opened(path) as outbox:
        recorded(outbox, numbered(1))

    with SqliteOutboxReader.open(path) as reader:
        assert reader.stats()["pending"] == 1


def test_there_is_nothing_to_read_where_there_is_no_outbox(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()

    for name in ("none.db", "empty.db"):
        with pytest.raises(Broken) as caught:
            SqliteOutboxReader.open(tmp_path / name)
        assert caught.value.exit_code == ExitCode.OUTBOX_FOREIGN
    assert not (tmp_path / "none.db").exists()


def test_a_folder_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        opened(tmp_path / "nowhere" / "outbox.db")


def test_the_file_can_be_read_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with opened(path) as outbox:
        recorded(outbox, numbered(1))
        modes = {file.name: file.stat().st_mode & 0o077 for file in tmp_path.iterdir()}

    assert len(modes) == 4
    assert set(modes.values()) == {0}


def test_no_phone_number_and_no_error_text_of_sqlite_comes_out(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with opened(path) as outbox:
        recorded(outbox, numbered(1, occurrences=(once(),)))
        outbox._writer.do(lambda db: db.execute("DROP TABLE standings"))
        change = Change(notice=numbered(2, facts={"note": PHONE}))
        outbox._writer.do(lambda db: db.execute("ALTER TABLE notices RENAME COLUMN facts TO fakts"))

        with pytest.raises(Broken) as caught:
            outbox.record([change], NOW).durable()

    assert PHONE not in str(caught.value)
    assert "facts" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
