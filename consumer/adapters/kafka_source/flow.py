"""Which partitions flow, and which are held back."""

from collections.abc import Collection, Iterable
from itertools import filterfalse

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from consumer.adapters.kafka_source.complaints import broken
from consumer.adapters.kafka_source.ownership import Ownership
from consumer.adapters.kafka_source.partitions import Key, Partitions, key_of
from consumer.adapters.kafka_source.translation import placed, unplaced
from consumer.core.record import Fetched, Position, Record

_STOPS = frozenset({KafkaError._STATE, KafkaError._PREV_IN_PROGRESS})  # noqa: SLF001 - so named
"""What a seek is refused with where the partition has stopped, and while it is stopping."""


def sought(consumer: Consumer, place: TopicPartition) -> bool:
    """Fetch it from here on; False where it has stopped, or is about to: that wakes none."""
    try:
        consumer.seek(place)
    except KafkaException as problem:
        if problem.args[0].code() not in _STOPS:
            raise broken(problem.args[0]) from None
        return False
    return True


class Flow:
    """All of them flow, but for those that are held back one by one; or none, where it `stands` as a whole."""

    def __init__(self, partitions: Partitions, ownership: Ownership) -> None:
        self._partitions = partitions
        self._ownership = ownership
        self.paused = False
        self.unconfirmed = False
        """Whether the group is to answer first."""

    @property
    def stands(self) -> bool:
        """Whether nothing may be delivered."""
        return self.paused or self.unconfirmed or not self._ownership.proven

    def rewind(self, consumer: Consumer, positions: Iterable[Position]) -> None:
        """Pause their partitions; when they flow again, each is fetched from the first of these on.

        By seeking: unassigning and assigning could be taken for the answer to a rebalance that has begun meanwhile. What has
        stopped is placed later, where the books tell.
        """
        firsts: dict[Key, Position] = {}
        for position in positions:
            firsts.setdefault(key_of(position), position)
        for position in firsts.values():
            self._partitions.rewound(position)
        for place in placed({key: position.offset for key, position in firsts.items()}):
            consumer.pause([place])
            sought(consumer, place)

    def tell(self, consumer: Consumer, ours: Collection[Key]) -> None:
        """Pause or resume each of these, whatever it was: librdkafka keeps a pause through unassigning and assigning."""
        still = set(ours) if self.stands else self._partitions.held_back & set(ours)
        flowing = set(ours) - still
        if still:
            consumer.pause(unplaced(still))
        if flowing:
            consumer.resume(unplaced(flowing))

    def let_through(self, consumer: Consumer, records: Fetched) -> Fetched:
        """What may be delivered now; what was fetched although it is held back is fetched once more, later."""
        if self.stands:
            self.rewind(consumer, (record.position for record in records))
            return Fetched()
        if not self._partitions.held_back:
            return records
        self.rewind(consumer, (record.position for record in filter(self._is_held_back, records)))
        return Fetched([*filterfalse(self._is_held_back, records)])

    def _is_held_back(self, record: Record) -> bool:
        return self._partitions.is_held_back(key_of(record.position))
