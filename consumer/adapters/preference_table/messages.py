"""librdkafka's messages as our records."""

from operator import methodcaller

from confluent_kafka import Message

from consumer.core.record import Position, Record

_headers_of = methodcaller("headers")


def record_of(message: Message) -> Record:
    """The record that a message without an error is."""
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None
    assert partition is not None
    assert offset is not None
    return Record(
        position=Position(topic=topic, partition=partition, offset=offset),
        key=message.key(),
        value=message.value(),
        headers=_headers(message),
        timestamp_ms=max(message.timestamp()[1], 0),
    )


def _headers(message: Message) -> tuple[tuple[str, bytes | None], ...]:
    """A name that is not UTF-8 breaks Kafka's own rule and hides them all: the record counts without them.

    To be asked once, and not by a plain call: such a message sets an error and hands out a null pointer all the same (seen
    with confluent-kafka 2.16). A plain call may not notice, and leaves the error to whatever comes next.
    """
    try:
        found = _headers_of(message)
    except (UnicodeDecodeError, SystemError):
        return ()
    return tuple(found) if found else ()
