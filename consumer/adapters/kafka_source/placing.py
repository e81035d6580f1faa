"""How partitions are handed to librdkafka: one by one, or under an eager strategy always all of them together."""

from collections.abc import Collection, Mapping
from typing import Protocol

from confluent_kafka import Consumer, TopicPartition

from consumer.adapters.kafka_source.partitions import Key
from consumer.adapters.kafka_source.translation import keys, placed, unplaced

_EAGER = frozenset({"range", "roundrobin"})
_STRATEGY = "partition.assignment.strategy"


class Placing(Protocol):
    """Says what is fetched from where. librdkafka gives a partition back by itself once its callback has returned."""

    def begin(self, consumer: Consumer, assigned: list[TopicPartition]) -> Collection[Key]:
        """Fetch what a rebalance brought, at the offsets it carries. Returns what was placed anew, and is not paused."""
        ...

    def again(self, consumer: Consumer, key: Key, offset: int, resume_at: Mapping[Key, int]) -> Collection[Key]:
        """Fetch one of them from this offset on; the others, if they must be placed anew, from where they are.

        `resume_at`: the next offset of each that has delivered something.
        """
        ...


class OneByOne:
    """Incremental protocols: what stays ours in a rebalance keeps flowing."""

    def begin(self, consumer: Consumer, assigned: list[TopicPartition]) -> Collection[Key]:
        """See Placing."""
        consumer.incremental_assign(assigned)
        return keys(assigned)

    def again(self, consumer: Consumer, key: Key, offset: int, resume_at: Mapping[Key, int]) -> Collection[Key]:
        """Seeking would not wake a partition that has stopped."""
        del resume_at
        consumer.incremental_unassign(unplaced([key]))
        return self.begin(consumer, placed({key: offset}))


class AllTogether:
    """Eager protocols: librdkafka takes a whole assignment or none, and where to begin must be said for each of it."""

    def __init__(self) -> None:
        self._starts: dict[Key, int] = {}

    def begin(self, consumer: Consumer, assigned: list[TopicPartition]) -> Collection[Key]:
        """See Placing."""
        self._starts = {(one.topic, one.partition): one.offset for one in assigned}
        consumer.assign(assigned)
        return keys(assigned)

    def again(self, consumer: Consumer, key: Key, offset: int, resume_at: Mapping[Key, int]) -> Collection[Key]:
        """What has delivered nothing yet begins where it was told to begin."""
        self._starts[key] = offset
        everything = {**self._starts, **resume_at, key: offset}
        consumer.assign(placed(everything))
        return everything.keys()


def placing(settings: Mapping[str, str | int | float | bool]) -> Placing:
    """By what the members of the group agree on: an eager strategy, or an incremental one and KIP-848."""
    strategies = {name.strip() for name in str(settings.get(_STRATEGY, "")).split(",")}
    eager = settings.get("group.protocol") != "consumer" and not strategies.isdisjoint(_EAGER)
    return AllTogether() if eager else OneByOne()
