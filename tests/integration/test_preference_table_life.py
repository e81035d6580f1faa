"""The preference table from start to end: continued, begun anew, or the end of the process."""

import time
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from consumer.adapters.preference_table import Pace
from consumer.adapters.preference_table.lock import LOCK
from consumer.core.preferences import Preferences
from consumer.core.record import Record
from consumer.errors import Broken, ExitCode, Unavailable
from tests.brokers import ContainerBrokers, Kafka, embedded_brokers, fresh_topic
from tests.builders import NOW
from tests.preference_topics import HASTE, ONE_BY_ONE, OpenTable, eventually, follow, language, lines, publish, wanted


def test_a_restart_goes_on_where_it_was_left(kafka: Kafka, open_table: OpenTable) -> None:
    topic = fresh_topic(kafka, "preferences")
    publish(kafka, topic, (b"anna", b"anna:en"), (b"john", b"john:en"))
    first = open_table(topic)
    eventually(first.ready)
    first.close()
    publish(kafka, topic, (b"john", b"john:it"))
    read: list[int] = []

    def counted(record: Record) -> Preferences:
        read.append(record.position.offset)
        return wanted(record)

    second = open_table(topic, decode=counted)
    eventually(second.ready)

    assert read == [2]
    assert (language(second, "anna"), language(second, "john")) == ("en", "it")


@pytest.mark.real
def test_a_partition_that_is_added_to_the_topic_is_read_as_well_and_warned_of(
    kafka: ContainerBrokers, open_table: OpenTable, caplog: pytest.LogCaptureFixture
) -> None:
    topic = fresh_topic(kafka, "preferences")
    publish(kafka, topic, (b"anna", b"anna:en"))
    table = open_table(topic, pace=msgspec.structs.replace(HASTE, recheck_s=0.1))
    eventually(table.ready)

    kafka.add_partitions(topic, 2)
    publish(kafka, topic, (b"john", b"john:it"), partition=1)

    eventually(lambda: language(table, "john") == "it")
    eventually(table.ready)
    assert language(table, "anna") == "en"
    assert [line["partitions"] for line in lines(caplog, "preferences_spread")] == ["1"]


def test_a_first_fill_that_was_cut_short_goes_on_for_as_long_as_the_topic_keeps_its_tombstones(
    kafka: Kafka, open_table: OpenTable
) -> None:
    config = {"cleanup.policy": "compact", "delete.retention.ms": str(7 * 86_400_000)}
    topic = fresh_topic(kafka, "preferences", config=config)
    publish(kafka, topic, (b"anna", b"anna:en"), (b"john", b"john:en"))

    def cut_short(record: Record) -> Preferences:
        if record.key == b"john":
            raise Unavailable("registry", "503")
        return wanted(record)

    first = open_table(topic, decode=cut_short, pace=ONE_BY_ONE)
    eventually(lambda: first._tables.filled.customers == 1)
    first.close()
    read: list[int] = []

    def counted(record: Record) -> Preferences:
        read.append(record.position.offset)
        return wanted(record)

    second = open_table(
        topic, decode=counted, now=lambda: NOW + timedelta(days=3), pace=Pace(poll_s=0.02, retry_s=0.05)
    )
    eventually(second.ready)

    assert (read, second.customers) == ([1], 2)


def test_it_ends_while_the_registry_is_away(kafka: Kafka, open_table: OpenTable) -> None:
    topic = fresh_topic(kafka, "preferences")
    publish(kafka, topic, (b"anna", b"anna:en"))
    asked: list[Record] = []

    def away(record: Record) -> Preferences:
        asked.append(record)
        raise Unavailable("registry", "503")

    table = open_table(topic, decode=away)
    eventually(lambda: bool(asked))
    assert not table.ready()

    table.close()
    table.check()

    assert not table._thread.is_alive()


def test_another_topic_is_read_from_its_beginning(
    kafka: Kafka, open_table: OpenTable, caplog: pytest.LogCaptureFixture
) -> None:
    old, new = fresh_topic(kafka, "preferences"), fresh_topic(kafka, "preferences")
    publish(kafka, old, (b"anna", b"anna:en"))
    publish(kafka, new, (b"john", b"john:en"), (b"nora", b"nora:en"))
    first = open_table(old)
    eventually(first.ready)
    first.close()

    second = open_table(new)
    eventually(second.ready)

    assert [language(second, one) for one in ("anna", "john", "nora")] == [None, "en", "en"]
    assert [line["reason"] for line in lines(caplog, "preferences_rebuilt")] == ["other_topic"]


def test_an_offset_that_its_topic_no_longer_has_begins_anew(
    kafka: Kafka, open_table: OpenTable, caplog: pytest.LogCaptureFixture
) -> None:
    topic = fresh_topic(kafka, "preferences", config={"cleanup.policy": "delete"})
    publish(kafka, topic, (b"anna", b"anna:en"))
    first = open_table(topic)
    eventually(first.ready)
    first.close()
    publish(kafka, topic, (b"john", b"john:en"), (b"nora", b"nora:en"))
    kafka.delete_records(topic, 0, 2)

    second = open_table(topic)
    eventually(second.ready)

    assert [language(second, one) for one in ("anna", "john", "nora")] == [None, None, "en"]
    assert [line["reason"] for line in lines(caplog, "preferences_rebuilt")] == ["offsets_gone"]


