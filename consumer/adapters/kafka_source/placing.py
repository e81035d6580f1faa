"""How partitions are handed to librdkafka: one by one, or under an eager strategy always all of them together."""

from collections.abc import Collection, Mapping
from typing import Protocol

from confluent_kafka import Consumer, TopicPartition

from consumer.adapters.kafka_source.partitions import Key
from consumer.adapters.kafka_source.translation import placed, unplaced

_EAGER = frozenset({"range", "roundrobin"})
_STRATEGY = "partition.assignment.strategy"


class Placing(Protocol):
    """Says what is fetched from where. librdkafka gives a partition back by itself once its callback has returned."""

    def begin(self, consumer: Consumer, assigned: list[TopicPartition]) -> None:
        """Fetch what a rebalance brought, at the offsets it carries."""
        ...

    def again(self, consumer: Consumer, starts: Mapping[Key, int], others: Mapping[Key, int]) -> Collection[Key]:
        """Fetch some that have stopped from these offsets on. Returns all that was placed anew, and is not paused.

        `others`: the rest of what is ours, and where each of it is.
        """
        ...


class OneByOne:
    """Incremental protocols: what stays ours in a rebalance keeps flowing."""

    def begin(self, consumer: Consumer, assigned: list[TopicPartition]) -> None:
        """See Placing."""
        consumer.incremental_assign(assigned)

    def again(self, consumer: Consumer, starts: Mapping[Key, int], others: Mapping[Key, int]) -> Collection[Key]:
        """Seeking would not wake a partition that has stopped."""
        del others
        consumer.incremental_unassign(unplaced(starts))
        consumer.incremental_assign(placed(starts))
        return starts.keys()


class AllTogether:
    """Eager protocols: librdkafka takes a whole assignment or none, and where to begin must be said for each of it."""

    def begin(self, consumer: Consumer, assigned: list[TopicPartition]) -> None:
        """See Placing."""
        consumer.assign(assigned)

    def again(self, consumer: Consumer, starts: Mapping[Key, int], others: Mapping[Key, int]) -> Collection[Key]:
        """What has no place yet is looked up by librdkafka once more."""
        everything = {**others, **starts}
        consumer.assign(placed(everything))
        return everything.keys()


def placing(settings: Mapping[str, str | int | float | bool]) -> Placing:
    """By what the members of the group agree on: an eager strategy, or an incremental one and KIP-848."""
    strategies = {name.strip() for name in str(settings.get(_STRATEGY, "")).split(",")}
    eager = settings.get("group.protocol") != "consumer" and not strategies.isdisjoint(_EAGER)
    return AllTogether() if eager else OneByOne()
