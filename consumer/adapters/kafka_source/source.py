"""One member of the consumer group, used from one thread."""

import logging
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from types import TracebackType
from typing import Self

import msgspec
from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_INVALID,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from consumer.adapters.kafka_source.asking import Asker
from consumer.adapters.kafka_source.attendance import Attendance
from consumer.adapters.kafka_source.commits import Commits
from consumer.adapters.kafka_source.complaints import STOPS_A_PARTITION, Complaints, broken, has_left, is_fatal
from consumer.adapters.kafka_source.flow import Flow
from consumer.adapters.kafka_source.incarnations import Incarnations
from consumer.adapters.kafka_source.leaving import leave
from consumer.adapters.kafka_source.ownership import SoleOwnership
from consumer.adapters.kafka_source.partitions import Key, Partitions, key_of
from consumer.adapters.kafka_source.placing import placing
from consumer.adapters.kafka_source.stopped import Stopped
from consumer.adapters.kafka_source.translation import complete, keys, listed, records_of, unplaced
from consumer.core.record import Record
from consumer.errors import Unavailable
from consumer.telemetry import Line, alarm, log

_ANSWER_S = 0.02


class SourceLimits(msgspec.Struct, frozen=True, kw_only=True):
    """`request_timeout_s` bounds each question to the cluster; a stopped partition is looked at again each `recheck_s`."""

    commit_interval_s: float = 1.0
    request_timeout_s: float = 5.0
    recheck_s: float = 1.0
    sole_owner_patience_s: float = 60.0


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
        self._topics = tuple(topics)
        self._clock = clock
        self._limits = limits or SourceLimits()
        self._partitions = Partitions()
        self._complaints = Complaints(clock)
        self._flow = Flow(self._partitions)
        self._attendance = Attendance(settings, clock)
        self._placing = placing(settings)
        self._asker = Asker(settings, clock)
        self._incarnations = Incarnations(self._asker, clock)
        self._commits = Commits(
            self._partitions,
            self._complaints,
            self._incarnations,
            clock=clock,
            interval_s=self._limits.commit_interval_s,
        )
        self._ownership = SoleOwnership(patience_s=self._limits.sole_owner_patience_s) if sole_owner else None
        self._keeps_its_name = settings.get("group.protocol") == "consumer"
        self._paused = False
        self._stopped = Stopped(
            self._asker,
            self._partitions,
            self._incarnations,
            self._complaints,
            group=group,
            clock=clock,
            timeout_s=self._limits.request_timeout_s,
            recheck_s=self._limits.recheck_s,
        )
        self._count_again_at_s = -math.inf
        self._consumer = Consumer(
            complete(settings)
            | {"group.id": group, "on_commit": self._commits.answered, "error_cb": self._complaints.take},
            logger=logging.getLogger("librdkafka"),
        )
        self._consumer.subscribe(
            list(topics), on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )
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

    def poll(self, *, records_max: int, timeout_s: float) -> Sequence[Record]:
        """Up to `records_max` records of partitions owned now, in order within each; waits for the first one only."""
        self._judge_ownership()
        self._place(self._stopped.starts())
        self._start_over()
        messages = self._fetch(records_max, min(timeout_s, _ANSWER_S) if self._stopped.asking else timeout_s)
        records = records_of(messages, self._partitions.epochs)
        self._partitions.delivered(records)
        for message in messages:
            if (error := message.error()) is not None:
                self._take_error(message, error)
        kept, late = self._flow.parted(records, stopped=self._holds_back)
        self._flow.rewind(self._consumer, late)
        return kept

    def owns(self, record: Record) -> bool:
        """Whether the record's partition is still ours, in the same assignment that delivered it."""
        return self._partitions.owns(record)

    def hold_back(self, record: Record) -> None:
        """Deliver it, and what is behind it in its partition, once more, when it is `let_go`; a rebalance forgets it."""
        if self._partitions.owns(record):
            self._partitions.hold_back(key_of(record.position))
            self._flow.rewind(self._consumer, [record])

    def let_go(self, record: Record) -> None:
        """Deliver from this record on, unless all is paused."""
        if self._partitions.owns(record):
            self._partitions.let_go(key_of(record.position))
            self._tell([key_of(record.position)])

    @property
    def overdue(self) -> bool:
        """Whether the last poll is so long ago that partitions may have gone to others unheard."""
        return self._attendance.overdue

    def processed(self, records: Sequence[Record]) -> None:
        """All of these are done with; of each partition they are the next ones in order, none left out."""
        self._partitions.processed(records)

    def commit(self) -> None:
        """Tell Kafka what is processed, at most once per interval; the answer comes with a later `poll`."""
        self._commits.if_due(self._consumer)

    def pause(self) -> None:
        """Deliver nothing more; what librdkafka has fetched ahead is fetched again later."""
        self._paused = True
        self._tell(self._partitions.keys)

    def resume(self) -> None:
        """Deliver again what is not held back, unless ownership is still to be proven."""
        self._paused = False
        self._tell(self._partitions.keys)

    def close(self) -> None:
        """Commit what is processed, and leave the group: 4 s at most. On the polling thread; a second call does nothing."""
        if not self._closed:
            self._closed = self._paused = True
            leave(self._consumer, self._partitions, self._commits, keeps_its_name=self._keeps_its_name)
            self._asker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _holds_back(self) -> bool:
        return self._paused or (self._ownership is not None and not self._ownership.proven)

    def _fetch(self, records_max: int, timeout_s: float) -> Sequence[Message]:
        """consume() alone would wait for a full batch."""
        try:
            first = self._consumer.poll(timeout_s)
            self._attendance.listened()
            if first is None:
                return ()
            if has_left(first.error()):
                self._forget(tuple(self._partitions.keys))
            return (first, *self._consumer.consume(records_max - 1, 0)) if records_max > 1 else (first,)
        except KafkaException as problem:
            raise broken(problem.args[0]) from None

    def _take_error(self, message: Message, error: KafkaError) -> None:
        """A partition that fails before its first record has stopped for good: librdkafka asks once where to begin."""
        topic, partition = message.topic() or "", message.partition()
        if is_fatal(error):
            raise broken(error)
        if error.code() not in STOPS_A_PARTITION:
            self._complaints.take(error, topic)
        if partition is None or (topic, partition) not in self._partitions.keys:
            return
        if error.code() in STOPS_A_PARTITION:
            self._stopped.add((topic, partition))
        elif self._partitions.place_of((topic, partition)) is None:
            self._stopped.add((topic, partition), later=True)

    def _on_assign(self, _: Consumer, assigned: list[TopicPartition]) -> None:
        """Called, as the next two are, from within poll and close."""
        ours = keys(assigned)
        self._take_up(ours)
        self._placing.begin(self._consumer, assigned)
        self._tell(ours)
        if self._ownership is not None:
            self._ownership.assigned(self._clock())
        log(Line.PARTITIONS_ASSIGNED, partitions=listed(ours))

    def _on_revoke(self, _: Consumer, revoked: list[TopicPartition]) -> None:
        ours = keys(revoked)
        if not self._closed:
            self._commits.at_once(self._consumer, ours)
        self._forget(ours)
        if self._ownership is not None:
            self._ownership.revoked()
        log(Line.PARTITIONS_REVOKED, partitions=listed(ours))

    def _on_lost(self, _: Consumer, lost: list[TopicPartition]) -> None:
        """Another member may have them already: a commit now would set its offsets back."""
        ours = keys(lost)
        self._forget(ours)
        if self._ownership is not None:
            self._ownership.lost()
        log(Line.PARTITIONS_LOST, logging.WARNING, partitions=listed(ours))

    def _take_up(self, ours: Sequence[Key]) -> None:
        self._partitions.assigned(ours)
        self._stopped.gone(ours)
        self._incarnations.holds(topic for topic, _ in self._partitions.keys)

    def _forget(self, gone: Sequence[Key]) -> None:
        """Not paused: librdkafka would remember that, and deliver nothing when they come back after the pause."""
        if not self._closed and gone:
            self._consumer.resume(unplaced(gone))
        self._partitions.gone(gone)
        self._stopped.gone(gone)
        self._incarnations.holds(topic for topic, _ in self._partitions.keys)

    def _tell(self, ours: Collection[Key]) -> None:
        """Each of them flows, unless it is held back, or everything is."""
        self._flow.tell(self._consumer, ours, stopped=self._holds_back)

    def _place(self, starts: Mapping[Key, int]) -> None:
        """Fetch these from these offsets on."""
        if not starts:
            return
        for key, offset in starts.items():
            self._partitions.placed(key, offset)
        places = {key: self._partitions.place_of(key) for key in self._partitions.keys}
        others = {key: OFFSET_INVALID if place is None else place for key, place in places.items() if key not in starts}
        try:
            self._tell(self._placing.again(self._consumer, starts, others))
        except KafkaException as problem:
            self._complaints.take(problem.args[0])
            for key in starts:
                self._stopped.add(key, later=True)

    def _start_over(self) -> None:
        """Read a topic that was deleted and made again from its beginning: what it holds is new, whatever its offsets."""
        for topic in self._incarnations.take_recreated():
            alarm(Line.TOPIC_RECREATED, topic=topic)
            again = [key for key in self._partitions.keys if key[0] == topic]
            self._forget(again)
            self._take_up(again)
            self._place(dict.fromkeys(again, OFFSET_BEGINNING))

    def _judge_ownership(self) -> None:
        ownership = self._ownership
        if ownership is None or not ownership.in_question or self._clock() < self._count_again_at_s:
            return
        held_back = self._holds_back
        self._count_again_at_s = self._clock() + self._limits.recheck_s
        try:
            existing = sum(self._count(topic) for topic in self._topics)
        except KafkaException as problem:
            self._complaints.take(problem.args[0])
            return
        ownership.counted(owned=len(self._partitions.keys), existing=existing, now_s=self._clock())
        if held_back and not self._holds_back:
            self._tell(self._partitions.keys)

    def _count(self, topic: str) -> int:
        metadata = self._consumer.list_topics(topic, self._limits.request_timeout_s)
        return len(metadata.topics[topic].partitions)
