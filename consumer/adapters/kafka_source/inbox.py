"""What a poll brings: records of ours, and what the client complains of."""

from collections.abc import Iterable, Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, Message

from consumer.adapters.kafka_source.attendance import Attendance
from consumer.adapters.kafka_source.complaints import STOPS_A_PARTITION, Complaints, broken, has_left, is_fatal
from consumer.adapters.kafka_source.membership import Membership
from consumer.adapters.kafka_source.partitions import Partitions
from consumer.adapters.kafka_source.stopped import Stopped
from consumer.adapters.kafka_source.translation import records_of
from consumer.core.record import Fetched


class Inbox:
    """Takes what librdkafka hands out, and raises Broken where that ends the process."""

    def __init__(
        self,
        partitions: Partitions,
        stopped: Stopped,
        complaints: Complaints,
        attendance: Attendance,
        membership: Membership,
    ) -> None:
        self._partitions = partitions
        self._stopped = stopped
        self._complaints = complaints
        self._attendance = attendance
        self._membership = membership

    def fetch(self, consumer: Consumer, records_max: int, timeout_s: float) -> Sequence[Message]:
        """consume() alone would wait for a full batch."""
        try:
            first = consumer.poll(self._attendance.begin(timeout_s))
            self._attendance.end(empty=first is None)
            if first is None:
                return ()
            if has_left(first.error()):
                self._membership.forget(consumer, tuple(self._partitions.keys))
            return self._with_more(consumer, first, records_max - 1)
        except KafkaException as problem:
            raise broken(problem.args[0]) from None

    def _with_more(self, consumer: Consumer, first: Message, more_max: int) -> Sequence[Message]:
        """Without the first where its partition has been taken away meanwhile, though it may be back: it comes once more."""
        if not more_max:
            return (first,)
        key = (first.topic() or "", first.partition() or 0)
        epoch = self._partitions.epoch_of(key)
        more = consumer.consume(more_max, 0)
        return (first, *more) if self._partitions.epoch_of(key) == epoch else more

    def accepted(self, messages: Iterable[Message]) -> Fetched:
        """The records among them of partitions that no rebalance has taken away meanwhile; what else is said is heard."""
        records, errors = records_of(messages, self._partitions.epochs)
        self._partitions.delivered(records.ends)
        self._stopped.flow(records.ends)
        for message, error in errors:
            self._take_error(message, error)
        return records

    def _take_error(self, message: Message, error: KafkaError) -> None:
        """A partition that fails before its first record may have stopped for good, or goes on: records will tell."""
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
            self._stopped.add((topic, partition))
            self._stopped.postpone((topic, partition))
