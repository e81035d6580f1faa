"""Between librdkafka's words and ours."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import methodcaller
from typing import overload

from confluent_kafka import OFFSET_INVALID, KafkaError, Message, TopicPartition

from consumer.adapters.kafka_source.partitions import Key
from consumer.core.record import Columns, Delivery, Fetched, Headers, Position, Record

_LOG_LEVEL = 2
"""Of librdkafka's own lines, unless set: what it says of lesser things comes through its error callback too, as a code."""
_OWN = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",  # the source sends a new group to the beginning itself; no other gap may be skipped
    "isolation.level": "read_committed",
    "enable.partition.eof": False,
}
_headers_of = methodcaller("headers")
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

    In one pass, with a look at the books only where another partition begins: nothing else is done with so many.
    """
    held, errors = list[Message](), list[tuple[Message, KafkaError]]()
    values, headers, begins = list[bytes | None](), list[Headers](), list[tuple[int, Delivery]]()
    key: tuple[str | None, int | None] = None, None
    delivery: Delivery | None = None
    for message in messages:
        error = message.error()
        if error is not None:
            errors.append((message, error))
            continue
        of = message.topic(), message.partition()
        if of != key:
            key, delivery = of, _delivery(of, epochs)
            if delivery is not None:
                begins.append((len(held), delivery))
        if delivery is not None:  # else it was taken away by a rebalance since it was fetched
            held.append(message)
            values.append(message.value())
            headers.append(_headers(message))
    counts, ends = _counted(held, begins)
    columns = Columns(values=values, headers=headers, counts=counts, ends=ends)
    return Fetched(Polled(held, headers, epochs), columns), errors


def _delivery(of: tuple[str | None, int | None], epochs: Mapping[Key, int]) -> Delivery | None:
    topic, partition = of
    assert topic is not None
    assert partition is not None
    epoch = epochs.get((topic, partition))
    return None if epoch is None else (topic, partition, epoch)


def _counted(
    held: Sequence[Message], begins: Sequence[tuple[int, Delivery]]
) -> tuple[Mapping[Delivery, int], Mapping[Delivery, int]]:
    """How many there are of each delivery, and the offset after its last: they lie in runs that begin at these places."""
    counts, ends, end = Counter[Delivery](), dict[Delivery, int](), len(held)
    for begin, delivery in reversed(begins):
        counts[delivery] += end - begin
        ends.setdefault(delivery, _offset(held[end - 1]) + 1)
        end = begin
    return counts, ends


def _offset(message: Message) -> int:
    offset = message.offset()
    assert offset is not None
    return offset


class Polled(Sequence[Record]):
    """Messages without an error of partitions that were held in these epochs; a record is made when it is asked for."""

    def __init__(self, messages: Sequence[Message], headers: Sequence[Headers], epochs: Mapping[Key, int]) -> None:
        """The `headers` are those of the messages: one must not be asked for them twice."""
        self._messages = messages
        self._headers = headers
        self._epochs = epochs

    @overload
    def __getitem__(self, at: int) -> Record: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Record]: ...
    def __getitem__(self, at: int | slice) -> Record | Sequence[Record]:
        """As of any sequence."""
        if isinstance(at, slice):
            return Polled(self._messages[at], self._headers[at], self._epochs)
        return self._record(self._messages[at], self._headers[at])

    def __iter__(self) -> Iterator[Record]:
        """As of any sequence."""
        return map(self._record, self._messages, self._headers)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._messages)

    def _record(self, message: Message, headers: Headers) -> Record:
        topic, partition = message.topic(), message.partition()
        assert topic is not None
        assert partition is not None
        return Record(
            position=Position(topic=topic, partition=partition, offset=_offset(message)),
            key=message.key(),
            value=message.value(),
            headers=tuple(headers),
            timestamp_ms=message.timestamp()[1],
            epoch=self._epochs[topic, partition],
        )


def _headers(message: Message) -> Headers:
    """As they came. A name that is not UTF-8 breaks Kafka's own rule and hides them all: the record counts without them.

    To be asked once, and not by a plain call: such a message sets an error and hands out a null pointer all the same (seen
    with confluent-kafka 2.16). A plain call may not notice, and leaves the error to whatever comes next.
    """
    try:
        return _headers_of(message) or ()
    except (UnicodeDecodeError, SystemError):
        return ()
