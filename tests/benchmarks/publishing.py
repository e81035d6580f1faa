"""Fills topics, as fast as the producer can."""

from collections.abc import Callable, Iterable

import msgspec
from confluent_kafka import KafkaError, KafkaException, Message, Producer

_FLUSH_S = 300.0
_POLL_EACH = 1000


class Told(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One record to publish."""

    topic: str
    key: str
    value: bytes


def published(bootstrap_servers: str, stream: Iterable[Told]) -> int:
    """All of it, acknowledged; how many they were."""
    producer = Producer({"bootstrap.servers": bootstrap_servers, "linger.ms": 20, "delivery.report.only.error": True})
    refused: list[KafkaError] = []

    def answered(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            refused.append(error)

    count = 0
    for count, one in enumerate(stream, start=1):
        while not _queued(producer, one, answered):
            producer.poll(0.1)
        if count % _POLL_EACH == 0:
            producer.poll(0)
    if producer.flush(_FLUSH_S):
        raise TimeoutError(f"the records were not published within {_FLUSH_S:.0f} s")
    if refused:
        raise KafkaException(refused[0])
    return count


def _queued(producer: Producer, one: Told, answered: Callable[[KafkaError | None, Message], None]) -> bool:
    """False where the producer has as much to send as it will hold."""
    try:
        producer.produce(one.topic, key=one.key, value=one.value, on_delivery=answered)
    except BufferError:
        return False
    return True