def test_who_was_away_longer_than_tombstones_are_kept_begins_anew(
    kafka: Kafka, open_table: OpenTable, caplog: pytest.LogCaptureFixture
) -> None:
    topic = fresh_topic(kafka, "preferences")
    publish(kafka, topic, (b"anna", b"anna:en"))
    first = open_table(topic)
    eventually(first.ready)
    first.close()

    second = open_table(topic, now=lambda: NOW + timedelta(hours=13))
    eventually(second.ready)

    assert language(second, "anna") == "en"
    assert [line["reason"] for line in lines(caplog, "preferences_rebuilt")] == ["too_long_away"]


def test_who_was_away_for_less_than_that_goes_on(
    kafka: Kafka, open_table: OpenTable, caplog: pytest.LogCaptureFixture
) -> None:
    topic = fresh_topic(kafka, "preferences")
    publish(kafka, topic, (b"anna", b"anna:en"))
    first = open_table(topic)
    eventually(first.ready)
    first.close()

    second = open_table(topic, now=lambda: NOW + timedelta(hours=11))
    eventually(second.ready)

    assert lines(caplog, "preferences_rebuilt") == []


@pytest.mark.real
@pytest.mark.parametrize(
    ("kept_ms", "away", "reasons"),
    [
        (10_000, timedelta(seconds=6), ["too_long_away"]),
        (10_000, timedelta(seconds=4), []),
        (0, timedelta(seconds=1), ["too_long_away"]),
        (7 * 86_400_000, timedelta(days=3), []),
        (7 * 86_400_000, timedelta(days=4), ["too_long_away"]),
        (2**63 - 1, timedelta(days=300), []),
    ],
)
def test_the_topic_itself_says_how_long_it_keeps_tombstones(
    kafka: Kafka,
    open_table: OpenTable,
    caplog: pytest.LogCaptureFixture,
    kept_ms: int,
    away: timedelta,
    reasons: list[str],
) -> None:
    config = {"cleanup.policy": "compact", "delete.retention.ms": str(kept_ms)}
    topic, pace = fresh_topic(kafka, "preferences", config=config), Pace(poll_s=0.02, retry_s=0.05)
    publish(kafka, topic, (b"anna", b"anna:en"))
    first = open_table(topic, pace=pace)
    eventually(first.ready)
    first.close()

    second = open_table(topic, pace=pace, now=lambda: NOW + away)
    eventually(second.ready)

    assert [line["reason"] for line in lines(caplog, "preferences_rebuilt")] == reasons
    assert lines(caplog, "topic_untold") == []


def test_brokers_that_do_not_say_hold_up_no_first_start_and_each_other_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pace = Pace(poll_s=0.02, retry_s=0.05, question_timeout_s=0.5)
    with embedded_brokers() as kafka:
        kafka.create_topic("preferences")
        publish(kafka, "preferences", (b"anna", b"anna:en"))
        began_s = time.monotonic()
        with follow(kafka, tmp_path, "preferences", pace=msgspec.structs.replace(pace, question_timeout_s=60)) as first:
            eventually(first.ready)
        with follow(kafka, tmp_path, "preferences", pace=pace) as second:
            eventually(second.ready)

    assert time.monotonic() - began_s < 10
    assert [line["what"] for line in lines(caplog, "topic_untold")] == ["delete.retention.ms", "topic id"]


def test_a_table_that_may_not_grow_any_more_ends_the_process(kafka: Kafka, open_table: OpenTable) -> None:
    topic = fresh_topic(kafka, "preferences")
    publish(kafka, topic, *[(b"c%d" % number, b"c%d:en" % number) for number in range(200)])

    table = open_table(topic, size_max_bytes=2**16)

    eventually(lambda: not table._thread.is_alive())

    with pytest.raises(Broken, match="is full") as refused:
        table.check()
    assert refused.value.exit_code == ExitCode.PREFERENCES_DAMAGED
    assert not table.ready()


def test_what_the_following_thread_dies_of_is_heard(kafka: Kafka, open_table: OpenTable) -> None:
    topic = fresh_topic(kafka, "preferences")
    publish(kafka, topic, (b"anna", b"anna:en"))

    def defect(_: Record) -> Preferences:
        raise ZeroDivisionError

    table = open_table(topic, decode=defect)
    eventually(lambda: not table._thread.is_alive())

    with pytest.raises(ZeroDivisionError):
        table.check()
    assert not table.ready()


def test_a_folder_that_cannot_be_used_ends_the_process(open_table: OpenTable, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(Broken, match="cannot be used") as refused:
        open_table("topic", path=tmp_path / "file")

    assert refused.value.exit_code == ExitCode.PREFERENCES_DAMAGED


def test_only_the_process_itself_may_read_the_customers_numbers(
    kafka: Kafka, open_table: OpenTable, tmp_path: Path
) -> None:
    table = open_table(fresh_topic(kafka, "preferences"))
    eventually(lambda: not table._tables.is_rebuilding)
    table.close()

    assert (tmp_path / "preferences").stat().st_mode & 0o077 == 0
    inside = list((tmp_path / "preferences").rglob("*"))
    assert [path.stat().st_mode & 0o077 for path in inside] == [0, 0, 0, 0]
    assert {path.name for path in inside} == {"1", "data.mdb", "lock.mdb", LOCK}
