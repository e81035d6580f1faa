"""What the records of the preferences topic change in the table."""

import threading
from collections.abc import Callable, Iterable, Mapping
from logging import WARNING

from consumer.adapters.preference_table.store import fits
from consumer.core.preferences import Preferences
from consumer.core.record import Record
from consumer.errors import DeadLetterReason, Unavailable, Undecodable
from consumer.telemetry import Line, alarm, log

Decode = Callable[[Record], Preferences]

_TO_BE_MENDED = frozenset({DeadLetterReason.UNKNOWN_SCHEMA, DeadLetterReason.NO_REGISTRY})
"""The record may be good, and what is missing is on our side: a registry that lags, its URL, a newer version of Avviso."""


class Stopped(Exception):
    """Told to stop while waiting for a schema."""


class Reading:
    """Reads records by `decode`, and waits where one cannot be read yet.

    `held_up` is called when it begins to wait: from then on the topic is known to hold more than the table. What is missing
    is asked for again each `retry_s`, until `stopping`.
    """

    def __init__(
        self, decode: Decode, *, held_up: Callable[[], None], stopping: threading.Event, retry_s: float
    ) -> None:
        self._decode = decode
        self._held_up = held_up
        self._stopping = stopping
        self._retry_s = retry_s

    def changes_of(self, records: Iterable[Record]) -> Mapping[str, Preferences | None]:
        """The last word on each customer: preferences, or None to erase. Raises Stopped.

        The key is the customer's id; only its last record is read. One that never can be read erases what was known:
        whoever changed their mind must not be told as if they had not.
        """
        last: dict[str, Record] = {}
        for record in records:
            customer_id = _customer_id(record)
            if customer_id is None:
                _refused(record, "unusable_key")
            else:
                last[customer_id] = record
        return {customer_id: self._wanted(record, customer_id) for customer_id, record in last.items()}

    def _wanted(self, record: Record, customer_id: str) -> Preferences | None:
        if record.value is None:
            return None
        try:
            preferences = self._patiently(record)
        except Undecodable as problem:
            _refused(record, problem.reason, problem.schema)
            return None
        if preferences.customer_id != customer_id:
            _refused(record, "key_is_another_customer")  # a tombstone by the key could never erase it
            return None
        return preferences

    def _patiently(self, record: Record) -> Preferences:
        said = ""
        while True:
            try:
                return self._decode(record)
            except Unavailable as outage:
                if said != outage.code:
                    log(Line.PREFERENCES_WAITING, WARNING, what=outage.what, code=outage.code)
                said = outage.code
            except Undecodable as problem:
                if problem.reason not in _TO_BE_MENDED:
                    raise
                if said != problem.reason:
                    _needed(record, problem)
                said = problem.reason
            self._held_up()
            if self._stopping.wait(self._retry_s):
                raise Stopped


def _customer_id(record: Record) -> str | None:
    try:
        customer_id = (record.key or b"").decode()
    except UnicodeDecodeError:
        return None
    return customer_id if fits(customer_id) else None


def _needed(record: Record, problem: Undecodable) -> None:
    at = record.position
    alarm(
        Line.PREFERENCES_WAITING,
        what="schema",
        code=problem.reason,
        topic=at.topic,
        partition=at.partition,
        offset=at.offset,
        schema=problem.schema or "",
    )


def _refused(record: Record, reason: str, schema: str | None = None) -> None:
    at = record.position
    alarm(
        Line.PREFERENCE_REFUSED,
        reason=reason,
        topic=at.topic,
        partition=at.partition,
        offset=at.offset,
        schema=schema or "",
    )
