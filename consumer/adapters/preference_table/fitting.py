"""Whether what a table knows can be continued with its topic as that is now."""

from collections.abc import Collection, Mapping
from datetime import datetime

import msgspec

from consumer.adapters.preference_table.store import Source, State

Marks = Mapping[int, tuple[int, int]]
"""The first and the next offset of each partition."""


class TopicNow(msgspec.Struct, frozen=True, kw_only=True):
    """What the topic is `at` this moment. A tombstone that is older than `tombstones_since` may be gone from it."""

    source: Source
    marks: Marks
    at: datetime
    tombstones_since: datetime


def misfit(known: State | None, topic: TopicNow) -> str | None:
    """Why what the table knows cannot be continued; None if it can."""
    if known is None:
        return None
    if known.source.shape != topic.source.shape:
        return "other_shape"
    if not _is_named_alike(known.source, topic.source):
        return "other_topic"
    if not _is_same(known.source, topic.source):
        return "topic_made_again"
    if known.synced_at < topic.tombstones_since:
        return "too_long_away"
    if not known.offsets.keys() <= topic.marks.keys():
        return "fewer_partitions"
    if any(not topic.marks[number][0] <= offset <= topic.marks[number][1] for number, offset in known.offsets.items()):
        return "offsets_gone"
    return None


def added(known: State | None, topic: TopicNow) -> Collection[int]:
    """The partitions that the topic did not have when the table was written last; none of another topic."""
    if known is None or not known.offsets or not _is_same(known.source, topic.source):
        return ()
    return sorted(topic.marks.keys() - known.offsets.keys())


def _is_named_alike(one: Source, other: Source) -> bool:
    return (one.cluster_id, one.topic) == (other.cluster_id, other.topic)


def _is_same(one: Source, other: Source) -> bool:
    """As far as is known: its id may not have been told yet."""
    return _is_named_alike(one, other) and len({one.topic_id, other.topic_id} - {None}) <= 1
