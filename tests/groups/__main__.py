"""One member of a group in a process of its own: the real loop and source, on a shared ledger, to be frozen and killed."""

import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from consumer.adapters.kafka_source import KafkaSource
from consumer.core.event import Event
from consumer.core.flood import FloodLimits, Watch
from consumer.core.record import Fetched, Record
from consumer.core.screen import Glance
from consumer.guards import FloodGuard, RoomGuard
from consumer.intake import Intake, IntakeLimits
from consumer.pipeline import Pipeline
from consumer.waiting import Waiting
from tests.builders import NOW, PSEUDONYMS, preferences, transaction
from tests.deciding import CATALOGUE
from tests.fakes import Drawer, Listed
from tests.groups.ledger import Ledger
from tests.intakes import WIDE

LIMITS = IntakeLimits(batch_records_max=20, poll_timeout_s=0.1)


class Halting:
    """A decoder that halts with a batch in hand where a file tells it to: by the kernel, or by being slow."""

    def __init__(self, name: str, folder: Path) -> None:
        self._freeze = folder / f"{name}.freeze"
        self._stall = folder / f"{name}.stall"

    def glances(self, records: Fetched) -> list[Glance | None]:
        return [None] * len(records)

    def awaited(self, _: Record) -> None:
        return None

    def decode(self, record: Record) -> Event:
        if self._freeze.exists():
            self._freeze.unlink()
            os.kill(os.getpid(), signal.SIGSTOP)
        while self._stall.exists():
            time.sleep(0.02)
        assert record.value is not None
        number = record.value.decode()
        return transaction(event_id=f"evt-{number}", transaction_id=f"tx-{number}")


class Claims(logging.Handler):
    """What the source says of its partitions goes to the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self._ledger = ledger

    def emit(self, entry: logging.LogRecord) -> None:
        said = entry.getMessage()
        if said.startswith("partitions_"):
            listed = entry.__dict__["fields"]["partitions"].split()
            self._ledger.claim(said, [int(one.rpartition("[")[2].rstrip("]")) for one in listed])


def main(name: str, folder: Path, settings: Mapping[str, Any], group: str, topic: str) -> None:
    """Work until SIGTERM."""
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    ledger = Ledger(folder / "ledger.sqlite", name)
    logger = logging.getLogger("avviso")
    logger.setLevel(logging.INFO)
    logger.addHandler(Claims(ledger))
    with KafkaSource(settings, group=group, topics=[topic], sole_owner=False, clock=time.monotonic) as source:
        table = Listed(preferences())
        pipeline = Pipeline(
            decoder=Halting(name, folder),
            preferences=table,
            catalogue=CATALOGUE,
            pseudonyms=PSEUDONYMS,
            tenant="default",
        )
        Intake(
            source=source,
            pipeline=pipeline,
            waiting=Waiting(source=source, pipeline=pipeline, now=lambda: NOW),
            outbox=ledger,
            dead_letters=Drawer(),
            room=RoomGuard(outbox=ledger, limits=WIDE, now=lambda: NOW),
            floods=FloodGuard(outbox=ledger, watch=Watch(FloodLimits(), stops=(), accepted={}), now=lambda: NOW),
            ready=table.ready,
            wake=lambda: None,
            check=lambda: None,
            now=lambda: NOW,
            stopping=stopping,
            limits=LIMITS,
        ).run()


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    main(given["name"], Path(given["folder"]), given["settings"], given["group"], given["topic"])
