"""The intake loop: poll, screen, read, decide, record, and only then commit the offsets."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from logging import WARNING

import msgspec

from consumer import tallies
from consumer.core.event import Event
from consumer.core.notice import EventKey
from consumer.core.record import Delivery, Fetched, Record
from consumer.errors import Awaited, Conflict, Unavailable
from consumer.guards import FloodGuard, RoomGuard
from consumer.pipeline import Case, Pipeline, Screening, Verdict, turns
from consumer.ports import DeadLetter, DeadLetters, OutboxForIntake, Recording, RecordSource
from consumer.telemetry import Line, alarm, log
from consumer.waiting import Waiting


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


class _Written(msgspec.Struct, frozen=True, kw_only=True):
    """A turn that was judged, and what of it is on its way to the disk; None where it changes nothing."""

    verdicts: Sequence[Verdict]
    recording: Recording | None


@dataclass(slots=True, kw_only=True)
class _Batch:
    """What was polled together and is committed together; recorded, one of its `turns` at a time.

    `awaiting`: of each partition the first record that cannot be read yet. It and those behind it leave the batch.
    `set_aside`: whether there were letters. `written`: the first of its turns, until that is durable; `behind`: what was
    polled meanwhile. `done`: nothing of it need be read again.
    """

    records: Fetched = field(default_factory=Fetched)
    screening: Screening = field(default_factory=Screening)
    cases: Sequence[Case] = ()
    awaiting: dict[Delivery, tuple[Record, Awaited]] = field(default_factory=dict)
    turns: list[list[Case]] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    set_aside: bool = False
    written: _Written | None = None
    behind: Fetched = field(default_factory=Fetched)
    done: bool = False

    @property
    def is_on_its_way(self) -> bool:
        """Whether only the disk is to be waited for."""
        return self.written is not None and self.written.recording is not None

    def keep(self, belongs: Callable[[Record], bool]) -> None:
        """Only what comes of these records is left."""
        self.records = Fetched([*filter(belongs, self.records)])
        self.cases = [case for case in self.cases if belongs(case.record)]
        left = ([case for case in turn if belongs(case.record)] for turn in self.turns)
        self.turns = [turn for turn in left if turn]
        self.letters = [letter for letter in self.letters if belongs(letter.record)]
        self.behind = Fetched([*filter(belongs, self.behind)])


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
        """Until `stopping`: one batch after the other. `check` raises if another part of the process has died.

        The next one is polled while the last is on its way to the disk, and is not touched before that is durable.
        """
        last = _Batch(done=True)
        while not self.stopping.is_set():
            self.check()
            self.waiting.look()
            if kept := self.waiting.take():
                last = self._process(kept, last)
            last = self._process(self._poll(last), last)
            self.source.commit()
        self._hurry(last)

    def _poll(self, last: _Batch) -> Fetched:
        """Only if nothing is on its way it waits for records."""
        limits, hurry = self.limits, partial(self._hurry, last)
        patient_s = limits.waiting_poll_timeout_s if self.waiting else limits.poll_timeout_s
        timeout_s = patient_s if last.done else 0.0
        return self.source.poll(records_max=limits.batch_records_max, timeout_s=timeout_s, before_revoke=hurry)

    def _process(self, records: Fetched, last: _Batch) -> _Batch:
        """Finish the `last` batch, and do the next one, which may still be on its way to the disk when it is returned."""
        last.behind = records
        if not (last.done or self._patiently(self._finish, last)):
            return last
        batch = _Batch(records=last.behind, done=not last.behind)
        if batch.done:
            return batch
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
                return _Batch(done=True)
        if batch.set_aside or not batch.is_on_its_way:  # what was set aside must not be set aside again by others
            self._patiently(self._finish, batch)
        return batch

    def _patiently(self, step: Callable[[_Batch], None], batch: _Batch) -> bool:
        """Do the step, however long what it needs is away. False if told to stop before."""
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
        batch.letters, batch.awaiting = [], {}
        batch.screening = self.pipeline.screen(batch.records)
        happened: list[tuple[Record, Event]] = []
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
                happened.append((record, read))
        batch.cases = self.pipeline.cases(happened)
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
            batch.set_aside = True
            tallies.set_aside(some)
            del batch.letters[: len(some)]

    def _record(self, batch: _Batch) -> None:
        """Turn by turn, mostly one; after an outage with the turn that is not durable yet. The last is left on its way."""
        while batch.turns:
            self._confirm()
            batch.written = self._write(batch.turns[0])
            if len(batch.turns) == 1:
                return
            self._make_durable(batch)

    def _make_durable(self, batch: _Batch) -> None:
        """Wait for the disk, and tell whoever is to know. Raises Unavailable: then the turn is to be written once more."""
        written, batch.written = batch.written, None
        if written is None:
            return
        recorded = tallies.NOTHING_RECORDED if written.recording is None else written.recording.durable()
        del batch.turns[0]
        tallies.recorded(written.verdicts, recorded)
        if recorded.notices:
            self.wake()

    def _finish(self, batch: _Batch) -> None:
        """All of it is durable, and its offsets may be committed. What never got to the disk is written once more."""
        self._make_durable(batch)
        if batch.turns:
            self._keep(batch, self.source.owns)
            self._record(batch)
            self._make_durable(batch)
        self.source.processed(batch.records)
        tallies.done(batch.records, batch.screening, batch.cases)
        batch.done = True

    def _hurry(self, last: _Batch) -> None:
        """Partitions are about to go, or the process: what gets to the disk is done with before, and not read again."""
        try:
            if not last.done:
                self._finish(last)
        except Unavailable as outage:
            log(Line.INTAKE_PAUSED, WARNING, what=outage.what, code=outage.code, records=len(last.records))

    def _confirm(self) -> None:
        """After a long silence nothing is written before the group was heard: others may have these records."""
        if self.source.overdue:
            raise Unavailable("kafka", "overdue")

    def _write(self, cases: Sequence[Case]) -> _Written:
        """Judge them in order and write it down, all or nothing; what was not as supposed is read and judged again."""
        recorded_before: frozenset[EventKey] = frozenset()
        for _ in range(self.limits.conflicts_max):
            now = self.now()
            memory = self.outbox.recall(self.pipeline.questions(cases))
            known = set(recorded_before)
            verdicts = [self.pipeline.judge(case, memory, known, now) for case in cases]
            changes = [verdict.change for verdict in verdicts if verdict.change is not None]
            try:
                recording = self.outbox.record(changes, now) if changes else None
            except Conflict as conflict:
                recorded_before |= conflict.known
                continue
            return _Written(verdicts=verdicts, recording=recording)
        raise Unavailable("outbox", "conflict")


def _waits(record: Record, batch: _Batch) -> bool:
    first = batch.awaiting.get(record.delivery)
    return first is not None and record.position.offset >= first[0].position.offset
