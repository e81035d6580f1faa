"""How much memory a process has after it has read a little of a backlog, and after all of it."""

import tempfile
import threading
from pathlib import Path

import msgspec

from consumer.ports import RecordSource
from consumer.process import rare_collections
from tests.benchmarks.apart import answer_order, answered
from tests.benchmarks.contenders import see_notices
from tests.benchmarks.counting import CountingSource
from tests.benchmarks.resident import Resident, resident
from tests.benchmarks.wiring import Places, intake_of, table_of, wait_until_ready
from tests.brokers import fresh

_PATIENCE_S = 600.0


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """Memory after so many `events`, `at_ready` before the first of them."""

    events_early: int
    events: int
    at_ready: Resident
    early: Resident
    late: Resident

    @property
    def ratio(self) -> float:
        """Of all that is resident: at the end by early on."""
        return self.late.total_bytes / self.early.total_bytes

    @property
    def anonymous_ratio(self) -> float:
        """The same without what mirrors files."""
        return self.late.anonymous_bytes / self.early.anonymous_bytes


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What the other process is to do."""

    places: Places
    events_early: int
    events: int
    told: int


def backlog_read(places: Places, events_early: int, events: int, told: int, folder: Path) -> Backlog:
    """In a process of its own, so that its memory is its own; raises where an event or a notice is missing."""
    with tempfile.TemporaryDirectory(dir=folder) as fleeting:
        own = msgspec.structs.replace(places, group=fresh("avviso"), outbox=str(Path(fleeting) / "outbox.sqlite"))
        order = Order(places=own, events_early=events_early, events=events, told=told)
        return answered("tests.benchmarks.backlog", order, Backlog)


def _read(order: Order) -> Backlog:
    stopping, early = threading.Event(), list[Resident]()

    def look(processed: int) -> None:
        if processed >= order.events_early and not early:
            early.append(resident())

    def watched(source: RecordSource) -> RecordSource:
        return CountingSource(source, order.events, stopping, done=look)

    settings = order.places.settings()
    with table_of(settings) as table, intake_of(settings, table, watched, stopping) as loop:
        wait_until_ready(table, _PATIENCE_S)
        at_ready = resident()
        with rare_collections():  # as `run` does
            loop.run()
        late = resident()
    see_notices(Path(order.places.outbox), order.told)
    return Backlog(events_early=order.events_early, events=order.events, at_ready=at_ready, early=early[0], late=late)


if __name__ == "__main__":
    answer_order(Order, _read)
