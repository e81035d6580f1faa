"""Preferences that can never be read: a dead letter, once, and nothing optional until their customer is heard again."""

from datetime import timedelta

import pytest

from consumer.core.preferences import Preferences
from consumer.core.record import Record
from consumer.ports import DeadLetter
from tests.brokers import Kafka, fresh_topic
from tests.builders import NOW, preferences
from tests.fakes import Drawer
from tests.preference_topics import OpenTable, eventually, language, lines, publish, wanted


def of(letters: list[DeadLetter]) -> list[tuple[str, int]]:
    return [(letter.reason, letter.record.position.offset) for letter in letters]


def test_what_cannot_be_read_suspends_its_customer_until_a_good_record_comes(
    kafka: Kafka, open_table: OpenTable, caplog: pytest.LogCaptureFixture
) -> None:
    topic, drawer = fresh_topic(kafka, "preferences"), Drawer()
    publish(kafka, topic, (b"anna", b"anna:it"), (b"john", b"john:en"))
    table = open_table(topic, dead_letters=drawer)
    eventually(table.ready)

    publish(kafka, topic, (b"anna", b"garbage"))
    eventually(lambda: (found := table.get("anna")) is not None and found.suspended)

    found, other = table.get("anna"), table.get("john")
    assert found is not None
    assert other is not None
    assert found == preferences(customer_id="anna", language="it", position=found.position).after_unreadable()
    assert not other.suspended
    assert table.ready()
    assert of(drawer.letters) == [("test", 2)]
    assert drawer.letters[0].record.value == b"garbage"
    [alarm] = lines(caplog, "preference_refused")
    assert (alarm["reason"], alarm["topic"], alarm["partition"], alarm["offset"]) == ("test", topic, 0, 2)
    assert [entry.levelname for entry in caplog.records if entry.getMessage() == "preference_refused"] == ["ERROR"]

    publish(kafka, topic, (b"anna", b"anna:de"))
    eventually(lambda: language(table, "anna") == "de")
    found = table.get("anna")
    assert found is not None
    assert not found.suspended


def test_a_tombstone_ends_a_suspension_too(kafka: Kafka, open_table: OpenTable) -> None:
    topic = fresh_topic(kafka, "preferences")
    publish(kafka, topic, (b"anna", b"anna:en"), (b"john", b"john:en"), (b"anna", b"garbage"))
    table = open_table(topic)
    eventually(table.ready)
    assert table.customers == 2

    publish(kafka, topic, (b"anna", None))

    eventually(lambda: table.customers == 1)
    assert table.get("anna") is None


def test_a_customer_of_whom_nothing_was_known_before_stays_unknown(kafka: Kafka, open_table: OpenTable) -> None:
    topic, drawer = fresh_topic(kafka, "preferences"), Drawer()
    publish(kafka, topic, (b"anna", b"garbage"), (b"john", b"john:en"))

    table = open_table(topic, dead_letters=drawer)
    eventually(table.ready)

    assert (table.get("anna"), table.customers) == (None, 1)
    assert of(drawer.letters) == [("test", 0)]


@pytest.mark.parametrize("key", [None, b"", b"\xff", b"x" * 512], ids=["none", "empty", "no UTF-8", "too long"])
def test_a_record_under_a_key_that_is_no_customers_is_set_aside_and_suspends_nobody(
    kafka: Kafka, open_table: OpenTable, key: bytes | None
) -> None:
    topic, drawer = fresh_topic(kafka, "preferences"), Drawer()
    publish(kafka, topic, (b"anna", b"anna:en"), (key, b"anna:it"), (b"nora", b"nora:en"))

    table = open_table(topic, dead_letters=drawer)
    eventually(table.ready)

    found = table.get("anna")
    assert found is not None
    assert (found.language, found.suspended, table.get("x" * 512), table.customers) == ("en", False, None, 2)
    assert of(drawer.letters) == [("unusable_key", 1)]


def test_a_record_under_another_customers_key_is_set_aside_and_suspends_the_one_of_the_key(
    kafka: Kafka, open_table: OpenTable
) -> None:
    topic, drawer = fresh_topic(kafka, "preferences"), Drawer()
    publish(kafka, topic, (b"anna", b"anna:en"), (b"john", b"john:en"), (b"john", b"anna:it"))

    table = open_table(topic, dead_letters=drawer)
    eventually(table.ready)

    anna, john = table.get("anna"), table.get("john")
    assert anna is not None
    assert john is not None
    assert (anna.language, anna.suspended, john.language, john.suspended) == ("en", False, "en", True)
    assert of(drawer.letters) == [("key_is_another_customer", 2)]


def test_no_offset_is_stored_before_the_broker_has_the_dead_letter_white_box(
    kafka: Kafka, open_table: OpenTable, caplog: pytest.LogCaptureFixture
) -> None:
    topic, drawer = fresh_topic(kafka, "preferences"), Drawer()
    publish(kafka, topic, (b"anna", b"anna:en"))
    table = open_table(topic, dead_letters=drawer)
    eventually(table.ready)

    drawer.outages = 1_000_000
    publish(kafka, topic, (b"anna", b"garbage"))
    eventually(lambda: not table.ready())
    found, state = table.get("anna"), table._tables.in_use.state
    assert found is not None
    assert state is not None
    assert (found.suspended, state.offsets, lines(caplog, "preference_refused")) == (False, {0: 1}, [])
    assert [line["what"] for line in lines(caplog, "preferences_waiting") if "code" in line] == ["dead letters"]

    drawer.outages = 0
    eventually(table.ready)
    found = table.get("anna")
    assert found is not None
    assert found.suspended
    assert of(drawer.letters) == [("test", 1)]


def test_a_table_that_waits_for_the_dead_letter_topic_can_be_stopped(kafka: Kafka, open_table: OpenTable) -> None:
    topic, drawer = fresh_topic(kafka, "preferences"), Drawer(outages=1_000_000)
    publish(kafka, topic, (b"anna", b"garbage"))
    table = open_table(topic, dead_letters=drawer)
    eventually(lambda: drawer.outages < 999_998)

    table.close()

    assert not table._thread.is_alive()


def test_what_was_set_aside_is_not_set_aside_again_when_the_topic_is_read_anew(
    kafka: Kafka, open_table: OpenTable, caplog: pytest.LogCaptureFixture
) -> None:
    topic, drawer = fresh_topic(kafka, "preferences"), Drawer()
    publish(kafka, topic, (b"anna", b"anna:en"), (b"john", b"garbage"), (None, b"nobody"))
    first = open_table(topic, dead_letters=drawer)
    eventually(first.ready)
    first.close()
    caplog.clear()
    read: list[int] = []

    def counted(record: Record) -> Preferences:
        read.append(record.position.offset)
        return wanted(record)

    again = open_table(topic, dead_letters=drawer, decode=counted, now=lambda: NOW + timedelta(days=2))
    eventually(again.ready)

    assert [line["reason"] for line in lines(caplog, "preferences_rebuilt")] == ["too_long_away"]
    assert read == [0, 1]
    assert of(drawer.letters) == [("test", 1), ("unusable_key", 2)]
    assert lines(caplog, "preference_refused") == []
