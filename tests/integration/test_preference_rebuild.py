"""A table that does not fit its topic any more is read anew beside the old one, and replaces it where it is believed."""

import multiprocessing
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.synchronize import Event
from pathlib import Path

import msgspec
import pytest

from consumer.adapters.preference_table import Pace
from consumer.adapters.preference_table.lock import LOCK
from consumer.core.preferences import Preferences
from consumer.core.record import Record
from consumer.core.shrinkage import Shrinkage
from consumer.errors import Unavailable
from tests.brokers import ContainerBrokers, Kafka, fresh_topic
from tests.builders import NOW
from tests.fakes import Drawer
from tests.preference_topics import (
    ONE_BY_ONE,
    OpenTable,
    eventually,
    language,
    lines,
    publish,
    rebuild_and_hang,
    wanted,
)

LATER = NOW + timedelta(days=2)
CUSTOMERS = 50


def many(kafka: Kafka, topic: str, count: int, *, language: str = "en") -> None:
    publish(kafka, topic, *[(b"c%d" % number, b"c%d:%s" % (number, language.encode())) for number in range(count)])


@pytest.fixture
def folders(tmp_path: Path) -> Callable[[], list[str]]:
    return lambda: sorted(entry.name for entry in (tmp_path / "preferences").iterdir() if entry.name != LOCK)


def of(kafka: Kafka, open_table: OpenTable, count: int) -> str:
    """A topic with so many customers, and a table of it that was closed."""
    topic = fresh_topic(kafka, "preferences")
    many(kafka, topic, count)
    table = open_table(topic)
    eventually(table.ready)
    table.close()
    return topic


def test_the_old_one_is_kept_and_not_believed_until_the_new_one_is_whole(
    kafka: Kafka, open_table: OpenTable, folders: Callable[[], list[str]]
) -> None:
    topic, waits = of(kafka, open_table, 2), True

    def decode(record: Record) -> Preferences:
        if waits and record.key == b"c1":
            raise Unavailable("registry", "503")
        return msgspec.structs.replace(wanted(record), language="it")

    table = open_table(topic, decode=decode, now=lambda: LATER, pace=ONE_BY_ONE)
    eventually(lambda: table._tables.filled.customers == 1)

    assert (table.ready(), language(table, "c0"), language(table, "c1"), folders()) == (False, "en", "en", ["1", "2"])
    waits = False
    eventually(table.ready)
    assert (language(table, "c0"), language(table, "c1"), folders()) == ("it", "it", ["2"])


def test_one_that_lost_more_than_a_tenth_is_an_alarm_and_waits_until_the_topic_is_whole_again(
    kafka: Kafka, open_table: OpenTable, caplog: pytest.LogCaptureFixture, folders: Callable[[], list[str]]
) -> None:
    of(kafka, open_table, 20)
    topic = fresh_topic(kafka, "preferences")
    many(kafka, topic, 5)
    caplog.set_level("INFO", "avviso")

    table = open_table(topic)
    eventually(lambda: bool(lines(caplog, "preferences_shrunken")))

    [alarm] = lines(caplog, "preferences_shrunken")
    assert (alarm["topic"], alarm["customers"], alarm["customers_before"]) == (topic, 5, 20)
    assert "avviso run --accept-preferences 5/20" in alarm["remedy"]
    assert [entry.levelname for entry in caplog.records if entry.getMessage() == "preferences_shrunken"] == ["ERROR"]
    assert (table.ready(), folders()) == (False, ["1", "2"])

    many(kafka, topic, 18, language="it")
    eventually(table.ready)
    assert (table.customers, language(table, "c1"), folders()) == (18, "it", ["2"])
    assert len(lines(caplog, "preferences_shrunken")) == 1
    [replaced] = lines(caplog, "preferences_replaced")
    assert (replaced["customers"], replaced["customers_before"]) == (18, 20)


def test_an_operator_may_accept_it_and_has_accepted_no_other(
    kafka: Kafka, open_table: OpenTable, caplog: pytest.LogCaptureFixture
) -> None:
    of(kafka, open_table, 20)
    accepted = Shrinkage(after=4, before=20)
    smaller, smallest = fresh_topic(kafka, "preferences"), fresh_topic(kafka, "preferences")
    many(kafka, smaller, 5)
    many(kafka, smallest, 4)

    table = open_table(smaller, accepted=accepted)
    eventually(table.ready)
    assert (table.customers, lines(caplog, "preferences_shrunken")) == (5, [])
    table.close()

    again = open_table(smallest, accepted=accepted)
    eventually(lambda: bool(lines(caplog, "preferences_shrunken")))
    assert not again.ready()


