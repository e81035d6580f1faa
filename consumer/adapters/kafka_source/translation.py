"""Between librdkafka's words and ours."""

from collections.abc import Iterable, Mapping, Sequence

from confluent_kafka import OFFSET_INVALID, KafkaError, Message, TopicPartition

from consumer.adapters.kafka_source.partitions import Key
from consumer.core.record import Delivery, Fetched, Position, Record

_LOG_LEVEL = 2
"""Of librdkafka's own lines, unless set: what it says of lesser things comes through its error callback too, as a code."""
_OWN = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",  # the source sends a new group to the beginning itself; no other gap may be skipped
    "isolation.level": "read_committed",
    "enable.partition.eof": False,
}
_CLASSIC = {"partition.assignment.strategy": "cooperative-sticky"}
"""Unless set: what stays ours in a rebalance keeps flowing."""


def complete(settings: Mapping[str, str | int | float | bool]) -> dict[str, object]:
    """The given settings with those that decide over delivery, which are ours alone."""
    classic = {} if settings.get("group.protocol") == "consumer" else _CLASSIC
    return {"client.id": "avviso", "log_level": _LOG_LEVEL, **classic, **settings, **_OWN}


def keys(partitions: Iterable[TopicPartition]) -> Sequence[Key]:
    """Topic and number only."""
    return [(one.topic, one.partition) for one in partitions]


def placed(offsets: Mapping[Key, int]) -> list[TopicPartition]:
    """Partitions with an offset each."""
    return [TopicPartition(topic, partition, offset) for (topic, partition), offset in offsets.items()]


def unplaced(held: Iterable[Key]) -> list[TopicPartition]:
    """Partitions without an offset."""
    return [TopicPartition(topic, partition, OFFSET_INVALID) for topic, partition in held]


def listed(held: Iterable[Key]) -> str:
    """For people: `topic[0] topic[1]`."""
    return " ".join(f"{topic}[{partition}]" for topic, partition in sorted(held))


def records_of(
    messages: Iterable[Message], epochs: Mapping[Key, int]
) -> tuple[Fetched, Sequence[tuple[Message, KafkaError]]]:
    """The records among them of partitions that are held, as polled, and the errors.

    In one pass, and without a call for each: nothing else is done with so many.
    """
    deliveries: Mapping[Key, Delivery] = {key: (*key, epoch) for key, epoch in epochs.items()}
    records, counts, ends = list[Record](), dict[Delivery, int](), dict[Delivery, int]()
    errors = list[tuple[Message, KafkaError]]()
    for message in messages:
        error = message.error()
        if error is not None:
            errors.append((message, error))
            continue
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        assert topic is not None
        assert partition is not None
        assert offset is not None
        delivery = deliveries.get((topic, partition))
        if delivery is None:  # taken away by a rebalance since it was fetched
            continue
        counts[delivery] = counts.get(delivery, 0) + 1
        ends[delivery] = offset + 1
        records.append(
            Record(
                position=Position(topic=topic, partition=partition, offset=offset),
                key=message.key(),
                value=message.value(),
                headers=_headers(message),
                timestamp_ms=message.timestamp()[1],
                epoch=delivery[2],
            )
        )
    return Fetched(records, counts=counts, ends=ends), errors


def _headers(message: Message) -> tuple[tuple[str, bytes | None], ...]:
    """As they came. A name that is not UTF-8 breaks Kafka's own rule and hides them all: the record counts without them."""
    try:
        found = message.headers()
    except UnicodeDecodeError:
        return ()
    return tuple(found) if found else ()  # type: ignore[arg-type]
