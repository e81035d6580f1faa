"""Headers that break Kafka's own rules: the record counts without them, and nobody stumbles over it."""

from collections.abc import Callable, Sequence

import pytest
from confluent_kafka import Consumer, Message

from consumer.adapters.kafka_source.translation import records_of
from consumer.adapters.preference_table.messages import record_of
from consumer.core.record import Record
from tests.brokers import Kafka, fresh, fresh_topic
from tests.odd_headers import produce_with_header

MANY = 100
"""Enough that Python has made the call as short as it can: then it looks less closely at what comes back."""
Read = Callable[[Sequence[Message]], Sequence[Record]]


def by_intake(messages: Sequence[Message]) -> Sequence[Record]:
    topic = messages[0].topic()
    assert topic is not None
    found, _ = records_of(messages, {(topic, 0): 1})
    records = list(found)
    assert [tuple(one) for one in found.columns.headers] == [record.headers for record in records]
    assert [found[place] for place in range(len(found))] == records
    return records


def by_preferences(messages: Sequence[Message]) -> Sequence[Record]:
    return list(map(record_of, messages))


@pytest.mark.parametrize("read", [by_intake, by_preferences])
def test_a_header_whose_name_is_no_text_hides_them_all(kafka: Kafka, read: Read) -> None:
    topic, values = fresh_topic(kafka, "odd"), [b"%d" % number for number in range(MANY)]
    produce_with_header(kafka, topic, b"\xff", *values)

    records = read(polled(kafka, topic))

    assert [record.value for record in records] == values
    assert {(record.headers, record.traceparent) for record in records} == {((), None)}


@pytest.mark.parametrize("read", [by_intake, by_preferences])
def test_other_headers_are_seen(kafka: Kafka, read: Read) -> None:
    topic = fresh_topic(kafka, "ordinary")
    produce_with_header(kafka, topic, "naïve".encode(), *([b"value"] * MANY))

    assert {record.headers for record in read(polled(kafka, topic))} == {(("naïve", b"1"),)}


def polled(kafka: Kafka, topic: str) -> Sequence[Message]:
    consumer = Consumer(
        {"bootstrap.servers": kafka.bootstrap_servers, "group.id": fresh("odd"), "auto.offset.reset": "earliest"}
    )
    found: list[Message] = []
    try:
        consumer.subscribe([topic])
        while len(found) < MANY:
            more = consumer.consume(MANY - len(found), 30.0)
            assert more
            found += more
        return found
    finally:
        consumer.close()