def test_a_topic_named_by_mistake_costs_nothing_once_the_mistake_is_mended(
    kafka: Kafka, open_table: OpenTable, caplog: pytest.LogCaptureFixture, folders: Callable[[], list[str]]
) -> None:
    topic, wrong = of(kafka, open_table, 20), fresh_topic(kafka, "preferences")
    mistaken = open_table(wrong)
    eventually(lambda: bool(lines(caplog, "preferences_shrunken")))
    mistaken.close()
    read: list[int] = []

    def counted(record: Record) -> Preferences:
        read.append(record.position.offset)
        return wanted(record)

    mended = open_table(topic, decode=counted)
    eventually(mended.ready)

    assert (mended.customers, read, folders()) == (20, [], ["1"])


@pytest.mark.real
@pytest.mark.parametrize("running", [True, False], ids=["running", "stopped"])
def test_a_topic_that_was_made_again_is_read_from_its_beginning_although_it_has_as_many_records(
    kafka: ContainerBrokers, open_table: OpenTable, caplog: pytest.LogCaptureFixture, running: bool
) -> None:
    topic, pace = fresh_topic(kafka, "preferences"), Pace(poll_s=0.02, retry_s=0.05, recheck_s=0.2)
    publish(kafka, topic, (b"c0", b"garbage"))
    many(kafka, topic, 10)
    drawer = Drawer()
    table = open_table(topic, pace=pace, dead_letters=drawer)
    eventually(table.ready)
    eventually(lambda: (state := table._tables.in_use.state) is not None and state.source.topic_id is not None)
    if not running:
        table.close()

    kafka.recreate_topic(topic)
    publish(kafka, topic, (b"c1", b"garbage"))
    many(kafka, topic, 15, language="it")
    if not running:
        table = open_table(topic, pace=pace, dead_letters=drawer)
    eventually(lambda: table.ready() and table.customers == 15)

    assert {language(table, f"c{number}") for number in range(15)} == {"it"}
    assert "topic_made_again" in [line["reason"] for line in lines(caplog, "preferences_rebuilt")]
    assert [(letter.record.key, letter.record.position.offset) for letter in drawer.letters] == [(b"c0", 0), (b"c1", 0)]


def test_values_that_changed_their_shape_are_read_anew_white_box(
    kafka: Kafka, open_table: OpenTable, caplog: pytest.LogCaptureFixture
) -> None:
    topic = fresh_topic(kafka, "preferences")
    many(kafka, topic, 2)
    first = open_table(topic)
    eventually(first.ready)
    first._stopping.set()
    first._thread.join()
    state = first._tables.in_use.state
    assert state is not None
    older = msgspec.structs.replace(state, source=msgspec.structs.replace(state.source, shape="older"))
    first._tables.filled.write({"c1": None}, older)
    first.close()

    second = open_table(topic)
    eventually(second.ready)

    assert second.customers == 2
    assert [line["reason"] for line in lines(caplog, "preferences_rebuilt")] == ["other_shape"]


@pytest.mark.parametrize("written", [0, 30])
def test_who_is_killed_while_a_table_is_read_anew_goes_on_with_it(
    kafka: Kafka, open_table: OpenTable, tmp_path: Path, folders: Callable[[], list[str]], written: int
) -> None:
    topic = of(kafka, open_table, CUSTOMERS)
    spawning = multiprocessing.get_context("spawn")
    hangs: Event = spawning.Event()
    folder = tmp_path / "preferences"
    process = spawning.Process(
        target=rebuild_and_hang, args=(kafka.bootstrap_servers, folder, topic, LATER, written, hangs)
    )
    process.start()
    try:
        assert hangs.wait(60)
        assert folders() == ["1", "2"]
    finally:
        process.kill()
        process.join()
    read: list[int] = []

    def counted(record: Record) -> Preferences:
        read.append(record.position.offset)
        return msgspec.structs.replace(wanted(record), language="it")

    table = open_table(topic, decode=counted, now=lambda: LATER)
    eventually(table.ready)

    assert process.exitcode == -9
    assert (min(read), table.customers, folders()) == (written, CUSTOMERS, ["2"])
    assert language(table, f"c{CUSTOMERS - 1}") == "it"
