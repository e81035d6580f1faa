"""How old the preference table is: what it may have missed, and from when on it counts as of."""

import threading

import pytest

from consumer.core.preferences import Preferences
from consumer.core.record import Record
from tests.brokers import ContainerBrokers, Kafka, fresh_topic
from tests.builders import NOW
from tests.preference_topics import ONE_BY_ONE, Hands, OpenTable, eventually, language, lines, publish, wanted


def test_a_process_that_stood_still_for_longer_than_tombstones_are_kept_reads_its_table_anew(
    kafka: Kafka, open_table: OpenTable, caplog: pytest.LogCaptureFixture
) -> None:
    topic, hands = fresh_topic(kafka, "preferences"), Hands()
    frozen, thawed = threading.Event(), threading.Event()

    def decode(record: Record) -> Preferences:
        if record.value == b"anna:it" and not thawed.is_set():
            frozen.set()
            assert thawed.wait(60)
        return wanted(record)

    publish(kafka, topic, (b"anna", b"anna:en"), (b"john", b"john:en"))
    table = open_table(topic, decode=decode, now=hands.now, clock=hands.clock)
    eventually(table.ready)
    publish(kafka, topic, (b"anna", b"anna:it"))
    assert frozen.wait(30)
    hands.now_s = 33 * 3600.0  # the topic keeps them for a day
    thawed.set()

    eventually(lambda: table.ready() and language(table, "anna") == "it")

    assert [line["reason"] for line in lines(caplog, "preferences_rebuilt")] == ["too_long_away"]


def test_a_table_that_takes_longer_to_fill_than_tombstones_are_kept_is_not_begun_again_and_again(
    kafka: Kafka, open_table: OpenTable, caplog: pytest.LogCaptureFixture
) -> None:
    topic, hands = fresh_topic(kafka, "preferences"), Hands()
    names = [f"c{number}" for number in range(5)]
    publish(kafka, topic, *[(name.encode(), f"{name}:en".encode()) for name in names])

    def decode(record: Record) -> Preferences:
        hands.now_s += 7 * 3600.0  # the topic keeps them for a day
        return wanted(record)

    table = open_table(topic, decode=decode, now=hands.now, clock=hands.clock, pace=ONE_BY_ONE)
    eventually(table.ready)

    assert hands.now_s == len(names) * 7 * 3600.0, "each was read once"
    assert lines(caplog, "preferences_rebuilt") == []


def test_a_table_is_as_old_as_the_question_how_much_there_is_not_as_the_moment_when_all_of_it_was_read(
    kafka: Kafka, open_table: OpenTable
) -> None:
    topic, hands = fresh_topic(kafka, "preferences"), Hands()
    publish(kafka, topic, (b"anna", b"anna:en"))

    def decode(record: Record) -> Preferences:
        hands.now_s = 100.0
        return wanted(record)

    table = open_table(topic, decode=decode, now=hands.now, clock=lambda: 0.0)  # so that it does not ask again
    eventually(table.ready)

    state = table._tables.in_use.state
    assert state is not None
    assert state.synced_at == NOW


@pytest.mark.real
def test_one_whose_topic_lost_what_it_has_not_read_is_believed_no_more(
    kafka: ContainerBrokers, open_table: OpenTable, caplog: pytest.LogCaptureFixture
) -> None:
    topic = fresh_topic(kafka, "preferences", config={"cleanup.policy": "delete"})
    hands, reached = Hands(), {b"anna:it": threading.Event(), b"nora:en": threading.Event()}
    go_on = {value: threading.Event() for value in reached}

    def decode(record: Record) -> Preferences:
        value = record.value or b""
        if value in reached:
            reached[value].set()
            assert go_on[value].wait(30)
        return wanted(record)

    publish(kafka, topic, (b"anna", b"anna:en"))
    table = open_table(topic, decode=decode, now=hands.now, clock=hands.clock)
    eventually(table.ready)
    publish(kafka, topic, (b"anna", b"anna:it"))
    assert reached[b"anna:it"].wait(30)
    publish(kafka, topic, (b"john", b"john:en"), (b"nora", b"nora:en"))
    kafka.delete_records(topic, 0, 3)
    kafka.add_partitions(topic, 2)
    hands.now_s = 61.0  # then it looks how many there are
    go_on[b"anna:it"].set()
    assert reached[b"nora:en"].wait(30)

    assert not table.ready()
    go_on[b"nora:en"].set()
    eventually(table.ready)
    assert [line["reason"] for line in lines(caplog, "preferences_rebuilt")] == ["offsets_gone"]
