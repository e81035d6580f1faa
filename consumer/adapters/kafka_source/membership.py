"""What the group gives a member, and what it takes away."""

import logging
from collections.abc import Callable, Sequence

from confluent_kafka import Consumer, TopicPartition

from consumer.adapters.kafka_source.commits import Commits
from consumer.adapters.kafka_source.flow import Flow
from consumer.adapters.kafka_source.incarnations import Incarnations
from consumer.adapters.kafka_source.ownership import Ownership
from consumer.adapters.kafka_source.partitions import Key, Partitions
from consumer.adapters.kafka_source.placing import Placing
from consumer.adapters.kafka_source.stopped import Stopped
from consumer.adapters.kafka_source.translation import keys, listed, unplaced
from consumer.telemetry import Line, log


class Membership:
    """Enters in all books what each rebalance brings; called by librdkafka from within poll and close."""

    def __init__(
        self,
        partitions: Partitions,
        stopped: Stopped,
        incarnations: Incarnations,
        ownership: Ownership,
        commits: Commits,
        placing: Placing,
        flow: Flow,
        *,
        clock: Callable[[], float],
    ) -> None:
        """`clock`: monotonic seconds."""
        self._partitions = partitions
        self._stopped = stopped
        self._incarnations = incarnations
        self._ownership = ownership
        self._commits = commits
        self._placing = placing
        self._flow = flow
        self._clock = clock
        self.before_revoke: Callable[[], None] = lambda: None
        """What the caller of this poll wants to do while everything is still ours."""
        self.leaving = False
        """Whether everything is committed already that will be."""

    def on_assign(self, consumer: Consumer, assigned: list[TopicPartition]) -> None:
        """These are ours from now on."""
        ours = keys(assigned)
        self._partitions.assigned(ours)
        self._stopped.gone(ours)
        self._incarnations.holds(self._partitions.topics)
        self._placing.begin(consumer, assigned)
        self._flow.tell(consumer, ours)
        self._ownership.assigned(self._clock())
        log(Line.PARTITIONS_ASSIGNED, partitions=listed(ours))

    def on_revoke(self, consumer: Consumer, revoked: list[TopicPartition]) -> None:
        """These are to be given back: what is processed of them is committed before."""
        ours = keys(revoked)
        if not self.leaving:
            self.before_revoke()
            self._commits.at_once(consumer, ours)
        self.forget(consumer, ours)
        self._ownership.revoked()
        log(Line.PARTITIONS_REVOKED, partitions=listed(ours))

    def on_lost(self, consumer: Consumer, lost: list[TopicPartition]) -> None:
        """Another member may have them already: a commit now would set its offsets back."""
        ours = keys(lost)
        self.forget(consumer, ours)
        self._ownership.lost()
        log(Line.PARTITIONS_LOST, logging.WARNING, partitions=listed(ours))

    def forget(self, consumer: Consumer, gone: Sequence[Key]) -> None:
        """Not paused: librdkafka would remember that, and deliver nothing when they come back after the pause."""
        if not self.leaving and gone:
            consumer.resume(unplaced(gone))
        self._partitions.gone(gone)
        self._stopped.gone(gone)
        self._incarnations.holds(self._partitions.topics)
