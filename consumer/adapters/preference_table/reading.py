"""What the records of the preferences topic change in the table."""

import threading
from collections.abc import Callable, Iterable, Mapping
from logging import WARNING

from consumer.adapters.preference_table.store import fits
from consumer.core.preferences import Preferences
from consumer.core.record import Record
from consumer.ports import Unavailable, Undecodable
from consumer.telemetry import Line, log

Decode = Callable[[Record], Preferences]


class Stopped(Exception):
    """Told to stop while waiting for the registry."""


def changes_of(
    records: Iterable[Record], decode: Decode, stopping: threading.Event, retry_s: float
) -> Mapping[str, Preferences | None]:
    """The last word on each customer, in order: preferences, or None to erase.

    The key is the customer's id. A record that cannot be read erases what was known: whoever changed their mind must not be
    told as if they had not. While the registry does not answer it is asked again each `retry_s`; raises Stopped.
    """
    changes: dict[str, Preferences | None] = {}
    for record in records:
        customer_id = _customer_id(record)
        if customer_id is None:
            _refused(record, "unusable_key")
        elif record.value is None:
            changes[customer_id] = None
        else:
            changes[customer_id] = _wanted(record, customer_id, lambda it: _patiently(decode, it, stopping, retry_s))
    return changes


def _wanted(record: Record, customer_id: str, decode: Decode) -> Preferences | None:
    try:
        preferences = decode(record)
    except Undecodable as problem:
        _refused(record, problem.reason, problem.schema)
        return None
    if preferences.customer_id != customer_id:
        _refused(record, "key_is_another_customer")  # a tombstone by the key could never erase it
        return None
    return preferences


def _patiently(decode: Decode, record: Record, stopping: threading.Event, retry_s: float) -> Preferences:
    waiting = False
    while True:
        try:
            return decode(record)
        except Unavailable as outage:
            if not waiting:
                log(Line.PREFERENCES_WAITING, WARNING, what=outage.what, code=outage.code)
                waiting = True
        if stopping.wait(retry_s):
            raise Stopped


def _customer_id(record: Record) -> str | None:
    try:
        customer_id = (record.key or b"").decode()
    except UnicodeDecodeError:
        return None
    return customer_id if fits(customer_id) else None


def _refused(record: Record, reason: str, schema: str | None = None) -> None:
    at = record.position
    log(
        Line.PREFERENCE_REFUSED,
        WARNING,
        reason=reason,
        topic=at.topic,
        partition=at.partition,
        offset=at.offset,
        schema=schema or "",
    )
