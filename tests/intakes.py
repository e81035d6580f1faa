"""Intake for tests: the real loop on a scripted source and small stand-ins, around whatever outbox a test brings."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from consumer import ports
from consumer.adapters.catalogue_file import load_catalogue
from consumer.adapters.resources import catalogue
from consumer.core.backpressure import LoadLimits
from consumer.core.flood import FloodLimits, Watch
from consumer.core.notice import Change
from consumer.core.record import Position, Record
from consumer.core.standing import Memory, Questions
from consumer.guards import FloodGuard, RoomGuard
from consumer.intake import Intake, IntakeLimits
from consumer.pipeline import Pipeline
from consumer.ports import OutboxForIntake, Recorded, Recording, Room
from consumer.waiting import AHEAD_MAX, KEPT_MAX, Waiting
from tests.builders import NOW, PSEUDONYMS, preferences, record
from tests.fakes import Decoded, Drawer, Durable, Listed, ScriptedSource

States = Callable[[], dict[str, int]]
TOPIC = "bank.transactions.v1"
WIDE = LoadLimits(used_max_bytes=2**50, used_alarm_bytes=2**49, free_min_bytes=0, free_alarm_bytes=0)
"""For tests of anything else: no disk is too full for them."""


class Flaky:
    """The outbox before it, failing as told: `failures` of writing a batch, `stop_failures` of remembering a flood.

    `late_failures`: of what was written, on its way to the disk.

    A `size` that is set is what it says of its room.
    """

    def __init__(
        self, outbox: OutboxForIntake, failures: Sequence[Exception] = (), stop_failures: Sequence[Exception] = ()
    ) -> None:
        self._outbox = outbox
        self._failures = list(failures)
        self._stop_failures = list(stop_failures)
        self.late_failures: list[Exception] = []
        self.recalls = 0
        self.counts = 0
        self.size: Room | None = None

    def recall(self, asked: Questions) -> Memory:
        self.recalls += 1
        return self._outbox.recall(asked)

    def record(self, changes: Sequence[Change], now: datetime) -> Recording:
        if self._failures:
            raise self._failures.pop(0)
        if self.late_failures:
            return Durable(Recorded(notices=len(changes), cancelled=0), self.late_failures.pop(0))
        return self._outbox.record(changes, now)

    def backlog(self, now: datetime, *, at_most: int) -> int:
        self.counts += 1
        return self._outbox.backlog(now, at_most=at_most)

    def room(self) -> Room:
        return self._outbox.room() if self.size is None else self.size

    def stops(self) -> Sequence[Position]:
        return self._outbox.stops()

    def stop_at(self, stopped: Sequence[Position], now: datetime) -> None:
        if self._stop_failures:
            raise self._stop_failures.pop(0)
        self._outbox.stop_at(stopped, now)

    def pass_stops(self, passed: Sequence[Position]) -> None:
        if self._stop_failures:
            raise self._stop_failures.pop(0)
        self._outbox.pass_stops(passed)


def records(*offsets: int, epoch: int = 0, partition: int = 0) -> list[Record]:
    return [
        record(position=Position(topic=TOPIC, partition=partition, offset=offset), epoch=epoch) for offset in offsets
    ]


class Run:
    """An intake on fakes around the real outbox: runs until the script has nothing left, or `idle` says so.

    Each call is a new process: it knows no more of the one before than the outbox does.
    """

    def __init__(self, outbox: OutboxForIntake, content: dict[int, Any], batches: Sequence[Sequence[Record]]) -> None:
        self.stopping = threading.Event()
        self.idle: Callable[[], None] = self.stopping.set
        self.check: Callable[[], None] = lambda: None
        self.source = ScriptedSource(batches, lambda: self.idle())  # noqa: PLW0108 - tests replace it
        self.decoder = Decoded(content)
        self.table = Listed(preferences())
        self.preferences: ports.PreferenceTable = self.table
        self.drawer = Drawer()
        self.woken = 0
        self.outbox = outbox
        self.now = NOW
        self.flood = FloodLimits()
        self.accepted: dict[tuple[str, int], int] = {}
        self.load = WIDE
        self.ahead_max = AHEAD_MAX
        self.kept_max = KEPT_MAX
        self.limits = IntakeLimits()

    def __call__(self) -> None:
        watch = Watch(self.flood, stops=self.outbox.stops(), accepted=self.accepted)
        pipeline = Pipeline(
            decoder=self.decoder,
            preferences=self.preferences,
            catalogue=load_catalogue(catalogue()),
            pseudonyms=PSEUDONYMS,
            tenant="default",
        )
        Intake(
            source=self.source,
            pipeline=pipeline,
            waiting=self._waiting(pipeline),
            outbox=self.outbox,
            dead_letters=self.drawer,
            room=RoomGuard(outbox=self.outbox, limits=self.load, now=self._now),
            floods=FloodGuard(outbox=self.outbox, watch=watch, now=self._now),
            ready=self.preferences.ready,
            wake=self._wake,
            check=self.check,
            now=self._now,
            stopping=self.stopping,
            limits=self.limits,
        ).run()

    def _waiting(self, pipeline: Pipeline) -> Waiting:
        return Waiting(
            source=self.source,
            pipeline=pipeline,
            now=self._now,
            ahead_max=self.ahead_max,
            kept_max=self.kept_max,
        )

    def _now(self) -> datetime:
        return self.now

    def _wake(self) -> None:
        self.woken += 1

    def in_turn(self, *steps: Callable[[], object]) -> None:
        """What happens on the polls that deliver nothing, one after the other; then the run ends."""
        left = list(steps)

        def step() -> None:
            if left:
                left.pop(0)()
            else:
                self.stopping.set()

        self.idle = step
