"""A record as it lies in its topic."""

from datetime import UTC, datetime

import pytest

from consumer.core.record import Position
from tests.builders import record

TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_position_reads_as_kafkas_tools_write_it() -> None:
    assert str(Position(topic="bank.balances.v1", partition=3, offset=41)) == "bank.balances.v1[3]@41"


def test_the_timestamp_is_an_instant_in_utc() -> None:
    assert record(timestamp_ms=1_795_354_200_250).timestamp == datetime(2026, 11, 22, 13, 30, 0, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("timestamp_ms", "read_as"),
    [
        (0, "1970-01-01T00:00:00+00:00"),
        (-1, "1970-01-01T00:00:00+00:00"),
        (1_795_354_200_250_000, "9999-12-31T23:59:59.999000+00:00"),
        (2**63 - 1, "9999-12-31T23:59:59.999000+00:00"),
        (-(2**63), "1970-01-01T00:00:00+00:00"),
    ],
    ids=["zero", "none", "microseconds", "largest", "smallest"],
)
def test_every_timestamp_that_a_producer_can_write_is_an_instant(timestamp_ms: int, read_as: str) -> None:
    assert record(timestamp_ms=timestamp_ms).timestamp.isoformat() == read_as


def test_of_a_header_that_stands_twice_the_last_one_counts() -> None:
    twice = record(headers=(("source", b"one"), ("other", None), ("source", b"two")))

    assert (twice.header("source"), twice.header("other"), twice.header("absent")) == (b"two", None, None)


def test_a_trace_context_is_taken_over_as_it_came() -> None:
    assert record(headers=(("traceparent", TRACE),)).traceparent == TRACE.decode()


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"\xff",
        TRACE.upper(),
        TRACE + b"-extra",
        TRACE + b"\n",
        b"01" + TRACE[2:],
        b"00-" + b"0" * 32 + TRACE[35:],
        TRACE[:36] + b"0" * 16 + b"-01",
    ],
)
def test_a_trace_context_that_is_not_exactly_one_is_none(value: bytes | None) -> None:
    assert record(headers=(("traceparent", value),)).traceparent is None
    assert record().traceparent is None


def test_nothing_that_a_record_holds_is_printed() -> None:
    full = record(key=b"canary", value=b"canary", headers=(("canary", b"canary"),))

    assert repr(full) == "Record(bank.transactions.v1[0]@12)"


def test_what_is_delivered_together_is_a_partition_within_one_assignment() -> None:
    same = [record(epoch=3), record(epoch=3, position=Position(topic="bank.transactions.v1", partition=0, offset=99))]
    others = [
        record(epoch=4),
        record(epoch=3, position=Position(topic="bank.transactions.v1", partition=1, offset=12)),
        record(epoch=3, position=Position(topic="bank.balances.v1", partition=0, offset=12)),
    ]

    assert len({one.delivery for one in same}) == 1
    assert len({one.delivery for one in [*same, *others]}) == 4
