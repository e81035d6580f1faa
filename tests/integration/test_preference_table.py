"""The preference table: caught up before it is believed, and silent where it must not guess."""

import pytest

from consumer.core.preferences import Preferences
from consumer.core.record import Record
from consumer.errors import Unavailable
from tests.brokers import Kafka, fresh_topic
from tests.builders import preferences
from tests.preference_topics import OpenTable, eventually, language, lines, publish, wanted


def test_the_last_word_of_each_customer_counts(kafka: Kafka, open_table: OpenTable) -> None:
    topic = fresh_topic(kafka, "preferences", partitions=2)
    publish(kafka, topic, (b"anna", b"anna:en"), (b"john", b"john:en"), (b"anna", b"anna:it"))
    publish(kafka, topic, (b"nora", b"nora:de"), partition=1)

    table = open_table(topic)
    eventually(table.ready)

    assert [language(table, one) for one in ("anna", "john", "nora", "emma")] == ["it", "en", "de", None]
    found = table.get("anna")
    assert found is not None
    assert found == preferences(customer_id="anna", language="it", position=found.position)
    assert (found.position.topic, found.position.partition, found.position.offset) == (topic, 0, 2)
    assert table.customers == 3


def test_what_is_published_later_arrives_without_being_asked_for(kafka: Kafka, open_table: OpenTable) -> None:
    topic = fresh_topic(kafka, "preferences")
    publish(kafka, topic, (b"anna", b"anna:en"))
    table = open_table(topic)
    eventually(table.ready)

    publish(kafka, topic, (b"anna", b"anna:it"), (b"john", b"john:en"))

    eventually(lambda: language(table, "john") == "en")
    assert language(table, "anna") == "it"


def test_a_tombstone_erases_the_customer(kafka: Kafka, open_table: OpenTable) -> None:
    topic = fresh_topic(kafka, "preferences")
    publish(kafka, topic, (b"anna", b"anna:en"), (b"john", b"john:en"), (b"anna", None), (b"unknown", None))

    table = open_table(topic)
    eventually(table.ready)

    assert (language(table, "anna"), language(table, "john"), table.customers) == (None, "en", 1)


def test_an_empty_topic_is_not_believed(kafka: Kafka, open_table: OpenTable, caplog: pytest.LogCaptureFixture) -> None:
    topic = fresh_topic(kafka, "preferences")
    caplog.set_level("INFO", "avviso")
    table = open_table(topic)
    eventually(lambda: bool(lines(caplog, "preferences_ready")))
    assert not table.ready()

    publish(kafka, topic, (b"anna", b"anna:en"))

    eventually(table.ready)


def test_a_table_with_fewer_customers_than_it_should_have_is_not_believed(kafka: Kafka, open_table: OpenTable) -> None:
    topic = fresh_topic(kafka, "preferences")
    publish(kafka, topic, (b"anna", b"anna:en"), (b"john", b"john:en"))
    table = open_table(topic, customers_min=2)
    eventually(table.ready)

    publish(kafka, topic, (b"john", None))

    eventually(lambda: not table.ready())


def test_a_registry_that_is_away_is_waited_for(kafka: Kafka, open_table: OpenTable) -> None:
    topic = fresh_topic(kafka, "preferences")
    publish(kafka, topic, (b"anna", b"anna:en"))
    outages = iter([Unavailable("registry", "503")] * 3)

    def flaky(record: Record) -> Preferences:
        for outage in outages:
            raise outage
        return wanted(record)

    table = open_table(topic, decode=flaky)
    eventually(table.ready)

    assert language(table, "anna") == "en"


def test_a_topic_that_comes_later_is_waited_for(
    kafka: Kafka, open_table: OpenTable, caplog: pytest.LogCaptureFixture
) -> None:
    topic = "late." + fresh_topic(kafka, "preferences")
    table = open_table(topic)
    eventually(lambda: bool(lines(caplog, "kafka_trouble")))
    assert not table.ready()

    kafka.create_topic(topic)
    publish(kafka, topic, (b"anna", b"anna:en"))

    eventually(table.ready)
    assert [line["code"] for line in lines(caplog, "kafka_trouble")] == ["UNKNOWN_TOPIC_OR_PART"]
