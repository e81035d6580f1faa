"""One member of the consumer group, used from one thread."""

import logging
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from consumer.adapters.kafka_source.asking import Asker
from consumer.adapters.kafka_source.attendance import Attendance
from consumer.adapters.kafka_source.census import Census
from consumer.adapters.kafka_source.commits import Commits
from consumer.adapters.kafka_source.complaints import Complaints
from consumer.adapters.kafka_source.confirmation import Confirmation
from consumer.adapters.kafka_source.flow import Flow
from consumer.adapters.kafka_source.inbox import Inbox
from consumer.adapters.kafka_source.incarnations import Incarnations
from consumer.adapters.kafka_source.leaving import leave
from consumer.adapters.kafka_source.limits import SourceLimits
from consumer.adapters.kafka_source.membership import Membership
from consumer.adapters.kafka_source.ownership import AnyShare, Ownership, SoleOwnership
from consumer.adapters.kafka_source.partitions import Key, Partitions
from consumer.adapters.kafka_source.placing import placing
from consumer.adapters.kafka_source.resuming import Resuming
from consumer.adapters.kafka_source.session import Session
from consumer.adapters.kafka_source.standstill import Standstill
from consumer.adapters.kafka_source.stopped import Stopped
from consumer.adapters.kafka_source.translation import complete
from consumer.core.record import Delivery, Fetched, Position, Record
from consumer.errors import Unavailable
from consumer.telemetry import Line, alarm

_NO_SUCH_PARTITION = frozenset(
    {KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION}  # noqa: SLF001 - so named
)
_ANSWER_S = 0.02
_CONFIRMATION_S = 0.1


