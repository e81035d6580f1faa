"""Partitions that wait for the schema of their next record, while all others go on."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from logging import WARNING

from consumer import telemetry
from consumer.core.record import Delivery, Fetched, Record
from consumer.errors import Awaited
from consumer.pipeline import Pipeline
from consumer.ports import RecordSource
from consumer.telemetry import Line, alarm, log

SAY_AFTER = timedelta(seconds=1)
"""A registry in good health answers long before: then there is nothing to say."""
ALARM_AFTER = timedelta(seconds=60)
AHEAD_MAX = 250
"""Enough that a flood shows after one round trip; a registry's queue has room for several times as many, and its memory,
but for schemas that are very long.
"""
AHEAD_FOR = timedelta(seconds=1)
KEPT_MAX = 5000
"""As many as a batch has; of what waits beyond, each partition keeps its first record only."""
_Schema = tuple[str, str]
"""Who is asked, and for which one."""


@dataclass(slots=True, kw_only=True)
class _Wait:
    """For what, and since when. `over`: it can be read now. `said`, `alarmed`: each once a wait.

    `kept`: the record, and what was polled behind it. `ahead`: for each other schema that was asked for at the same time,
    one of the records behind that need it.
    """

    record: Record
    awaited: Awaited
    since: datetime
    kept: list[Record] = field(default_factory=list)
    ahead: dict[_Schema, Record] = field(default_factory=dict)
    over: bool = False
    said: bool = False
    alarmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Holds partitions back at a record that cannot be read yet, and lets them go on once it can.

    What was polled is kept in hand: the topic may not have it any more when its schema has come. All partitions together
    keep `kept_max` records; what was polled behind these comes once more.

    Nothing tells that an answer has come: `look` asks for it again, for one record of each schema. What the records behind
    need is asked for as well, for all partitions together `ahead_max` schemas: else one in which each record has its own
    would be fetched anew for each. For these it waits no longer than `AHEAD_FOR` in all: trouble with them must not hold up
    what can be read.
    """

    source: RecordSource
    pipeline: Pipeline
    now: Callable[[], datetime]
    ahead_max: int = AHEAD_MAX
    kept_max: int = KEPT_MAX
    _waits: dict[Delivery, _Wait] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether any partition waits."""
        return bool(self._waits)

    def hold_back(self, awaiting: Iterable[tuple[Record, Awaited]], held: Iterable[Record]) -> None:
        """From each of these records on, its partition waits; `held` are they and what was polled behind them."""
        new = {record.delivery: _Wait(record=record, awaited=awaited, since=self.now()) for record, awaited in awaiting}
        self._waits.update(new)
        self._keep(held)
        for delivery, wait in new.items():
            self.source.hold_back(delivery, wait.kept[-1].position.offset + 1)
        self._ask_ahead(held)
        telemetry.PARTITIONS_WAITING.set(len(self._waits))

    def _keep(self, held: Iterable[Record]) -> None:
        """Without a gap: once there is no room, no more than the record that each partition waits at."""
        left = self.kept_max - sum(len(wait.kept) for wait in self._waits.values())
        for record in held:
            kept = self._waits[record.delivery].kept
            if left > 0 or not kept:
                kept.append(record)
                left -= 1

    def _ask_ahead(self, held: Iterable[Record]) -> None:
        """For what their partitions' first records do not wait for themselves, each once."""
        left = self.ahead_max - sum(len(wait.ahead) for wait in self._waits.values())
        for record in held:
            if left <= 0:
                return
            wait, awaited = self._waits[record.delivery], self.pipeline.awaited(record)
            if awaited is None or _schema(awaited) == _schema(wait.awaited) or _schema(awaited) in wait.ahead:
                continue
            wait.ahead[_schema(awaited)] = record
            left -= 1

    def look(self) -> None:
        """See what can be read now, forget what a rebalance took, and say what waits for long."""
        if not self._waits:
            return
        now = self.now()
        answers: dict[_Schema, Awaited | None] = {}
        for delivery, wait in tuple(self._waits.items()):
            asked = _schema(wait.awaited)
            if not self.source.owns(wait.record):
                self._let_go(delivery)
                continue
            if asked not in answers:
                answers[asked] = self.pipeline.awaited(wait.record)
            if not timedelta(0) <= now - wait.since < AHEAD_FOR:
                wait.ahead.clear()
            answer = answers[asked]
            if answer is not None:
                wait.awaited = answer
                _say(wait, now - wait.since)
            elif all(self.pipeline.awaited(record) is None for record in wait.ahead.values()):
                wait.over = True
        telemetry.PARTITIONS_WAITING.set(len(self._waits))

    def take(self) -> Fetched:
        """What waited, and was found to be readable when we looked last; what lies behind it comes with a later poll."""
        over = [delivery for delivery, wait in self._waits.items() if wait.over]
        taken = [record for delivery in over for record in self._let_go(delivery).kept]
        telemetry.PARTITIONS_WAITING.set(len(self._waits))
        return Fetched(taken)

    def _let_go(self, delivery: Delivery) -> _Wait:
        wait = self._waits.pop(delivery)
        self.source.let_go(delivery)
        if wait.over and wait.said:
            at = wait.record.position
            schema = wait.awaited.schema
            log(Line.PARTITION_GOES_ON, topic=at.topic, partition=at.partition, offset=at.offset, schema=schema)
        return wait


def _schema(awaited: Awaited) -> _Schema:
    return awaited.what, awaited.schema


def _say(wait: _Wait, waited: timedelta) -> None:
    """Once that it waits, and once that its alerts become late by it."""
    if waited >= SAY_AFTER and not wait.said:
        wait.said = True
        log(Line.PARTITION_WAITING, WARNING, **_fields(wait))
    if waited >= ALARM_AFTER and not wait.alarmed:
        wait.alarmed = True
        alarm(Line.PARTITION_WAITING, **_fields(wait))


def _fields(wait: _Wait) -> telemetry.Fields:
    at, awaited = wait.record.position, wait.awaited
    return {
        "what": awaited.what,
        "code": awaited.code,
        "schema": awaited.schema,
        "topic": at.topic,
        "partition": at.partition,
        "offset": at.offset,
    }
