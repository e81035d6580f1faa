import resource
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from consumer.adapters.outbox_sqlite.connection import connect
from consumer.adapters.outbox_sqlite.writer import Writer
from consumer.errors import Broken, ExitCode, Unavailable

PATIENCE_S = 10.0
_PARENTS = "CREATE TABLE parents (id INTEGER PRIMARY KEY)"
_CHILDREN = "CREATE TABLE children (parent INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED)"


class Traced:
    """A writer on a table of numbers that notes each statement."""

    def __init__(self, path: Path) -> None:
        db = connect(path)
        db.execute("CREATE TABLE numbers (number INTEGER CHECK (number < 100))")
        db.execute(_PARENTS)
        db.execute(_CHILDREN)
        db.execute("PRAGMA busy_timeout = 1")
        self.path = path
        self.statements: list[str] = []
        db.set_trace_callback(self.statements.append)
        self.watch = db.set_trace_callback
        self.writer = Writer(db)

    def waiting(self) -> int:
        return self.writer._pieces.qsize()

    def numbers(self) -> list[int]:
        beside = sqlite3.connect(self.path)
        found = [row[0] for row in beside.execute("SELECT number FROM numbers ORDER BY number")]
        beside.close()
        return found


@pytest.fixture
def traced(tmp_path: Path) -> Iterator[Traced]:
    made = Traced(tmp_path / "numbers.db")
    yield made
    made.writer.close()


def inserting(number: int) -> Callable[[sqlite3.Connection], int]:
    def work(db: sqlite3.Connection) -> int:
        db.execute("INSERT INTO numbers VALUES (?)", (number,))
        return number

    return work


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def together(traced: Traced, *works: Callable[[sqlite3.Connection], int]) -> list[Future[int]]:
    """Ask for all of it while the writer is busy, so that it becomes one group."""
    held, release = threading.Event(), threading.Event()

    def hold(_: sqlite3.Connection) -> None:
        held.set()
        assert release.wait(PATIENCE_S)

    with ThreadPoolExecutor(len(works) + 1) as callers:
        callers.submit(traced.writer.do, hold)
        assert held.wait(PATIENCE_S)
        answers = []
        for place, work in enumerate(works, 1):
            answers.append(callers.submit(traced.writer.do, work))
            until(lambda place=place: traced.waiting() == place)  # type: ignore[misc]
        traced.statements.clear()
        release.set()
    return answers


def test_what_arrives_together_is_committed_together(traced: Traced) -> None:
    answers = together(traced, *(inserting(number) for number in range(5)))

    assert [answer.result() for answer in answers] == [0, 1, 2, 3, 4]
    assert traced.statements.count("COMMIT") == 2, "one of the work that held the writer up, one of all the rest"


def test_one_that_fails_undoes_only_itself(traced: Traced) -> None:
    def failing(db: sqlite3.Connection) -> int:
        db.execute("INSERT INTO numbers VALUES (66)")
        raise KeyError("mine")

    first, second, third = together(traced, inserting(1), failing, inserting(3))

    assert (first.result(), third.result()) == (1, 3)
    with pytest.raises(KeyError):
        second.result()
    assert traced.numbers() == [1, 3]


def test_what_the_schema_refuses_is_no_outage_and_quotes_nothing(traced: Traced) -> None:
    good, bad = together(traced, inserting(1), inserting(777))

    assert good.result() == 1
    with pytest.raises(Broken, match=r"CONSTRAINT_CHECK") as caught:
        bad.result()
    assert "777" not in str(caught.value)


def test_an_answer_comes_only_after_the_commit(traced: Traced) -> None:
    for number in range(20):
        traced.writer.do(inserting(number))

        assert traced.numbers() == list(range(number + 1))


def test_who_only_begins_goes_on_while_the_commit_is_under_way(traced: Traced) -> None:
    committing, gone_on = threading.Event(), threading.Event()

    def see(statement: str) -> None:
        if statement == "COMMIT":
            committing.set()
            assert gone_on.wait(PATIENCE_S), "nobody waits for the commit but who asks what became of it"

    traced.watch(see)

    piece = traced.writer.begin(inserting(1))

    assert committing.wait(PATIENCE_S)
    assert traced.numbers() == []
    gone_on.set()
    assert piece.durable() == 1
    assert traced.numbers() == [1]


