"""Headers that break Kafka's own rules: the record counts without them, and nobody stumbles over it."""

from collections.abc import Callable

import pytest
from confluent_kafka import Consumer, Message

from consumer.adapters.kafka_source.translation import records_of
from consumer.adapters.preference_table.messages import record_of
from consumer.core.record import Record
from tests.brokers import Kafka, fresh, fresh_topic
from tests.odd_headers import produce_with_header


def by_intake(message: Message) -> Record:
    topic = message.topic()
    assert topic is not None
    found, _ = records_of([message], {(topic, 0): 1})
    assert found.columns.headers == [()]
    [record] = found
    assert found[0] == record
    return record


@pytest.mark.parametrize("read", [by_intake, record_of])
def test_a_header_whose_name_is_no_text_hides_them_all(kafka: Kafka, read: Callable[[Message], Record]) -> None:
    topic = fresh_topic(kafka, "odd")
    produce_with_header(kafka, topic, b"\xff", b"value")

    record = read(polled(kafka, topic))

    assert (record.value, record.headers, record.traceparent) == (b"value", (), None)


@pytest.mark.parametrize("read", [lambda one: next(iter(records_of([one], {(one.topic(), 0): 1})[0])), record_of])
def test_other_headers_are_seen(kafka: Kafka, read: Callable[[Message], Record]) -> None:
    topic = fresh_topic(kafka, "ordinary")
    produce_with_header(kafka, topic, "naïve".encode(), b"value")

    assert read(polled(kafka, topic)).headers == (("naïve", b"1"),)


def polled(kafka: Kafka, topic: str) -> Message:
    consumer = Consumer(
        {"bootstrap.servers": kafka.bootstrap_servers, "group.id": fresh("odd"), "auto.offset.reset": "earliest"}
    )
    try:
        consumer.subscribe([topic])
        found = consumer.poll(30.0)
        assert found is not None
        assert found.error() is None
        return found
    finally:
        consumer.close()
