"""What a member tells its group, and when it tells it nothing."""

from collections.abc import Sequence
from typing import Any

from confluent_kafka import TopicPartition

from consumer.adapters.kafka_source.commits import Commits
from consumer.adapters.kafka_source.confirmation import Confirmation
from consumer.adapters.kafka_source.partitions import Partitions

OLD, NEW = ("old", 0), ("new", 0)


class Group:
    """A client of a group that has committed 7 of everything; it keeps what it was asked and told."""

    def __init__(self) -> None:
        self.looked_up: list[str] = []
        self.told: dict[str, int] = {}
        self.waited_for: list[int] = []

    def committed(self, asked: Sequence[TopicPartition], _: float) -> list[TopicPartition]:
        self.looked_up += [one.topic for one in asked]
        return [TopicPartition(one.topic, one.partition, 7) for one in asked]

    def commit(self, *, offsets: Sequence[TopicPartition], asynchronous: bool) -> Sequence[TopicPartition]:
        self.told |= {one.topic: one.offset for one in offsets}
        self.waited_for += [] if asynchronous else [one.offset for one in offsets]
        return offsets


class NeverMadeAgain:
    """Of topics that are all what they were."""

    def same(self, topics: set[str]) -> set[str]:
        return topics


def commits(books: Partitions) -> Commits:
    unused: Any = None
    incarnations: Any = NeverMadeAgain()
    return Commits(books, unused, incarnations, Confirmation(), clock=lambda: 100.0, interval_s=1.0)


def test_who_has_processed_nothing_tells_again_what_the_group_knows() -> None:
    books, group = Partitions(), Group()
    books.assigned([OLD])

    commits(books).again(group)  # type: ignore[arg-type]

    assert group.told == {"old": 7}


def test_of_a_topic_that_was_made_again_nothing_is_looked_up_before_it_is_placed() -> None:
    books, group = Partitions(), Group()
    books.assigned([OLD, NEW])
    books.made_again([NEW])

    commits(books).again(group)  # type: ignore[arg-type]

    assert (group.looked_up, group.told) == (["old"], {"old": 7})


def test_what_was_placed_need_not_be_looked_up() -> None:
    books, group = Partitions(), Group()
    books.assigned([NEW])
    books.made_again([NEW])
    books.placed(NEW, 0)

    commits(books).again(group)  # type: ignore[arg-type]

    assert (group.looked_up, group.told) == ([], {"new": 0})


def test_before_partitions_go_nothing_is_told_beside_what_is_not_answered_yet() -> None:
    """librdkafka may repeat that later, and the group's offset would go back to it."""
    books, group = Partitions(), Group()
    books.assigned([OLD, NEW])
    one = commits(books)
    books.processed({("old", 0, 1): 8})
    one.if_due(group)  # type: ignore[arg-type]
    books.processed({("old", 0, 1): 9, ("new", 0, 1): 3})

    one.at_once(group, [OLD, NEW])  # type: ignore[arg-type]
    assert (group.told, group.waited_for) == ({"old": 8, "new": 3}, [3])

    one.answered(None, [TopicPartition("old", 0, 8)])
    one.at_once(group, [OLD, NEW])  # type: ignore[arg-type]
    assert (group.told, group.waited_for) == ({"old": 9, "new": 3}, [3, 9])
