"""Partitions that wait for the schema of their next record, while all others go on."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from logging import WARNING

from consumer import telemetry
from consumer.core.record import Delivery, Record
from consumer.errors import Awaited
from consumer.pipeline import Pipeline
from consumer.ports import RecordSource
from consumer.telemetry import Line, alarm, log

SAY_AFTER = timedelta(seconds=1)
"""A registry in good health answers long before: then there is nothing to say."""
ALARM_AFTER = timedelta(seconds=60)


@dataclass(slots=True, kw_only=True)
class _Wait:
    """For what, and since when. `said`, `alarmed`: each once a wait."""

    record: Record
    awaited: Awaited
    since: datetime
    said: bool = False
    alarmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Holds partitions back at a record that cannot be read yet, and lets them go on from it once it can.

    Nothing tells that an answer has come: `look` asks for it again, for one record of each schema.
    """

    source: RecordSource
    pipeline: Pipeline
    now: Callable[[], datetime]
    _waits: dict[Delivery, _Wait] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether any partition waits."""
        return bool(self._waits)

    def hold_back(self, awaiting: Iterable[tuple[Record, Awaited]]) -> None:
        """From each of these records on, its partition waits."""
        for record, awaited in awaiting:
            self.source.hold_back(record)
            self._waits[record.delivery] = _Wait(record=record, awaited=awaited, since=self.now())
        telemetry.PARTITIONS_WAITING.set(len(self._waits))

    def look(self) -> None:
        """Let go what can be read now, forget what a rebalance took, and say what waits for long."""
        if not self._waits:
            return
        now = self.now()
        answers: dict[tuple[str, str], Awaited | None] = {}
        for delivery, wait in tuple(self._waits.items()):
            asked = wait.awaited.what, wait.awaited.schema
            if not self.source.owns(wait.record):
                del self._waits[delivery]
                continue
            if asked not in answers:
                answers[asked] = self.pipeline.awaited(wait.record)
            answer = answers[asked]
            if answer is None:
                self._let_go(delivery, wait)
            else:
                wait.awaited = answer
                _say(wait, now - wait.since)
        telemetry.PARTITIONS_WAITING.set(len(self._waits))

    def _let_go(self, delivery: Delivery, wait: _Wait) -> None:
        del self._waits[delivery]
        self.source.let_go(wait.record)
        if wait.said:
            at = wait.record.position
            schema = wait.awaited.schema
            log(Line.PARTITION_GOES_ON, topic=at.topic, partition=at.partition, offset=at.offset, schema=schema)


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
