"""When a client counts as having fetched ahead all it will."""

import time
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

import pytest
from confluent_kafka import Consumer

from consumer.adapters.kafka_source import KafkaSource
from consumer.adapters.kafka_source.partitions import Key, key_of
from consumer.adapters.kafka_source.translation import records_of
from consumer.core.record import Position
from tests.benchmarks.prefetch import (
    BUSY_CPU_S,
    PATIENCE_S,
    QUIET_WINDOWS,
    WINDOW_S,
    deliver_ahead,
    fetch_ahead,
    filled_partitions,
    first_of_each,
    wait_for_rest,
)
from tests.brokers import Kafka, fresh, fresh_topic, produce

A, B = ("payments", 0), ("payments", 1)
EACH = 600
FETCHED: Mapping[str, int] = {"queued.min.messages": 200}
"""Whoever has so many asks for no more; whoever has none gets all there are at once."""


class Machine:
    """A clock that moves when somebody sleeps, and a processor that takes `busy` of the windows to come."""

    def __init__(self, *busy: bool, always: bool = False) -> None:
        self._busy = list(busy)
        self._always = always
        self.now_s = self.cpu_s = 0.0

    def clock(self) -> float:
        return self.now_s

    def processor(self) -> float:
        return self.cpu_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        if self._always or (self._busy and self._busy.pop(0)):
            self.cpu_s += 2 * BUSY_CPU_S


class Polled:
    """Polls of a second each, which bring what is listed and then nothing; a record is its partition and its number."""

    def __init__(self, *polls: Sequence[tuple[Key, int]]) -> None:
        self._polls = list(polls)
        self.now_s = 0.0

    def __call__(self) -> Sequence[tuple[Key, int]]:
        self.now_s += 1.0
        return self._polls.pop(0) if self._polls else ()

    def clock(self) -> float:
        return self.now_s


def wait(machine: Machine) -> None:
    wait_for_rest(clock=machine.clock, processor=machine.processor, sleep=machine.sleep)


def firsts(polled: Polled) -> Sequence[tuple[Key, int]]:
    return first_of_each(polled, lambda record: record[0], {A, B}, clock=polled.clock)


def test_a_short_rest_between_two_fetches_is_not_the_end_of_them() -> None:
    machine = Machine(True, False, False, False, True)

    wait(machine)

    assert machine.now_s == pytest.approx((5 + QUIET_WINDOWS) * WINDOW_S)


def test_a_process_that_never_rests_is_not_measured() -> None:
    machine = Machine(always=True)

    with pytest.raises(TimeoutError):
        wait(machine)

    assert machine.now_s == pytest.approx(PATIENCE_S, abs=2 * WINDOW_S)


def test_a_partition_that_begins_late_is_waited_for() -> None:
    polled = Polled([(A, 0), (A, 1)], (), [(A, 2), (A, 3)], (), [(B, 0), (B, 1)], [(B, 2)])

    found = firsts(polled)

    assert found == [(A, 0), (B, 0)]
    assert polled.now_s == 5.0


def test_a_partition_that_never_begins_is_no_reason_to_wait_for_ever() -> None:
    polled = Polled([(A, 0)])

    with pytest.raises(TimeoutError, match="1 of 2 partitions"):
        firsts(polled)

    assert polled.now_s == pytest.approx(PATIENCE_S, abs=2.0)


def two_topics(kafka: Kafka) -> Sequence[str]:
    """Of three partitions each; three hold EACH records, the others none."""
    topics = [fresh_topic(kafka, name, 3) for name in ("payments", "balances")]
    for topic, partition in ((topics[0], 0), (topics[0], 2), (topics[1], 1)):
        produce(kafka, topic, *[b"x"] * EACH, partition=partition)
    return topics


def test_only_partitions_that_hold_records_are_waited_for(kafka: Kafka) -> None:
    payments, balances = two_topics(kafka)

    found = filled_partitions(kafka.bootstrap_servers, (payments, balances))

    assert found == {(payments, 0), (payments, 2), (balances, 1)}


def test_all_that_a_source_was_asked_for_meanwhile_is_delivered_from_the_beginning_and_at_once(kafka: Kafka) -> None:
    topics = two_topics(kafka)
    filled = filled_partitions(kafka.bootstrap_servers, topics)
    settings: Mapping[str, str | int] = {"bootstrap.servers": kafka.bootstrap_servers, **FETCHED}

    with KafkaSource(settings, group=fresh("group"), topics=topics, sole_owner=True, clock=time.monotonic) as source:
        deliver_ahead(source, filled)
        records = source.poll(records_max=10_000, timeout_s=0)

    assert whole([record.position for record in records]) == filled


def test_so_it_is_with_a_client_that_has_nothing_of_ours_around_it(kafka: Kafka) -> None:
    topics = two_topics(kafka)
    filled = filled_partitions(kafka.bootstrap_servers, topics)
    bare = Consumer(
        {
            "bootstrap.servers": kafka.bootstrap_servers,
            "group.id": fresh("bare"),
            "auto.offset.reset": "earliest",
            **FETCHED,
        }
    )
    bare.subscribe(list(topics))

    fetch_ahead(bare, filled)
    messages = bare.consume(10_000, 0)
    bare.close()

    assert whole([record.position for record in records_of(messages, dict.fromkeys(filled, 0))[0]]) == filled


def whole(positions: Sequence[Position]) -> AbstractSet[Key]:
    """The partitions of which every record came, once and in order."""
    found: dict[Key, list[int]] = {}
    for position in positions:
        found.setdefault(key_of(position), []).append(position.offset)
    return {key for key, offsets in found.items() if offsets == list(range(EACH))}
