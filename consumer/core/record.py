"""One Kafka entry, as it lies in its topic."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import overload

import msgspec

_TRACEPARENT = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}\Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LAST_MS = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND


Delivery = tuple[str, int, int]
"""A topic, the number of one of its partitions, and the assignment in which it is read."""
Headers = Sequence[tuple[str, bytes | None]]


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
    headers: Headers = ()
    timestamp_ms: int
    epoch: int = 0

    @property
    def timestamp(self) -> datetime:
        """The record's timestamp as an aware UTC datetime; 1970, or the last there is, where it lies beyond."""
        return _EPOCH + _MILLISECOND * min(max(self.timestamp_ms, 0), _LAST_MS)

    def header(self, name: str) -> bytes | None:
        """The last value of the header called `name`, or None."""
        return header_of(self.headers, name)

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


def header_of(headers: Headers, name: str) -> bytes | None:
    """The last value of the header called `name`, or None."""
    return next((value for key, value in reversed(headers) if key == name), None)


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of every record that was fetched, without a word about each of them.

    In their order the `values` and the `headers`; `counts`: how many there are of each delivery, `ends`: the offset after
    the last of each.
    """

    values: Sequence[bytes | None]
    headers: Sequence[Headers]
    counts: Mapping[Delivery, int]
    ends: Mapping[Delivery, int]

    def __repr__(self) -> str:
        """How many only."""
        return f"Columns({len(self.values)} records)"


class Fetched(Sequence[Record]):
    """Records in the order in which they were polled.

    Most of them concern nobody: they may be made of what was polled only when they are asked for, each time anew.
    """

    __slots__ = ("_records", "columns")

    def __init__(self, records: Sequence[Record] = (), columns: Columns | None = None) -> None:
        """The columns are made here, unless whoever fetched them has done so."""
        self._records = tuple(records) if columns is None else records
        self.columns = _columns(self._records) if columns is None else columns

    @property
    def by_topic(self) -> Mapping[str, int]:
        """How many there are of each topic."""
        found = Counter[str]()
        for (topic, _, _), count in self.columns.counts.items():
            found[topic] += count
        return found

    @property
    def ends(self) -> Mapping[Delivery, int]:
        """The offset after the last of each delivery."""
        return self.columns.ends

    @overload
    def __getitem__(self, at: int) -> Record: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Record]: ...
    def __getitem__(self, at: int | slice) -> Record | Sequence[Record]:
        """As of any sequence."""
        return self._records[at]

    def __iter__(self) -> Iterator[Record]:
        """As of any sequence."""
        return iter(self._records)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._records)

    def __repr__(self) -> str:
        """How many only."""
        return f"Fetched({len(self)} records)"


def _columns(records: Sequence[Record]) -> Columns:
    return Columns(
        values=[record.value for record in records],
        headers=[record.headers for record in records],
        counts=Counter(record.delivery for record in records),
        ends={record.delivery: record.position.offset + 1 for record in records},
    )
