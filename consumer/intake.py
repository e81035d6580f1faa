"""The intake loop: poll, screen, read, decide, record, and only then commit the offsets."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from logging import WARNING

import msgspec
from opentelemetry.metrics import Counter as Instrument

from consumer import telemetry
from consumer.core.event import event_type
from consumer.core.notice import EventKey
from consumer.core.record import Delivery, Fetched, Record
from consumer.core.screen import SCREENED
from consumer.errors import Awaited, Conflict, Unavailable
from consumer.guards import FloodGuard, RoomGuard
from consumer.pipeline import Case, Pipeline, Screening, Verdict, turns
from consumer.ports import DeadLetter, DeadLetters, OutboxForIntake, Recorded, RecordSource
from consumer.telemetry import Line, alarm, log
from consumer.waiting import Waiting

NOTHING_RECORDED = Recorded(notices=0, cancelled=0)


class IntakeLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much at once, and how long a poll waits; while something is unavailable it is tried again after each poll.

    `waiting_poll_timeout_s`: while a partition waits, which is to go on soon after what it waits for has come. `letters_max`
    are written together; past `alarm_after` a pause makes alerts late.
    """

    batch_records_max: int = 5000
    poll_timeout_s: float = 1.0
    waiting_poll_timeout_s: float = 0.1
    conflicts_max: int = 5
    letters_max: int = 500
    alarm_after: timedelta = timedelta(seconds=60)