class KafkaSource:
    """ports.RecordSource on a consumer of the group `group`.

    `settings` are librdkafka's own names and values, already validated; what decides over delivery is overridden here. With
    `sole_owner` nothing is delivered before every partition of `topics` is ours, and Broken ends the wait. A partition whose
    next offset is not in its topic any more stops with an alarm; the others go on. `clock`: monotonic seconds.
    """

    def __init__(
        self,
        settings: Mapping[str, str | int | float | bool],
        *,
        group: str,
        topics: Sequence[str],
        sole_owner: bool,
        clock: Callable[[], float],
        limits: SourceLimits | None = None,
    ) -> None:
        """Join the group; the first assignment comes with a later `poll`."""
        self._clock = clock
        self._limits = limits or SourceLimits()
        self._partitions = Partitions()
        self._complaints = Complaints(clock)
        self._ownership: Ownership = (
            SoleOwnership(patience_s=self._limits.sole_owner_patience_s) if sole_owner else AnyShare()
        )
        self._census = Census(self._ownership, self._complaints, topics=topics, clock=clock, limits=self._limits)
        self._flow = Flow(self._partitions, self._ownership)
        self._asker = Asker(settings, clock)
        confirmation = Confirmation()
        self._attendance = Attendance(settings, Session(settings, self._asker, group), confirmation, clock)
        self._standstill = Standstill(clock)
        self._incarnations = Incarnations(self._asker, clock)
        self._commits = Commits(
            self._partitions,
            self._complaints,
            self._incarnations,
            confirmation,
            clock=clock,
            interval_s=self._limits.commit_interval_s,
        )
        self._stopped = Stopped(
            self._asker,
            self._partitions,
            self._incarnations,
            self._complaints,
            group=group,
            clock=clock,
            limits=self._limits,
        )
        place = placing(settings)
        self._membership = Membership(
            self._partitions,
            self._stopped,
            self._incarnations,
            self._ownership,
            self._commits,
            place,
            self._flow,
            clock=clock,
        )
        self._inbox = Inbox(self._partitions, self._stopped, self._complaints, self._attendance, self._membership)
        self._resuming = Resuming(self._partitions, self._stopped, self._complaints, place, self._flow, self._inbox)
        self._keeps_its_name = settings.get("group.protocol") == "consumer"
        self._consumer = self._joined(settings, group, topics)
        self._closed = False

    def cluster_id(self) -> str:
        """Kafka's own name of the cluster; raises Unavailable."""
        try:
            cluster_id: str | None = self._consumer.cluster_id(self._limits.request_timeout_s)
        except KafkaException as problem:
            raise Unavailable("kafka", problem.args[0].name()) from None
        if not cluster_id:
            raise Unavailable("kafka", "no_answer")
        return cluster_id

    def ends(self, keys: Iterable[Key]) -> Mapping[Key, int]:
        """The next offset of each of these partitions, of any topic; 0 where there is none. Raises Unavailable."""
        return {key: self._end(key) for key in keys}

    def _end(self, key: Key) -> int:
        try:
            return self._consumer.get_watermark_offsets(TopicPartition(*key), self._limits.request_timeout_s)[1]
        except KafkaException as problem:
            if problem.args[0].code() in _NO_SUCH_PARTITION:
                return 0
            raise Unavailable("kafka", problem.args[0].name()) from None

    def poll(self, *, records_max: int, timeout_s: float, before_revoke: Callable[[], None] = lambda: None) -> Fetched:
        """Up to `records_max` records of partitions owned now, in order within each; waits for the first one only."""
        self._membership.before_revoke = before_revoke
        self._prove_ownership()
        self._start_over()
        if self._attendance.asks:
            self._commits.again(self._consumer)
        heard = self._resuming.go_on(self._consumer)
        if len(heard) >= records_max:
            return heard
        wait_s = 0.0 if heard else min(timeout_s, self._wait_max_s)
        messages = self._inbox.fetch(self._consumer, records_max - len(heard), wait_s)
        kept = self._flow.let_through(self._consumer, self._inbox.accepted(messages))
        if not heard:
            return kept
        return Fetched([*filter(self.owns, heard), *kept])  # the others may have been taken away since

    def owns(self, record: Record) -> bool:
        """Whether the record's partition is still ours, in the same assignment that delivered it."""
        return self._partitions.owns(record)

    def hold_back(self, delivery: Delivery, offset: int) -> None:
        """Its partition, which goes on at `offset` once it is `let_go`; a rebalance forgets it.

        Where its topic was made again meanwhile, the new one waits with its beginning.
        """
        topic, partition, epoch = delivery
        if not self._partitions.hold_back(delivery):
            return
        if epoch == self._partitions.epoch_of((topic, partition)):
            self._flow.rewind(self._consumer, [Position(topic=topic, partition=partition, offset=offset)])
        else:
            self._flow.tell(self._consumer, [(topic, partition)])

    def let_go(self, delivery: Delivery) -> None:
        """Deliver its partition again, unless all is paused."""
        if self._partitions.let_go(delivery):
            self._flow.tell(self._consumer, [delivery[:2]])

    @property
    def overdue(self) -> bool:
        """Whether partitions may have gone to others unheard, after a pause between polls or in the group's answers.

        An empty poll that waited ends it; with KIP-848 two answers of the group.
        """
        return self._attendance.overdue

    def processed(self, ends: Mapping[Delivery, int]) -> None:
        """Of each of these, all that was delivered below its offset is done with."""
        self._partitions.processed(ends)

    def commit(self) -> None:
        """Tell Kafka what is processed, at most once per interval; the answer comes with a later `poll`."""
        self._commits.if_due(self._consumer)

    def pause(self) -> None:
        """Deliver nothing more; what librdkafka has fetched ahead is fetched again later."""
        self._flow.paused = True
        self._flow.tell(self._consumer, self._partitions.keys)

    def resume(self) -> None:
        """Deliver again what is not held back, unless ownership is still to be proven."""
        self._flow.paused = False
        self._flow.tell(self._consumer, self._partitions.keys)

    def close(self) -> None:
        """Commit what is processed, and leave the group: 4 s at most. On the polling thread; a second call does nothing."""
        if not self._closed:
            self._closed = self._flow.paused = self._membership.leaving = True
            leave(self._consumer, self._partitions, self._commits, keeps_its_name=self._keeps_its_name)
            self._asker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _wait_max_s(self) -> float:
        """How long a poll may wait: not where an answer is to come, and something to be done then."""
        if self._stopped.asking:
            return _ANSWER_S
        return _CONFIRMATION_S if self._awaits_the_group else math.inf

    @property
    def _awaits_the_group(self) -> bool:
        """Whether something is ours, as far as we know, and the group has not said so lately."""
        return self._flow.unconfirmed and bool(self._partitions.keys)

    def _joined(self, settings: Mapping[str, str | int | float | bool], group: str, topics: Sequence[str]) -> Consumer:
        ours = {"group.id": group, "on_commit": self._commits.answered, "error_cb": self._complaints.take}
        consumer = Consumer(complete(settings) | ours, logger=logging.getLogger("librdkafka"))
        consumer.subscribe(
            list(topics),
            on_assign=self._membership.on_assign,
            on_revoke=self._membership.on_revoke,
            on_lost=self._membership.on_lost,
        )
        return consumer

    def _start_over(self) -> None:
        """Read a topic that was deleted and made again from its beginning: what it holds is new, whatever its offsets."""
        for topic in self._incarnations.take_recreated():
            alarm(Line.TOPIC_RECREATED, topic=topic)
            again = [key for key in self._partitions.keys if key[0] == topic]
            self._partitions.made_again(again)
            for key in again:
                self._stopped.add_anew(key)
            self._flow.tell(self._consumer, again)
            self._incarnations.holds(self._partitions.topics)

    def _prove_ownership(self) -> None:
        stood = self._flow.stands
        self._census.take(self._consumer, len(self._partitions.keys))
        self._flow.unconfirmed = self._attendance.unconfirmed
        self._standstill.see(stands=self._awaits_the_group)
        if stood and not self._flow.stands:
            self._flow.tell(self._consumer, self._partitions.keys)
