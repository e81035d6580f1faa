"""What the topic has that the table does not know of."""

from datetime import timedelta

import pytest

from consumer.adapters.preference_table.fitting import TopicNow, added
from consumer.adapters.preference_table.store import Source, State
from tests.builders import NOW

MINE = Source(cluster_id="c", topic="preferences", topic_id="t1")


def topic(*numbers: int, source: Source = MINE) -> TopicNow:
    marks = dict.fromkeys(numbers, (0, 9))
    return TopicNow(source=source, marks=marks, at=NOW, tombstones_since=NOW - timedelta(hours=12))


def known(*numbers: int, source: Source = MINE) -> State:
    return State(source=source, offsets=dict.fromkeys(numbers, 3), synced_at=NOW)


def test_partitions_that_were_added_are_found_however_old_the_table_is() -> None:
    assert list(added(known(0, 1), topic(0, 1, 2, 3))) == [2, 3]


@pytest.mark.parametrize(
    "before",
    [
        None,
        known(),
        known(0, 1, 2, 3),
        known(0, source=Source(cluster_id="c", topic="another", topic_id="t1")),
        known(0, source=Source(cluster_id="c", topic="preferences", topic_id="t0")),
    ],
    ids=["nothing", "not begun", "all", "of another topic", "of one that was made again"],
)
def test_there_are_none_where_nothing_is_known_of_this_topic_or_all_of_it(before: State | None) -> None:
    assert list(added(before, topic(0, 1, 2, 3))) == []
