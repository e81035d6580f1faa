"""Lets a Kafka client fetch ahead all it will before its records count: then the broker has no part in what is measured."""

import time
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from confluent_kafka import Consumer, TopicPartition

from consumer.adapters.kafka_source.partitions import Key, key_of
from consumer.adapters.kafka_source.translation import records_of
from consumer.core.record import Position, Record
from consumer.ports import RecordSource
from tests.brokers import fresh

WINDOW_S = 0.2
BUSY_CPU_S = 0.01
QUIET_WINDOWS = 7
"""Longer than the second for which a client asks for no more where it has enough, and than a broker may hold a request."""
PATIENCE_S = 120.0
_ANSWER_S = 30.0
_BATCH_RECORDS, _POLL_S = 500, 1.0

Fetched = TypeVar("Fetched")


def filled_partitions(bootstrap_servers: str, topics: Collection[str]) -> frozenset[Key]:
    """Those partitions that hold records."""
    asker = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": fresh("nobody")})
    try:
        known = asker.list_topics(timeout=_ANSWER_S).topics
        keys = [(topic, number) for topic in topics for number in known[topic].partitions]
        ends = {key: asker.get_watermark_offsets(TopicPartition(*key), _ANSWER_S) for key in keys}
        return frozenset(key for key, (low, high) in ends.items() if low < high)
    finally:
        asker.close()


def deliver_ahead(source: RecordSource, filled: Collection[Key]) -> None:
    """Have every partition flow, and all of them fetched ahead from their beginnings. `source` has delivered nothing yet."""

    def poll() -> Sequence[Record]:
        return source.poll(records_max=_BATCH_RECORDS, timeout_s=_POLL_S)

    firsts = first_of_each(poll, lambda record: key_of(record.position), filled)
    for record in firsts:
        source.hold_back(record.delivery, record.position.offset)
    poll()  # lets go of what was fetched before: it would count as fetched ahead
    for record in firsts:
        source.let_go(record.delivery)
    wait_for_rest()


def fetch_ahead(consumer: Consumer, filled: Collection[Key]) -> None:
    """The same for a client without anything of ours around it."""

    def poll() -> Sequence[Position]:
        messages = consumer.consume(_BATCH_RECORDS, _POLL_S)
        return [record.position for record in records_of(messages, dict.fromkeys(filled, 0))[0]]

    firsts = first_of_each(poll, key_of, filled)
    places = [TopicPartition(first.topic, first.partition, first.offset) for first in firsts]
    consumer.pause(places)
    for place in places:
        consumer.seek(place)
    poll()
    consumer.resume(places)
    wait_for_rest()


def first_of_each(
    poll: Callable[[], Sequence[Fetched]],
    key_of: Callable[[Fetched], Key],
    expected: Collection[Key],
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Sequence[Fetched]:
    """Poll until each of these partitions flows, however late some begin; the first that came of each.

    Raises TimeoutError where one never does. What was polled is to be sent back: it counts later.
    """
    firsts: dict[Key, Fetched] = {}
    deadline_s = clock() + PATIENCE_S
    while missing := set(expected) - firsts.keys():
        if clock() > deadline_s:
            raise TimeoutError(f"{len(missing)} of {len(expected)} partitions did not flow within {PATIENCE_S:.0f} s")
        for one in poll():
            firsts.setdefault(key_of(one), one)
    return list(firsts.values())


def wait_for_rest(
    *,
    clock: Callable[[], float] = time.monotonic,
    processor: Callable[[], float] = time.process_time,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Return once this process has been all but idle for a while; raises TimeoutError where it never is.

    `processor`: seconds that all threads of the process took so far.
    """
    quiet, deadline_s = 0, clock() + PATIENCE_S
    while quiet < QUIET_WINDOWS:
        if clock() > deadline_s:
            raise TimeoutError(f"the process did not come to rest within {PATIENCE_S:.0f} s")
        before_s = processor()
        sleep(WINDOW_S)
        quiet = quiet + 1 if processor() - before_s < BUSY_CPU_S else 0
