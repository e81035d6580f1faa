"""What Kafka says of many partitions at once: where each may be read on. Nobody waits for it."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Self

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # left out of its types

from consumer.adapters.kafka_source.partitions import Key
from consumer.adapters.kafka_source.translation import unplaced

_LATE_S = 0.5
_NO_ANSWER = KafkaError(KafkaError._TIMED_OUT)  # noqa: SLF001 - so named
_NO_LEADER = KafkaError(KafkaError.LEADER_NOT_AVAILABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """`committed` is negative where the group has committed nothing; `high` is where the next record will lie."""

    committed: int
    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inquiry:
    """One question about some partitions, at most one request to each broker; there may be an answer until `until_s`."""

    keys: Sequence[Key]
    committed: Future[Any]
    lows: Mapping[Key, Future[Any]]
    highs: Mapping[Key, Future[Any]]
    until_s: float

    @classmethod
    def about(cls, keys: Sequence[Key], client: AdminClient, group: str, *, timeout_s: float, now_s: float) -> Self:
        """Ask. `now_s`: monotonic."""
        committed = client.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(group, unplaced(keys))], require_stable=True, request_timeout=timeout_s
        )
        return cls(
            keys=keys,
            committed=committed[group],
            lows=_marks(client, keys, OffsetSpec.earliest(), timeout_s),  # type: ignore[no-untyped-call]
            highs=_marks(client, keys, OffsetSpec.latest(), timeout_s),  # type: ignore[no-untyped-call]
            until_s=now_s + timeout_s + _LATE_S,
        )

    def settled(self, now_s: float) -> bool:
        """Whether nothing more is to be expected."""
        futures = (self.committed, *self.lows.values(), *self.highs.values())
        return now_s >= self.until_s or all(future.done() for future in futures)

    @property
    def unheard(self) -> bool:
        """Whether not even the group's coordinator has said anything, once it is settled."""
        try:
            _result(self.committed)
        except KafkaException as problem:
            return bool(problem.args[0].code() == _NO_ANSWER.code())
        return False

    def answers(self) -> Iterator[tuple[Key, Found | KafkaError]]:
        """Of each partition, once it is settled."""
        try:
            committed = {(one.topic, one.partition): one for one in _result(self.committed).topic_partitions}
        except KafkaException as problem:
            yield from ((key, problem.args[0]) for key in self.keys)
            return
        for key in self.keys:
            try:
                low, high = _result(self.lows[key]).offset, _result(self.highs[key]).offset
            except KafkaException as problem:
                yield key, _NO_LEADER if problem.args[0].code() == KafkaError._NOENT else problem.args[0]  # noqa: SLF001
            else:
                yield key, committed[key].error or Found(committed=committed[key].offset, low=low, high=high)


def _marks(client: AdminClient, keys: Sequence[Key], end: OffsetSpec, timeout_s: float) -> Mapping[Key, Future[Any]]:
    asked = client.list_offsets(
        dict.fromkeys(unplaced(keys), end), isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=timeout_s
    )
    return {(one.topic, one.partition): future for one, future in asked.items()}


def _result(future: Future[Any]) -> Any:
    """Raises KafkaException; nobody waits here: what is not answered by now is not answered at all."""
    if not future.done():
        raise KafkaException(_NO_ANSWER)
    return future.result()
