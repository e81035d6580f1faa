"""What a poll brings, where the group takes partitions away within it."""

from confluent_kafka import Consumer, Message

from consumer.adapters.kafka_source.attendance import Attendance
from consumer.adapters.kafka_source.inbox import Inbox
from consumer.adapters.kafka_source.partitions import Key, Partitions

KEY: Key = ("events", 0)


class Silent(Attendance):
    """Of a member that nobody expects."""

    def __init__(self) -> None:
        pass

    def begin(self, timeout_s: float) -> float:
        return timeout_s

    def end(self, *, empty: bool) -> None:
        pass


class Handing(Consumer):
    """A client that hands out one record, and then one more: before that a rebalance takes and gives partitions."""

    def __init__(self, books: Partitions, taken: Key) -> None:
        super().__init__({"group.id": "group"})
        self._books = books
        self._taken = taken

    def poll(self, timeout: float = -1) -> Message:
        return Message("events", 0, 7)

    def consume(self, num_messages: int = 1, timeout: float = -1) -> list[Message]:
        self._books.gone([self._taken])
        self._books.assigned([self._taken])
        return [Message("events", 0, 8)]


def fetched(taken: Key) -> list[int | None]:
    books = Partitions()
    books.assigned([KEY, ("events", 1)])
    inbox = Inbox(books, None, None, Silent(), None)  # type: ignore[arg-type]
    consumer = Handing(books, taken)
    found = [message.offset() for message in inbox.fetch(consumer, 10, 0.0)]
    consumer.close()
    return found


def test_what_came_before_its_partition_went_and_came_back_is_left_to_come_again() -> None:
    assert fetched(taken=KEY) == [8]


def test_another_partition_s_rebalance_takes_no_record() -> None:
    assert fetched(taken=("events", 1)) == [7, 8]
