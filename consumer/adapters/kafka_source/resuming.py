"""How partitions that have stopped are read on."""

from collections.abc import Sequence

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaException, Message, TopicPartition

from consumer.adapters.kafka_source.complaints import Complaints
from consumer.adapters.kafka_source.flow import Flow, sought
from consumer.adapters.kafka_source.inbox import Inbox
from consumer.adapters.kafka_source.partitions import Key, Partitions
from consumer.adapters.kafka_source.placing import Placing
from consumer.adapters.kafka_source.stopped import Stopped
from consumer.core.record import Fetched

_HEAR_MAX = 100


class Resuming:
    """By seeking, or, where librdkafka has stopped one itself, by handing it over again.

    A hand-over between a rebalance and our answer to it is taken for the answer, and what is processed would be committed
    too late. So right before it everything is heard: librdkafka holds records back while a rebalance waits for its answer.
    What was heard is in the books by then: they tell where each partition is handed over.
    """

    def __init__(
        self,
        partitions: Partitions,
        stopped: Stopped,
        complaints: Complaints,
        placing: Placing,
        flow: Flow,
        inbox: Inbox,
    ) -> None:
        self._partitions = partitions
        self._stopped = stopped
        self._complaints = complaints
        self._placing = placing
        self._flow = flow
        self._inbox = inbox

    def go_on(self, consumer: Consumer) -> Fetched:
        """Read on those of which it is known where; waits as Stopped does. Returns what came meanwhile: one at most."""
        self._stopped.look()
        for key, offset in self._stopped.starts.items():
            if sought(consumer, TopicPartition(*key, offset)):
                self._placed(key, offset)
                self._flow.tell(consumer, [key])
        if not self._stopped.starts:
            return Fetched()
        heard = self._flow.let_through(consumer, self._inbox.accepted(self._hear(consumer)))
        self._hand_over(consumer)
        return heard

    def _hear(self, consumer: Consumer) -> Sequence[Message]:
        """Until there is a record, or nothing: then no rebalance waits for its answer."""
        heard: list[Message] = []
        for _ in range(_HEAR_MAX):
            messages = self._inbox.fetch(consumer, 1, 0.0)
            heard += messages
            if not messages or heard[-1].error() is None:
                break
        return heard

    def _hand_over(self, consumer: Consumer) -> None:
        starts = self._stopped.starts
        if not starts:
            return
        places = {key: self._partitions.place_of(key) for key in self._partitions.keys}
        others = {key: OFFSET_INVALID if place is None else place for key, place in places.items() if key not in starts}
        try:
            again = self._placing.again(consumer, starts, others)
        except KafkaException as problem:
            self._complaints.take(problem.args[0])
            for key in starts:
                self._stopped.postpone(key)
        else:
            for key, offset in starts.items():
                self._placed(key, offset)
            self._flow.tell(consumer, again)

    def _placed(self, key: Key, offset: int) -> None:
        self._partitions.placed(key, offset)
        self._stopped.placed(key)
