"""Streams of events through the real intake loop into a real outbox, cut into batches at will."""

import threading
from collections.abc import Sequence
from itertools import count

from consumer.core.event import Event
from consumer.core.flood import FloodLimits, Watch
from consumer.core.preferences import Preferences
from consumer.core.record import Position, Record
from consumer.guards import FloodGuard, RoomGuard
from consumer.intake import Intake, IntakeLimits
from consumer.pipeline import Pipeline
from consumer.ports import OutboxForIntake
from consumer.waiting import Waiting
from tests.builders import NOW, PSEUDONYMS, record
from tests.deciding import CATALOGUE
from tests.fakes import Decoded, Drawer, Listed, ScriptedSource
from tests.intakes import WIDE


def taken_in(outbox: OutboxForIntake, batches: Sequence[Sequence[Event]], *customers: Preferences) -> None:
    """What intake makes of the batches, one poll each; the run ends at the first poll that has nothing to deliver."""
    offsets = count()
    content: dict[int, Event] = {}
    polled: list[list[Record]] = []
    for batch in batches:
        numbered = {next(offsets): event for event in batch}
        content |= numbered
        polled.append([_at(offset) for offset in numbered])
    stopping = threading.Event()
    table = Listed(*customers)
    source = ScriptedSource(polled, stopping.set)
    pipeline = Pipeline(
        decoder=Decoded(content), preferences=table, catalogue=CATALOGUE, pseudonyms=PSEUDONYMS, tenant="default"
    )
    Intake(
        source=source,
        pipeline=pipeline,
        waiting=Waiting(source=source, pipeline=pipeline, now=lambda: NOW),
        outbox=outbox,
        dead_letters=Drawer(),
        room=RoomGuard(outbox=outbox, limits=WIDE, now=lambda: NOW),
        floods=FloodGuard(outbox=outbox, watch=Watch(FloodLimits(), stops=(), accepted={}), now=lambda: NOW),
        ready=table.ready,
        wake=lambda: None,
        check=lambda: None,
        now=lambda: NOW,
        stopping=stopping,
        limits=IntakeLimits(),
    ).run()


def _at(offset: int) -> Record:
    return record(position=Position(topic="bank.transactions.v1", partition=0, offset=offset))
