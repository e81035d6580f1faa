"""librdkafka's messages as our records."""

from confluent_kafka import Message

from consumer.core.record import Position, Record


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

    To be asked once: such a message raises (SystemError, by confluent-kafka 2.16) and hands out a null pointer from then on.
    """
    try:
        found = message.headers()
    except (UnicodeDecodeError, SystemError):
        return ()
    return tuple(found) if found else ()  # type: ignore[arg-type]
