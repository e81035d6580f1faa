"""How many partitions there are, where one process must own them all."""

import math
from collections.abc import Callable, Sequence

from confluent_kafka import Consumer, KafkaException

from consumer.adapters.kafka_source.complaints import Complaints
from consumer.adapters.kafka_source.limits import SourceLimits
from consumer.adapters.kafka_source.ownership import Ownership


class Census:
    """Counts the topics' partitions for as long as it is in question whether all of them are ours."""

    def __init__(
        self,
        ownership: Ownership,
        complaints: Complaints,
        *,
        topics: Sequence[str],
        clock: Callable[[], float],
        limits: SourceLimits,
    ) -> None:
        """`clock`: monotonic seconds."""
        self._ownership = ownership
        self._complaints = complaints
        self._topics = topics
        self._clock = clock
        self._limits = limits
        self._again_at_s = -math.inf

    def take(self, consumer: Consumer, owned: int) -> None:
        """Tell of it, if it is in question. Raises Broken when patience is at its end."""
        if not self._ownership.in_question or self._clock() < self._again_at_s:
            return
        self._again_at_s = self._clock() + self._limits.recheck_s
        try:
            existing = sum(self._count(consumer, topic) for topic in self._topics)
        except KafkaException as problem:
            self._complaints.take(problem.args[0])
        else:
            self._ownership.counted(owned=owned, existing=existing, now_s=self._clock())

    def _count(self, consumer: Consumer, topic: str) -> int:
        return len(consumer.list_topics(topic, self._limits.request_timeout_s).topics[topic].partitions)
