"""Between notices and rows."""

import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from consumer.core.catalogue import InDoubtPolicy
from consumer.core.delivery import Claim
from consumer.core.masking import Masked
from consumer.core.notice import EventKey, Notice
from consumer.core.preferences import DetailLevel
from consumer.core.record import Position
from consumer.core.standing import Occurrence

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ENCODER = msgspec.json.Encoder()
_KINDS = msgspec.json.Decoder(tuple[str, ...])
_VALUES = msgspec.json.Decoder(dict[str, Masked])
_FACTS = msgspec.json.Decoder(dict[str, str])
_OCCURRENCES = msgspec.json.Decoder(tuple[Occurrence, ...])

Row = tuple[Any, ...]

NOTICE_COLUMNS = (
    "tenant, event_type, event_id, customer_id, kind, also, alert_class, rank, in_doubt, detail_level, masked_values, "
    "facts, catalogue_version, occurred_at, recorded_at, stale_at, not_before, record_topic, record_partition, "
    "record_offset, record_timestamp, preferences_topic, preferences_partition, preferences_offset, traceparent, "
    "transaction_id, occurrences"
)
_NOTICE_NAMES = NOTICE_COLUMNS.split(", ")
NOTICE_PLACES = ", ".join("?" for _ in _NOTICE_NAMES)
CLAIM_COLUMNS = ", ".join(
    [f"d.{name}" for name in ("notice_id", "fence", "owner", "lease_until", "attempts", "doubts")]
    + [f"n.{name}" for name in _NOTICE_NAMES]
)


def micros(at: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (at - _EPOCH) // _MICROSECOND


def instant(value: int) -> datetime:
    """The aware UTC datetime of `micros`."""
    return _EPOCH + timedelta(microseconds=value)


def as_json(value: Any) -> str:
    """Compact JSON of one of our own values."""
    return _ENCODER.encode(value).decode()


def facts_of(text: str) -> Mapping[str, str]:
    """A JSON object of strings."""
    return _FACTS.decode(text)


def notice_row(notice: Notice) -> Row:
    """The values of NOTICE_COLUMNS."""
    key, at, preferences = notice.key, notice.record, notice.preferences
    return (
        key.tenant,
        key.event_type,
        key.event_id,
        key.customer_id,
        notice.kind,
        as_json(notice.also),
        notice.alert_class,
        notice.rank,
        notice.in_doubt.value,
        notice.detail_level.value,
        as_json(notice.values),
        as_json(notice.facts),
        notice.catalogue_version,
        micros(notice.occurred_at),
        micros(notice.recorded_at),
        micros(notice.stale_at),
        micros(notice.not_before),
        at.topic,
        at.partition,
        at.offset,
        micros(notice.record_timestamp),
        *((preferences.topic, preferences.partition, preferences.offset) if preferences else (None, None, None)),
        notice.traceparent,
        notice.transaction_id,
        as_json(notice.occurrences),
    )


def notice_of(row: sqlite3.Row) -> Notice:
    """The notice in a row that holds NOTICE_COLUMNS."""
    preferences = row["preferences_topic"]
    return Notice(
        key=EventKey(
            tenant=row["tenant"],
            event_type=row["event_type"],
            event_id=row["event_id"],
            customer_id=row["customer_id"],
        ),
        kind=row["kind"],
        also=kinds_of(row["also"]),
        alert_class=row["alert_class"],
        rank=row["rank"],
        in_doubt=InDoubtPolicy(row["in_doubt"]),
        detail_level=DetailLevel(row["detail_level"]),
        values=_VALUES.decode(row["masked_values"]),
        facts=_FACTS.decode(row["facts"]),
        catalogue_version=row["catalogue_version"],
        occurred_at=instant(row["occurred_at"]),
        recorded_at=instant(row["recorded_at"]),
        stale_at=instant(row["stale_at"]),
        not_before=instant(row["not_before"]),
        record=Position(topic=row["record_topic"], partition=row["record_partition"], offset=row["record_offset"]),
        record_timestamp=instant(row["record_timestamp"]),
        preferences=None
        if preferences is None
        else Position(topic=preferences, partition=row["preferences_partition"], offset=row["preferences_offset"]),
        traceparent=row["traceparent"],
        transaction_id=row["transaction_id"],
        occurrences=occurrences_of(row["occurrences"]),
    )


def kinds_of(text: str) -> tuple[str, ...]:
    """The names in the column `also`."""
    return _KINDS.decode(text)


def occurrences_of(text: str) -> tuple[Occurrence, ...]:
    """The occurrences in their column."""
    return _OCCURRENCES.decode(text)


def claim_of(row: sqlite3.Row) -> Claim:
    """The claim in a row that holds CLAIM_COLUMNS."""
    return Claim(
        notice_id=row["notice_id"],
        fence=row["fence"],
        owner=row["owner"],
        lease_until=instant(row["lease_until"]),
        attempts=row["attempts"],
        doubts=row["doubts"],
        notice=notice_of(row),
    )