def test_what_fails_when_begun_fails_at_once(traced: Traced) -> None:
    with pytest.raises(Broken, match=r"CONSTRAINT_CHECK"):
        traced.writer.begin(inserting(777))

    assert traced.numbers() == []


def test_what_the_commit_refuses_is_told_to_who_asks_and_nothing_of_it_is_there(traced: Traced) -> None:
    def orphan(db: sqlite3.Connection) -> int:
        db.execute("INSERT INTO numbers VALUES (1)")
        db.execute("INSERT INTO children VALUES (7)")
        return 1

    with pytest.raises(Broken, match=r"CONSTRAINT_FOREIGNKEY"):
        traced.writer.begin(orphan).durable()

    assert traced.numbers() == []
    assert traced.writer.do(inserting(2)) == 2


def test_a_commit_that_finds_no_room_is_unavailable_to_who_asks_and_can_be_done_again(traced: Traced) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(db: sqlite3.Connection) -> int:
        resource.setrlimit(resource.RLIMIT_FSIZE, (traced.path.with_name("numbers.db-wal").stat().st_size, hard))
        db.executemany("INSERT INTO numbers VALUES (?)", [(1,)] * 1000)
        return 1

    try:
        with pytest.raises(Unavailable, match=r"full|ioerr"):
            traced.writer.begin(fill).durable()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert traced.numbers() == []
    assert traced.writer.begin(inserting(1)).durable() == 1


def test_a_file_locked_by_another_is_unavailable_and_free_again_later(traced: Traced) -> None:
    operator = sqlite3.connect(traced.path, isolation_level=None)
    operator.execute("BEGIN IMMEDIATE")

    with pytest.raises(Unavailable) as caught:
        traced.writer.do(inserting(1))
    operator.execute("ROLLBACK")
    operator.close()

    assert (caught.value.what, caught.value.code) == ("outbox", "busy")
    assert traced.writer.do(inserting(2)) == 2
    assert traced.numbers() == [2]


def test_a_full_disk_undoes_the_whole_group_and_tells_each_caller(traced: Traced) -> None:
    def fill(db: sqlite3.Connection) -> int:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages}")
        db.executemany("INSERT INTO numbers VALUES (?)", [(1,)] * 10_000)
        return 0

    answers = together(traced, inserting(1), fill, inserting(3))

    for answer in answers:
        with pytest.raises(Unavailable, match="full"):
            answer.result()
    assert traced.numbers() == []
    traced.writer.do(lambda db: db.execute("PRAGMA max_page_count = 1000000"))
    assert traced.writer.do(inserting(4)) == 4


def test_closing_finishes_what_was_asked_for(tmp_path: Path) -> None:
    traced = Traced(tmp_path / "numbers.db")
    held, release = threading.Event(), threading.Event()

    def hold(_: sqlite3.Connection) -> None:
        held.set()
        assert release.wait(PATIENCE_S)

    with ThreadPoolExecutor(3) as callers:
        callers.submit(traced.writer.do, hold)
        assert held.wait(PATIENCE_S)
        asked = callers.submit(traced.writer.do, inserting(1))
        until(lambda: traced.waiting() == 1)
        closing = callers.submit(traced.writer.close)
        until(lambda: traced.waiting() == 2)
        release.set()
        closing.result(PATIENCE_S)

    assert asked.result() == 1
    assert traced.numbers() == [1]


def test_a_closed_writer_is_unavailable_and_may_be_closed_again(traced: Traced) -> None:
    traced.writer.close()

    with pytest.raises(Unavailable, match="closed"):
        traced.writer.do(inserting(1))
    traced.writer.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_death_of_the_writer_reaches_whoever_waits_and_whoever_asks_later(traced: Traced) -> None:
    def die(_: sqlite3.Connection) -> int:
        raise SystemExit

    waiting, dying, behind = together(traced, inserting(1), die, inserting(3))

    for answer in (waiting, dying, behind):
        with pytest.raises(Broken) as caught:
            answer.result()
        assert caught.value.exit_code == ExitCode.OUTBOX_DAMAGED
    with pytest.raises(Broken, match="writer has died"):
        traced.writer.do(inserting(4))
    assert traced.numbers() == []
