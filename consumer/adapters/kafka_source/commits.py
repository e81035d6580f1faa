"""When Kafka is told what is processed, and what its answers mean."""

import math
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from consumer.adapters.kafka_source.complaints import Complaints
from consumer.adapters.kafka_source.confirmation import Confirmation
from consumer.adapters.kafka_source.incarnations import Incarnations
from consumer.adapters.kafka_source.partitions import Key, Partitions
from consumer.adapters.kafka_source.translation import placed, unplaced

_SHUT_OUT = frozenset({KafkaError.UNKNOWN_MEMBER_ID, KafkaError.FENCED_MEMBER_EPOCH})
"""What the group says to who is no member any more."""
_UNANSWERED_S = 120.0
_LOOK_UP_S, _LOOK_UP_EACH_S = 0.5, 1.0
"""How long a look-up may take, and how often there may be one: the polling thread waits for it."""


class Commits:
    """Explicit offsets only, and only of what is ours. None of it raises: what is not committed is delivered again.

    One after the other: librdkafka repeats by itself what a coordinator that moves or a connection that breaks leaves
    without an answer, even when a later one has overtaken it, and the group's offsets would go back to it and stay there.
    """

    def __init__(
        self,
        partitions: Partitions,
        complaints: Complaints,
        incarnations: Incarnations,
        confirmation: Confirmation,
        *,
        clock: Callable[[], float],
        interval_s: float,
    ) -> None:
        """`clock`: monotonic seconds."""
        self._partitions = partitions
        self._complaints = complaints
        self._incarnations = incarnations
        self._confirmation = confirmation
        self._clock = clock
        self._interval_s = interval_s
        self._last_s = self._under_way_since_s = self._looked_up_s = -math.inf
        self._under_way_of: AbstractSet[Key] = frozenset()

    def if_due(self, consumer: Consumer) -> None:
        """Once per interval, without waiting; the answer comes with a later poll, and until then nothing more is told."""
        now_s = self._clock()
        if now_s - self._last_s < self._interval_s or self._under_way:
            return
        offsets = self._partitions.untold()
        if not offsets:
            return
        self._last_s = now_s
        self._tell(consumer, self._still_meant(offsets))

    def last(self, consumer: Consumer) -> None:
        """All that is not confirmed, without waiting, unless an answer is to come; nothing more will be processed."""
        if not self._under_way:
            self._tell(consumer, self._still_meant(self._partitions.unconfirmed(self._partitions.keys)))

    def again(self, consumer: Consumer) -> None:
        """What it may know already, one of each topic, unless an answer is to come: only a member's commit is confirmed.

        Asking for an offset would not do: librdkafka asks for those in nobody's name.
        """
        if self._under_way:
            return
        offsets = self._partitions.known() or self._looked_up(consumer)
        ones = {topic: (topic, partition) for topic, partition in sorted(offsets, reverse=True)}
        self._tell(consumer, self._still_meant({key: offsets[key] for key in ones.values()}))

    def _looked_up(self, consumer: Consumer) -> Mapping[Key, int]:
        """What the group has committed of ours, as nothing was processed yet; waits for a moment, but not each time."""
        now_s = self._clock()
        asked = self._partitions.keys - self._partitions.anew
        if not asked or now_s - self._looked_up_s < _LOOK_UP_EACH_S:
            return {}
        self._looked_up_s = now_s
        try:
            found = consumer.committed(unplaced(asked), _LOOK_UP_S)
        except KafkaException as problem:
            self._complaints.take(problem.args[0])
            return {}
        return {(one.topic, one.partition): one.offset for one in found if one.error is None and one.offset >= 0}

    @property
    def _under_way(self) -> bool:
        return self._clock() < self._under_way_since_s + _UNANSWERED_S

    def _still_meant(self, offsets: Mapping[Key, int]) -> Mapping[Key, int]:
        """Without those of topics that were made again meanwhile."""
        same = self._incarnations.same({topic for topic, _ in offsets})
        return {key: offset for key, offset in offsets.items() if key[0] in same}

    def _tell(self, consumer: Consumer, offsets: Mapping[Key, int]) -> None:
        if not offsets:
            return
        now_s = self._clock()
        try:
            consumer.commit(offsets=placed(offsets), asynchronous=True)
        except KafkaException as problem:
            self._complaints.take_refusal(problem.args[0])
        else:
            self._under_way_since_s, self._under_way_of = now_s, offsets.keys()
            self._confirmation.asked(now_s)
            self._partitions.told(offsets)

    def at_once(self, consumer: Consumer, keys: Iterable[Key]) -> None:
        """Wait for the answer: these partitions are about to go.

        Unless another answer is to come for one of them, for which nobody can wait here: what that does not cover is
        delivered again, to whoever has it next.
        """
        answered = set(keys) - self._under_way_of if self._under_way else keys
        offsets = self._still_meant(self._partitions.unconfirmed(answered))
        if not offsets:
            return
        try:
            answers = consumer.commit(offsets=placed(offsets), asynchronous=False)
        except KafkaException as problem:
            self._complaints.take_refusal(problem.args[0])
        else:
            self._partitions.told(offsets)
            self._enter(None, answers)

    def answered(self, error: KafkaError | None, answers: Iterable[TopicPartition]) -> None:
        """Kafka's answer, for all and for each; what it refused is told again when the next commit is due."""
        self._under_way_since_s = -math.inf
        answers = tuple(answers)
        self._confirmation.answered(confirmed=error is None and any(answer.error is None for answer in answers))
        if error is not None and error.code() in _SHUT_OUT:
            self._confirmation.ended()
        self._enter(error, answers)

    def _enter(self, error: KafkaError | None, answers: Iterable[TopicPartition]) -> None:
        if error is not None:
            self._complaints.take_refusal(error)
        for answer in answers:
            if error is None and answer.error is not None:
                self._complaints.take_refusal(answer.error)
            confirmed = error is None and answer.error is None
            self._partitions.answered((answer.topic, answer.partition), answer.offset, confirmed=confirmed)