@dataclass(slots=True, kw_only=True)
class _Batch:
    """What was polled together and is committed together; recorded, one of its `turns` at a time.

    `awaiting`: of each partition the first record that cannot be read yet. It and those behind it leave the batch.
    """

    records: Fetched
    screening: Screening = field(default_factory=Screening)
    cases: list[Case] = field(default_factory=list)
    awaiting: dict[Delivery, tuple[Record, Awaited]] = field(default_factory=dict)
    turns: list[list[Case]] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)

    def keep(self, belongs: Callable[[Record], bool]) -> None:
        """Only what comes of these records is left."""
        self.records = Fetched([*filter(belongs, self.records)])
        self.cases = [case for case in self.cases if belongs(case.record)]
        self.turns = [[case for case in turn if belongs(case.record)] for turn in self.turns]
        self.letters = [letter for letter in self.letters if belongs(letter.record)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Reads every record once or more, and forgets none: an offset is committed only after its notices are durable.

    `wake` tells dispatch that there may be something to send; `stopping` ends the loop between two steps. All of it runs on
    the thread that calls `run`. An unexpected exception leaves the loop before the commit: a restart reads the batch again.
    """

    source: RecordSource
    pipeline: Pipeline
    waiting: Waiting
    outbox: OutboxForIntake
    dead_letters: DeadLetters
    room: RoomGuard
    floods: FloodGuard
    ready: Callable[[], bool]
    wake: Callable[[], None]
    check: Callable[[], None]
    now: Callable[[], datetime]
    stopping: threading.Event
    limits: IntakeLimits

    def run(self) -> None:
        """Until `stopping`: one batch after the other. `check` raises if another part of the process has died."""
        while not self.stopping.is_set():
            self.check()
            self.waiting.look()
            self._process(self.waiting.take())
            limits = self.limits
            timeout_s = limits.waiting_poll_timeout_s if self.waiting else limits.poll_timeout_s
            self._process(self.source.poll(records_max=limits.batch_records_max, timeout_s=timeout_s))
            self.source.commit()

    def _process(self, records: Fetched) -> None:
        if not records:
            return
        batch = _Batch(records=records)
        for step in (
            self._await_room,
            self._await_preferences,  # last: they must be believed when they are asked
            self._read,
            self._hold_back,
            self._refuse_flood,
            self._set_aside,
            self._record,
        ):
            if not self._patiently(step, batch):
                return
        self.source.processed(batch.records)
        _count(batch)

    def _patiently(self, step: Callable[[_Batch], None], batch: _Batch) -> bool:
        """Do the step, however long what it needs is away. False if told to stop: nothing of the batch is committed then."""
        paused_at: datetime | None = None
        said_late = False
        while not self.stopping.is_set():
            try:
                step(batch)
            except Unavailable as outage:
                if paused_at is None:
                    log(Line.INTAKE_PAUSED, WARNING, what=outage.what, code=outage.code, records=len(batch.records))
                    self.source.pause()
                    paused_at = self.now()
                elif not said_late and self.now() - paused_at >= self.limits.alarm_after:
                    alarm(Line.INTAKE_PAUSED, what=outage.what, code=outage.code, records=len(batch.records))
                    said_late = True
                self._wait(batch)
            else:
                if paused_at is not None:
                    log(Line.INTAKE_RESUMED, records=len(batch.records))
                    self.source.resume()
                return True
        return False

    def _wait(self, batch: _Batch) -> None:
        """Keep the membership of the group meanwhile, and let go of what a rebalance took away."""
        self.check()
        self.waiting.look()
        late = self.source.poll(records_max=1, timeout_s=self.limits.poll_timeout_s)
        assert not late, "a paused source delivers nothing"
        self._keep(batch, self.source.owns)

    def _keep(self, batch: _Batch, belongs: Callable[[Record], bool]) -> None:
        """Only what comes of these records is left, and counted: the others are counted by whoever reads them again."""
        before = len(batch.records)
        batch.keep(belongs)
        if len(batch.records) < before:
            batch.screening = self.pipeline.screen(batch.records)

    def _await_preferences(self, _: _Batch) -> None:
        if not self.ready():
            raise Unavailable("preferences", "catching_up")

    def _await_room(self, _: _Batch) -> None:
        self.room.check()

    def _read(self, batch: _Batch) -> None:
        """Every record is screened out, or becomes cases or a dead letter, or has to wait. It may be done again."""
        batch.cases, batch.letters, batch.awaiting = [], [], {}
        batch.screening = self.pipeline.screen(batch.records)
        for record in batch.screening.unread:
            if batch.awaiting and record.delivery in batch.awaiting:
                continue
            try:
                read = self.pipeline.read(record)
            except Awaited as awaited:
                batch.awaiting[record.delivery] = (record, awaited)
                continue
            if isinstance(read, DeadLetter):
                batch.letters.append(read)
            else:
                batch.cases.extend(read)
        batch.turns = turns(batch.cases)

    def _hold_back(self, batch: _Batch) -> None:
        """Order within a partition is kept: what is behind a record that waits comes after it. The others go on."""
        if not batch.awaiting:
            return
        held = [record for record in batch.records if _waits(record, batch)]
        self._keep(batch, lambda record: not _waits(record, batch))
        self.waiting.hold_back(batch.awaiting.values(), held)

    def _refuse_flood(self, batch: _Batch) -> None:
        self.floods.check(batch.records, batch.letters)

    def _set_aside(self, batch: _Batch) -> None:
        """Some at a time; after an outage with those that are not acknowledged yet."""
        while batch.letters:
            self._confirm()
            some = batch.letters[: self.limits.letters_max]
            self.dead_letters.write(some)
            _tell(some)
            del batch.letters[: len(some)]

    def _record(self, batch: _Batch) -> None:
        """Turn by turn, mostly one; after an outage with the turn that is not written yet."""
        while batch.turns:
            self._confirm()
            self._record_turn(batch.turns[0])
            del batch.turns[0]

    def _confirm(self) -> None:
        """After a long silence nothing is written before the group was heard: others may have these records."""
        if self.source.overdue:
            raise Unavailable("kafka", "overdue")

    def _record_turn(self, cases: Sequence[Case]) -> None:
        """Judge them in order and write it down, all or nothing; what was not as supposed is read and judged again."""
        recorded_before: frozenset[EventKey] = frozenset()
        for _ in range(self.limits.conflicts_max):
            now = self.now()
            memory = self.outbox.recall(self.pipeline.questions(cases))
            known = set(recorded_before)
            verdicts = [self.pipeline.judge(case, memory, known, now) for case in cases]
            changes = [verdict.change for verdict in verdicts if verdict.change is not None]
            try:
                recorded = self.outbox.record(changes, now) if changes else NOTHING_RECORDED
            except Conflict as conflict:
                recorded_before |= conflict.known
                continue
            _report(verdicts, recorded)
            if recorded.notices:
                self.wake()
            return
        raise Unavailable("outbox", "conflict")


def _waits(record: Record, batch: _Batch) -> bool:
    first = batch.awaiting.get(record.delivery)
    return first is not None and record.position.offset >= first[0].position.offset


def _tell(letters: Sequence[DeadLetter]) -> None:
    for letter in letters:
        at = letter.record.position
        log(
            Line.DEAD_LETTER,
            WARNING,
            reason=letter.reason,
            topic=at.topic,
            partition=at.partition,
            offset=at.offset,
            schema=letter.schema or "",
        )
    _add(telemetry.DEAD_LETTERS, "reason", Counter(letter.reason for letter in letters))


def _report(verdicts: Sequence[Verdict], recorded: Recorded) -> None:
    _add(telemetry.DECISIONS, "reason", Counter(verdict.reason for verdict in verdicts))
    if recorded == NOTHING_RECORDED:
        return
    changes = (verdict.change for verdict in verdicts)
    notices = (change.notice for change in changes if change is not None and change.notice is not None)
    _add(telemetry.NOTICES, "kind", Counter(notice.kind for notice in notices))
    log(Line.NOTICE_RECORDED, notices=recorded.notices, cancelled=recorded.cancelled)


def _count(batch: _Batch) -> None:
    screening = batch.screening
    _add(telemetry.RECORDS, "topic", Counter(batch.records.by_topic))
    events = {case.record.position: event_type(case.event) for case in batch.cases}
    _add(telemetry.DECISIONS, "reason", +Counter({SCREENED: screening.customers}))
    _add(telemetry.EVENTS, "event_type", Counter(events.values()) + Counter(screening.events))


def _add(counter: Instrument, attribute: str, counts: Counter[str]) -> None:
    """One call per distinct value: an instrument costs microseconds, and most batches hold few values."""
    for value, count in counts.items():
        counter.add(count, {attribute: value})
