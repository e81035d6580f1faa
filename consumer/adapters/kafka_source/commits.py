"""When Kafka is told what is processed, and what its answers mean."""

import math
from collections.abc import Callable, Iterable, Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from consumer.adapters.kafka_source.complaints import Complaints
from consumer.adapters.kafka_source.incarnations import Incarnations
from consumer.adapters.kafka_source.partitions import Key, Partitions
from consumer.adapters.kafka_source.translation import placed


class Commits:
    """Explicit offsets only, and only of what is ours. None of it raises: what is not committed is delivered again."""

    def __init__(
        self,
        partitions: Partitions,
        complaints: Complaints,
        incarnations: Incarnations,
        *,
        clock: Callable[[], float],
        interval_s: float,
    ) -> None:
        """`clock`: monotonic seconds."""
        self._partitions = partitions
        self._complaints = complaints
        self._incarnations = incarnations
        self._clock = clock
        self._interval_s = interval_s
        self._last_s = -math.inf

    def if_due(self, consumer: Consumer) -> None:
        """Once per interval, without waiting; the answer comes with a later poll."""
        now_s = self._clock()
        if now_s - self._last_s < self._interval_s:
            return
        offsets = self._partitions.untold()
        if not offsets:
            return
        self._last_s = now_s
        self._tell(consumer, self._still_meant(offsets))

    def last(self, consumer: Consumer) -> None:
        """All that is not confirmed, without waiting; nothing more will be processed."""
        self._tell(consumer, self._still_meant(self._partitions.unconfirmed(self._partitions.keys)))

    def _still_meant(self, offsets: Mapping[Key, int]) -> Mapping[Key, int]:
        """Without those of topics that were made again meanwhile."""
        same = self._incarnations.same({topic for topic, _ in offsets})
        return {key: offset for key, offset in offsets.items() if key[0] in same}

    def _tell(self, consumer: Consumer, offsets: Mapping[Key, int]) -> None:
        if not offsets:
            return
        try:
            consumer.commit(offsets=placed(offsets), asynchronous=True)
        except KafkaException as problem:
            self._complaints.take_refusal(problem.args[0])
        else:
            self._partitions.told(offsets)

    def at_once(self, consumer: Consumer, keys: Iterable[Key]) -> None:
        """Wait for the answer: these partitions are about to go."""
        offsets = self._still_meant(self._partitions.unconfirmed(keys))
        if not offsets:
            return
        try:
            answers = consumer.commit(offsets=placed(offsets), asynchronous=False)
        except KafkaException as problem:
            self._complaints.take_refusal(problem.args[0])
        else:
            self._partitions.told(offsets)
            self.answered(None, answers)

    def answered(self, error: KafkaError | None, answers: Iterable[TopicPartition]) -> None:
        """Kafka's answer, for all and for each; what it refused is told again when the next commit is due."""
        if error is not None:
            self._complaints.take_refusal(error)
        for answer in answers:
            if error is None and answer.error is not None:
                self._complaints.take_refusal(answer.error)
            confirmed = error is None and answer.error is None
            self._partitions.answered((answer.topic, answer.partition), answer.offset, confirmed=confirmed)
