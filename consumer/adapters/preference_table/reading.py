"""What the records of the preferences topic change in the table."""

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from logging import WARNING
from typing import Any, TypeVar

import msgspec

from consumer.adapters.preference_table.letters import Letters
from consumer.adapters.preference_table.store import SUSPEND, Change, fits
from consumer.core.preferences import Preferences
from consumer.core.record import Position, Record
from consumer.errors import DeadLetterReason, Unavailable, Undecodable
from consumer.ports import DeadLetter
from consumer.telemetry import Line, alarm, log

_GIVEN_UP_MAX = 1000
Decode = Callable[[Record], Preferences]
Result = TypeVar("Result")

_TO_BE_MENDED = frozenset({DeadLetterReason.UNKNOWN_SCHEMA, DeadLetterReason.NO_REGISTRY})
"""The record may be good, and what is missing is on our side: a registry that lags, its URL, a newer version of Avviso."""


class Stopped(Exception):
    """Told to stop while waiting for a schema, or for a dead letter to be taken."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What records make of each customer, and which of them can never be read, in order.

    Of the `unknown` ones nobody can tell yet whether they can, nor needs to: later ones replace them.
    """

    changes: Mapping[str, Change]
    letters: Sequence[DeadLetter]
    unknown: Collection[Position]


class Reading:
    """Reads records by `decode`, and waits where one cannot be read, or set aside, yet.

    What was read is kept as `pack` makes it. `held_up` is called when it begins to wait: from then on the topic is known to
    hold more than the table. What is missing is asked for again each `retry_s`, until `stopping`; schemas that the registry
    does not have, `unknown_tries_max` times in all: nothing is sent to anybody meanwhile, and some records must not silence
    a bank. Each customer whose preferences can be read gives back one of these tries.
    """

    def __init__(
        self,
        decode: Decode,
        letters: Letters,
        *,
        pack: Callable[[Preferences], Change],
        held_up: Callable[[], None],
        stopping: threading.Event,
        retry_s: float,
        unknown_tries_max: int,
    ) -> None:
        self._decode = decode
        self._letters = letters
        self._pack = pack
        self._held_up = held_up
        self._stopping = stopping
        self._retry_s = retry_s
        self._tries_max = self._tries_left = unknown_tries_max
        self._given_up: dict[str, None] = {}  # the oldest first

    def read(self, records: Iterable[Record]) -> Found:
        """What the records come to; writes nothing. Raises Stopped.

        The key is the customer's id. What a later one of the `records` replaces is not waited for.
        """
        last: dict[str, Record] = {}
        earlier: dict[str, list[Record]] = {}  # of the few who said something more than once
        letters: list[DeadLetter] = []
        for record in records:
            customer_id = _customer_id(record)
            if customer_id is None:
                problem = Undecodable(
                    DeadLetterReason.UNUSABLE_KEY, "the key is no customer id of 1 to 511 bytes in UTF-8"
                )
                letters.append(_letter(record, problem))
                continue
            if customer_id in last:
                earlier.setdefault(customer_id, []).append(last[customer_id])
            last[customer_id] = record
        changes = {
            customer_id: self._last_word(customer_id, record, earlier.get(customer_id), letters)
            for customer_id, record in last.items()
        }
        unknown = self._look_at_replaced(earlier, letters)
        readable = sum(change is not SUSPEND for change in changes.values())
        self._tries_left = min(max(self._tries_left, 0) + readable, self._tries_max)
        letters.sort(key=_position)
        return Found(changes=changes, letters=letters, unknown=unknown)

    def set_aside(self, letters: Sequence[DeadLetter]) -> None:
        """Return once these are dead letters, and remembered as such. Raises Stopped."""
        if letters:
            self._patiently(self._letters.write, letters, record=letters[0].record)

    def _last_word(
        self, customer_id: str, record: Record, earlier: list[Record] | None, letters: list[DeadLetter]
    ) -> Change:
        """The customer's preferences, or None to erase; suspended where the last `record` is unreadable.

        Whoever changed their mind must not be told as if they had not. Leaves those of the `earlier` that were replaced.
        """
        unreadable = False
        while record.value is not None:
            try:
                preferences = self._patiently(self._read, record, customer_id, record=record)
            except Undecodable as problem:
                letters.append(_letter(record, problem))
                unreadable = True
            else:
                return self._pack(preferences.after_unreadable() if unreadable else preferences)
            if not earlier:
                return SUSPEND
            record = earlier.pop()
        return None

    def _look_at_replaced(
        self, earlier: Mapping[str, Sequence[Record]], letters: list[DeadLetter]
    ) -> Collection[Position]:
        """They change nothing, but whoever writes what can never be read should hear of it; some cannot be told yet."""
        replaced = [(one, record) for one, records in earlier.items() for record in records if record.value is not None]
        unknown = {record.position for _, record in replaced}
        for customer_id, record in replaced:
            try:
                self._read(record, customer_id)
            except Unavailable:
                break
            except Undecodable as problem:
                if problem.reason in _TO_BE_MENDED:
                    continue
                letters.append(_letter(record, problem))
            unknown.remove(record.position)
        return unknown

    def _read(self, record: Record, customer_id: str) -> Preferences:
        preferences = self._decode(record)
        if preferences.customer_id != customer_id:  # a tombstone by the key could never erase it
            raise Undecodable(DeadLetterReason.KEY_IS_ANOTHER_CUSTOMER, "customer_id is not the record's key")
        return preferences

    def _patiently(self, step: Callable[..., Result], *args: Any, record: Record) -> Result:
        said = ""
        while True:
            try:
                return step(*args)
            except Unavailable as outage:
                if said != outage.code:
                    log(Line.PREFERENCES_WAITING, WARNING, what=outage.what, code=outage.code)
                said = outage.code
            except Undecodable as problem:
                if problem.reason not in _TO_BE_MENDED or self._gives_up(problem):
                    raise
                if said != problem.reason:
                    _needed(record, problem)
                said = problem.reason
            self._held_up()
            if self._stopping.wait(self._retry_s):
                raise Stopped

    def _gives_up(self, problem: Undecodable) -> bool:
        """What no registry is set for is a setting to be mended; what the registry does not have may never come."""
        if problem.reason != DeadLetterReason.UNKNOWN_SCHEMA:
            return False
        schema = problem.schema or ""
        if schema not in self._given_up:
            self._tries_left -= 1
            if self._tries_left > 0:
                return False
            self._given_up[schema] = None
            if len(self._given_up) > _GIVEN_UP_MAX:
                del self._given_up[next(iter(self._given_up))]
        return True


def _customer_id(record: Record) -> str | None:
    key = record.key
    if key is None or not fits(key):
        return None
    try:
        return key.decode()
    except UnicodeDecodeError:
        return None


def _letter(record: Record, problem: Undecodable) -> DeadLetter:
    return DeadLetter(record=record, reason=problem.reason, detail=problem.detail, schema=problem.schema)


def _position(letter: DeadLetter) -> Position:
    return letter.record.position


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
