"""One Kafka entry, as it lies in its topic."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

_TRACEPARENT = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}\Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LAST_MS = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND


Delivery = tuple[str, int, int]
"""A topic, the number of one of its partitions, and the assignment in which it is read."""


class Position(msgspec.Struct, frozen=True, kw_only=True, order=True, gc=False):
    """Where a record lies: enough to find it again, and nothing of what it says."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        """`topic[partition]@offset`, as Kafka's own tools write it."""
        return f"{self.topic}[{self.partition}]@{self.offset}"


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A record as polled: bytes that nobody has looked into yet.

    `timestamp_ms` is the record's own timestamp in milliseconds since 1970 (UTC), negative where it has none. Header values
    are bytes or absent. `epoch` names the assignment of partitions that delivered it: after a rebalance an older epoch's
    record is no longer ours. Key, value and headers may hold anything a bank knows of a customer: none of them is printed.
    """

    position: Position
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    timestamp_ms: int
    epoch: int = 0

    @property
    def timestamp(self) -> datetime:
        """The record's timestamp as an aware UTC datetime; 1970, or the last there is, where it lies beyond."""
        return _EPOCH + _MILLISECOND * min(max(self.timestamp_ms, 0), _LAST_MS)

    def header(self, name: str) -> bytes | None:
        """The last value of the header called `name`, or None."""
        return next((value for key, value in reversed(self.headers) if key == name), None)

    @property
    def delivery(self) -> Delivery:
        """Within which it keeps its place: nothing of it may be done before what comes before it."""
        return self.position.topic, self.position.partition, self.epoch

    @property
    def traceparent(self) -> str | None:
        """The W3C trace context that came with the record, or None where it is absent or not exactly as specified."""
        value = self.header("traceparent")
        return value.decode() if value is not None and _TRACEPARENT.match(value) else None

    def __repr__(self) -> str:
        """The position only."""
        return f"Record({self.position})"


class Fetched(list[Record]):
    """Records in the order in which they were polled, and what nobody should walk through all of them for again.

    `counts`: how many there are of each delivery, `ends`: the offset after the last of each.
    """

    def __init__(
        self,
        records: Iterable[Record] = (),
        *,
        counts: Mapping[Delivery, int] | None = None,
        ends: Mapping[Delivery, int] | None = None,
    ) -> None:
        """Counted here, unless whoever fetched them has done so."""
        super().__init__(records)
        self.counts = Counter(record.delivery for record in self) if counts is None else counts
        self.ends = {record.delivery: record.position.offset + 1 for record in self} if ends is None else ends

    @property
    def by_topic(self) -> Mapping[str, int]:
        """How many there are of each topic."""
        found = Counter[str]()
        for (topic, _, _), count in self.counts.items():
            found[topic] += count
        return found
