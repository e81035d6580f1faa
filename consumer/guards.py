"""What intake makes sure of before it writes a batch: that the outbox has room for it, and that it is no flood."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from consumer import telemetry
from consumer.batch import Read
from consumer.core.backpressure import Load, LoadLimits, Pressure, after
from consumer.core.flood import Flood, Watch, as_offsets
from consumer.core.record import Record
from consumer.errors import Broken, DeadLetterReason, ExitCode, Unavailable
from consumer.ports import DeadLetter, OutboxForIntake
from consumer.telemetry import Line, alarm, log

LOOK_EVERY = timedelta(seconds=1)
_CURES = {
    DeadLetterReason.NO_REGISTRY: "set AVVISO_REGISTRY__URL to the registry of these records",
    DeadLetterReason.UNKNOWN_SCHEMA: "see that AVVISO_REGISTRY__URL is the registry that the producers use",
    DeadLetterReason.SCHEMA_REFUSED: "see what the producers' newest schema changed (`avviso schemas check`)",
    DeadLetterReason.WRONG_TYPE: "see that AVVISO_TOPICS__... name the topics of these events",
    DeadLetterReason.FROM_FUTURE: "compare this machine's clock with the producers'",
}
_ANY_CURE = "see what the producers of this topic changed"


@dataclass(slots=True, kw_only=True)
class RoomGuard:
    """Holds intake up while the outbox is too full, and lets it go on by itself once it is well below its limits.

    The outbox is looked at once a second, and each time while intake waits: between two looks it grows by a second's work.
    """

    outbox: OutboxForIntake
    limits: LoadLimits
    now: Callable[[], datetime]
    _pressure: Pressure = field(default_factory=Pressure)
    _looked_at: datetime | None = None

    def look(self) -> None:
        """Say how full it is also while no records come: it may be filled by others, or empty itself."""
        with contextlib.suppress(Unavailable):  # whoever has something to write hears of it
            self.check()

    def check(self) -> None:
        """Raises Unavailable while intake must wait."""
        now = self.now()
        just_looked = self._looked_at is not None and timedelta(0) <= now - self._looked_at < LOOK_EVERY
        if just_looked and not self._pressure.held:
            return
        load = self._load(now)
        before, self._pressure = self._pressure, after(self._pressure, load, self.limits)
        self._looked_at = now
        self._tell(before, load)
        if self._pressure.held:
            raise Unavailable("outbox", min(self._pressure.held).value)

    def _load(self, now: datetime) -> Load:
        room = self.outbox.room()
        due = self.outbox.backlog(now, at_most=self.limits.due_max)
        telemetry.OUTBOX_DUE.set(due)
        telemetry.OUTBOX_BYTES.set(room.used_bytes)
        telemetry.OUTBOX_FREE_BYTES.set(room.free_bytes)
        return Load(due=due, used_bytes=room.used_bytes, free_bytes=room.free_bytes)

    def _tell(self, before: Pressure, load: Load) -> None:
        """One alarm when a level is reached, not one a second."""
        for line, reached in (
            (Line.OUTBOX_FILLING, self._pressure.warned - before.warned),
            (Line.OUTBOX_FULL, self._pressure.held - before.held),
        ):
            for strain in sorted(reached):
                alarm(line, reason=strain.value, due=load.due, used_bytes=load.used_bytes, free_bytes=load.free_bytes)
        for strain in sorted(before.held - self._pressure.held):
            log(Line.OUTBOX_RELIEVED, reason=strain.value, due=load.due, free_bytes=load.free_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class FloodGuard:
    """Ends the process before a batch is written that belongs to a flood of undecodable records.

    Where it stopped is remembered in the outbox, so that a restart stops there too, however few records it reads at once.
    """

    outbox: OutboxForIntake
    watch: Watch
    now: Callable[[], datetime]

    @property
    def is_calm(self) -> bool:
        """Whether of what can be read no record need be looked at."""
        return self.watch.is_calm

    def suspects(self, record: Record) -> bool:
        """Whether a flood has stopped an earlier process in its partition, and is not known to be over."""
        return self.watch.suspects(record.position)

    def check(self, read: Read, letters: Sequence[DeadLetter]) -> None:
        """One portion after the other; `letters` are all of the batch.

        Raises Broken for a flood, once its place is remembered; Unavailable where it cannot be.
        """
        if not read.records:
            self.watch.read(read.by_topic)
            return
        judgement = self.watch.judge(
            [record.position for record in read.records], {letter.record.position: letter.reason for letter in letters}
        )
        if judgement.flood is not None:
            self.outbox.stop_at(judgement.flood.stops, self.now())
            raise Broken(explained(judgement.flood), ExitCode.POISON_FLOOD)
        if judgement.passed:
            self.outbox.pass_stops(judgement.passed)
            log(Line.FLOOD_PASSED, partitions=as_offsets(judgement.passed))
        self.watch.learn(judgement)


def explained(flood: Flood) -> str:
    """What is wrong, what was done about it, and the two ways on."""
    found = (
        "records that stopped it before still cannot be read"
        if flood.again
        else f"{flood.letters} of the latest {flood.records} records cannot be read"
    )
    return (
        f"topic {flood.topic}: {found} ({flood.counts} in this batch), the first at {flood.stops[0]}. Nothing of the batch "
        f"was written or committed, and a restart stops here again. If that is wrong: {_cure(flood.leading)}, and start "
        f"again. If they are to become dead letters: avviso run --accept-dead-letters-until {flood.until} covers "
        f"{flood.covered}; kafka-get-offsets prints the ends of whole topics in the same form"
    )


def _cure(reason: str) -> str:
    return next((cure for known, cure in _CURES.items() if known.value == reason), _ANY_CURE)
