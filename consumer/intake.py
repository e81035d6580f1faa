"""The intake loop: poll, screen, read, decide, record, and only then commit the offsets."""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from logging import WARNING

import msgspec

from consumer import tallies
from consumer.batch import Batch, Portion, Written
from consumer.core.event import Event
from consumer.core.notice import EventKey
from consumer.core.record import Fetched, Record
from consumer.errors import Awaited, Conflict, Unavailable
from consumer.guards import FloodGuard, RoomGuard
from consumer.pipeline import Case, Pipeline, Screening, turns
from consumer.ports import DeadLetter, DeadLetters, OutboxForIntake, RecordSource
from consumer.telemetry import Line, alarm, log
from consumer.waiting import Waiting


class IntakeLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much at once, and how long a poll waits; while something is unavailable it is tried again after each poll.

    A batch is polled `poll_records_max` at a time: few enough to be screened before the processor's cache has lost them;
    what waited for its schema comes on top.
    `waiting_poll_timeout_s`: while a partition waits, which is to go on soon after what it waits for has come. `letters_max`
    are written together; past `alarm_after` a pause makes alerts late.
    """

    batch_records_max: int = 5000
    poll_records_max: int = 500
    poll_timeout_s: float = 1.0
    waiting_poll_timeout_s: float = 0.1
    conflicts_max: int = 5
    letters_max: int = 500
    alarm_after: timedelta = timedelta(seconds=60)


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
        last: Batch | None = None
        while not self.stopping.is_set():
            self.check()
            self.waiting.look()
            self.room.look()
            last = self._next(last)
            self.source.commit()
        self._hurry(last)

    def _next(self, before: Batch | None) -> Batch | None:
        """Read a batch while the one before is on its way to the disk, and record it once that is done with.

        Returns what is not done with yet.
        """
        batch = Batch(before=before)
        if not self._gather(batch):
            return batch.before
        for step in (self._finish_before, self._refuse_flood, self._set_aside, self._record):
            if not self._patiently(step, batch):
                return batch.before
        if batch.set_aside or not batch.is_on_its_way:  # what was set aside must not be set aside again by others
            self._patiently(self._finish, batch)
        return None if batch.done else batch

    def _gather(self, batch: Batch) -> bool:
        """Poll and read a portion at a time, as long as there is more, up to the batch's limit. False if told to stop."""
        while (room := min(self.limits.poll_records_max, self.limits.batch_records_max - batch.count)) > 0:
            records = self.waiting.take() or self._poll(batch, room)
            batch.portion = Portion(records=records)
            if records and not self._take_in(batch):
                return False
            if len(records) < room:
                break
        return True

    def _poll(self, batch: Batch, records_max: int) -> Fetched:
        """Only if there is nothing to do yet it waits for records."""
        limits, hurry = self.limits, partial(self._hurry, batch.before)
        patient_s = limits.waiting_poll_timeout_s if self.waiting else limits.poll_timeout_s
        timeout_s = 0.0 if batch.before or batch.count else patient_s
        return self.source.poll(records_max=records_max, timeout_s=timeout_s, before_revoke=hurry)

    def _take_in(self, batch: Batch) -> bool:
        """Read what was polled just now. False if told to stop before."""
        for step in (
            self._await_room,
            self._await_preferences,  # last: they must be believed when they are asked
            self._read,
            self._hold_back,
        ):
            if not self._patiently(step, batch):
                return False
        tallies.read(batch.take_in(each_is_judged=not self.floods.is_calm))
        return True

    def _patiently(self, step: Callable[[Batch], None], batch: Batch) -> bool:
        """Do the step, however long what it needs is away. False if told to stop before."""
        paused_at: datetime | None = None
        said_late = False
        while not self.stopping.is_set():
            try:
                step(batch)
            except Unavailable as outage:
                if paused_at is None:
                    log(Line.INTAKE_PAUSED, WARNING, what=outage.what, code=outage.code, records=batch.in_hand)
                    self.source.pause()
                    paused_at = self.now()
                elif not said_late and self.now() - paused_at >= self.limits.alarm_after:
                    alarm(Line.INTAKE_PAUSED, what=outage.what, code=outage.code, records=batch.in_hand)
                    said_late = True
                self._wait(batch)
            else:
                if paused_at is not None:
                    log(Line.INTAKE_RESUMED, records=batch.in_hand)
                    self.source.resume()
                return True
        return False

    def _wait(self, batch: Batch) -> None:
        """Keep the membership of the group meanwhile, let go of what a rebalance took away, and commit what is done."""
        self.check()
        self.waiting.look()
        if batch.before is not None and batch.before.is_on_its_way:
            self._hurry(batch.before)
        late = self.source.poll(records_max=1, timeout_s=self.limits.poll_timeout_s)
        assert not late, "a paused source delivers nothing"
        batch.keep(self.source.owns)
        if batch.before is not None:
            with suppress(Unavailable):  # which was told
                self._finish(batch.before)
        self.source.commit()

    def _await_preferences(self, _: Batch) -> None:
        if not self.ready():
            raise Unavailable("preferences", "catching_up")

    def _await_room(self, _: Batch) -> None:
        self.room.check()

    def _read(self, batch: Batch) -> None:
        """Every record is screened out, or becomes cases or a dead letter, or has to wait. It may be done again."""
        batch.portion = portion = Portion(records=batch.portion.records)
        portion.screening = self._screened(portion.records)
        happened, letters = list[tuple[Record, Event]](), list[DeadLetter]()
        for record in portion.screening.unread:
            if portion.awaiting and record.delivery in portion.awaiting:
                continue
            try:
                read = self.pipeline.read(record)
            except Awaited as awaited:
                portion.awaiting[record.delivery] = (record, awaited)
                continue
            if isinstance(read, DeadLetter):
                letters.append(read)
            else:
                happened.append((record, read))
        portion.cases, portion.letters = self.pipeline.cases(happened), letters

    def _screened(self, records: Fetched) -> Screening:
        """Where a flood stopped an earlier process all is read: that nobody wants to hear of a record does not prove it."""
        if self.floods.is_calm:
            return self.pipeline.screen(records)
        suspects, others = list[Record](), list[Record]()
        for record in records:
            (suspects if self.floods.suspects(record) else others).append(record)
        found = self.pipeline.screen(Fetched(others))
        return msgspec.structs.replace(found, unread=[*suspects, *found.unread])

    def _hold_back(self, batch: Batch) -> None:
        """Order within a partition is kept: what is behind a record that waits comes after it. The others go on."""
        portion = batch.portion
        if not portion.awaiting:
            return
        held = [record for record in portion.records if portion.waits(record)]
        portion.records = Fetched([record for record in portion.records if not portion.waits(record)])
        portion.screening = self._screened(portion.records)  # what is held back is counted when it is read
        self.waiting.hold_back(portion.awaiting.values(), held)

    def _finish_before(self, batch: Batch) -> None:
        """Nothing is judged before what it is to be judged by is durable, and nothing that was taken away meanwhile."""
        if batch.before is not None:
            self._finish(batch.before)
        batch.before = None
        batch.keep(self.source.owns)
        batch.turns, batch.cases = turns(batch.cases), []

    def _refuse_flood(self, batch: Batch) -> None:
        while batch.unjudged:
            self.floods.check(batch.unjudged[0], batch.letters)
            del batch.unjudged[0]

    def _set_aside(self, batch: Batch) -> None:
        """Some at a time; after an outage with those that are not acknowledged yet."""
        while batch.letters:
            self._confirm()
            some = batch.letters[: self.limits.letters_max]
            self.dead_letters.write(some)
            batch.set_aside = True
            tallies.set_aside(some)
            del batch.letters[: len(some)]

    def _record(self, batch: Batch) -> None:
        """Turn by turn, mostly one; after an outage with the turn that is not durable yet. The last is left on its way."""
        while batch.turns:
            self._confirm()
            batch.written = self._write(batch.turns[0])
            if len(batch.turns) == 1:
                return
            self._make_durable(batch)

    def _make_durable(self, batch: Batch) -> None:
        """Wait for the disk, and tell whoever is to know. Raises Unavailable: then the turn is to be written once more."""
        written, batch.written = batch.written, None
        if written is None:
            return
        recorded = tallies.NOTHING_RECORDED if written.recording is None else written.recording.durable()
        del batch.turns[0]
        tallies.recorded(written.verdicts, recorded)
        if recorded.notices:
            self.wake()

    def _finish(self, batch: Batch) -> None:
        """All of it is durable, and its offsets may be committed. What never got to the disk is written once more.

        It may be done again.
        """
        self._make_durable(batch)
        if batch.turns:
            batch.keep(self.source.owns)
            self._record(batch)
            self._make_durable(batch)
        if batch.ends:
            self.source.processed(batch.ends)
        batch.done = True

    def _hurry(self, last: Batch | None) -> None:
        """Partitions are about to go, or the process: what gets to the disk is done with before, and not read again."""
        if last is None:
            return
        try:
            self._finish(last)
        except Unavailable as outage:
            log(Line.INTAKE_PAUSED, WARNING, what=outage.what, code=outage.code, records=last.in_hand)

    def _confirm(self) -> None:
        """After a long silence nothing is written before the group was heard: others may have these records."""
        if self.source.overdue:
            raise Unavailable("kafka", "overdue")

    def _write(self, cases: Sequence[Case]) -> Written:
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
            return Written(verdicts=verdicts, recording=recording)
        raise Unavailable("outbox", "conflict")
