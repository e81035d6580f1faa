"""Intake with the screen in front: what is screened is counted, done with, and otherwise left alone."""

import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint

from consumer import telemetry
from consumer.core.event import Event
from consumer.core.flood import FloodLimits, Watch
from consumer.core.notice import Change
from consumer.core.record import Fetched, Position, Record
from consumer.core.screen import Glance
from consumer.core.standing import Memory, Questions
from consumer.errors import Awaited, Unavailable
from consumer.guards import FloodGuard, RoomGuard
from consumer.intake import Intake, IntakeLimits
from consumer.pipeline import Pipeline
from consumer.ports import EventDecoder, Recorded, Room
from consumer.waiting import Waiting
from tests.avro import experienced, our_bytes, transaction_fields
from tests.builders import NOW, PSEUDONYMS, record
from tests.deciding import CATALOGUE, empty, only
from tests.fakes import Drawer, Durable, Listed, ScriptedSource
from tests.intakes import WIDE

FAR_AWAY = b"the rest of the record is no Avro"


@pytest.fixture
def meters(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemoryMetricReader]:
    reader = InMemoryMetricReader()
    provider = MeterProvider(metric_readers=[reader])
    for name in ("DECISIONS", "EVENTS", "RECORDS"):
        monkeypatch.setattr(telemetry, name, provider.get_meter("tests").create_counter(name))
    yield reader
    provider.shutdown()


def counted(reader: InMemoryMetricReader, name: str) -> dict[str, int]:
    data = reader.get_metrics_data()
    assert data is not None
    found = {}
    for metric in data.resource_metrics[0].scope_metrics[0].metrics:
        for point in metric.data.data_points if metric.name == name.lower() else ():
            assert isinstance(point, NumberDataPoint)
            found[str(next(iter((point.attributes or {}).values())))] = int(point.value)
    return found


class Partitioned(ScriptedSource):
    """Partitions are lost in their order: `epoch` is the first that is still ours."""

    def owns(self, record: Record) -> bool:
        return record.epoch >= self.epoch


class Kept:
    """An outbox that keeps what it is given, and is away as often as `outages` says."""

    def __init__(self, outages: int = 0) -> None:
        self.changes: list[Change] = []
        self.outages = outages

    def recall(self, asked: Questions) -> Memory:
        return empty()

    def record(self, changes: Sequence[Change], now: datetime) -> Durable:
        if self.outages:
            self.outages -= 1
            raise Unavailable("outbox", "busy")
        self.changes += changes
        return Durable(Recorded(notices=len(changes), cancelled=0))

    def backlog(self, now: datetime, *, at_most: int) -> int:
        return 0

    def room(self) -> Room:
        return Room(used_bytes=0, free_bytes=2**50)

    def stops(self) -> Sequence[Position]:
        return ()

    def stop_at(self, stopped: Sequence[Position], now: datetime) -> None:
        raise AssertionError("there is no flood here")

    def pass_stops(self, passed: Sequence[Position]) -> None:
        raise AssertionError("there was no flood here")


def small(offset: int, partition: int = 0) -> Record:
    """A payment that is below everybody's threshold, by two customers, and of which only the beginning can be read."""
    whole = our_bytes("TransactionPosted", transaction_fields(customer_ids=["cust-1", "cust-2"], amount=Decimal(1)))
    return at(offset, whole[:50] + FAR_AWAY, partition)


def large(offset: int, partition: int = 0) -> Record:
    return at(offset, our_bytes("TransactionPosted", transaction_fields(event_id=f"evt-{offset}")), partition)


def at(offset: int, value: bytes, partition: int) -> Record:
    position = Position(topic="bank.transactions.v1", partition=partition, offset=offset)
    return record(position=position, value=value, epoch=partition)


class Hesitant:
    """Has no schema for whatever must be decoded, the first time that it is asked."""

    def __init__(self) -> None:
        self._decoder = experienced()
        self._asked = False

    def glances(self, records: Fetched) -> Sequence[Glance | None]:
        return self._decoder.glances(records)

    def decode(self, record: Record) -> Event:
        if not self._asked:
            self._asked = True
            raise Awaited("registry", "timeout", "id 7")
        return self._decoder.decode(record)

    def awaited(self, record: Record) -> Awaited | None:
        return None


def run(
    source: ScriptedSource,
    outbox: Kept,
    drawer: Drawer,
    stopping: threading.Event,
    decoder: EventDecoder | None = None,
) -> None:
    table = Listed(only("large_debit"))
    pipeline = Pipeline(
        decoder=decoder or experienced(),
        preferences=table,
        catalogue=CATALOGUE,
        pseudonyms=PSEUDONYMS,
        tenant="default",
    )
    Intake(
        source=source,
        pipeline=pipeline,
        waiting=Waiting(source=source, pipeline=pipeline, now=lambda: NOW),
        outbox=outbox,
        dead_letters=drawer,
        room=RoomGuard(outbox=outbox, limits=WIDE, now=lambda: NOW),
        floods=FloodGuard(outbox=outbox, watch=Watch(FloodLimits(), stops=(), accepted={}), now=lambda: NOW),
        ready=table.ready,
        wake=lambda: None,
        check=lambda: None,
        now=lambda: NOW,
        stopping=stopping,
        limits=IntakeLimits(),
    ).run()


def test_a_screened_record_is_counted_for_each_of_its_customers_and_its_offset_is_done(
    meters: InMemoryMetricReader,
) -> None:
    stopping, outbox, drawer = threading.Event(), Kept(), Drawer()
    source = ScriptedSource([[small(1), large(2), small(3)]], stopping.set)

    run(source, outbox, drawer, stopping)

    assert [position.offset for position in source.processed_positions] == [1, 2, 3]
    assert len(outbox.changes) == 1
    assert drawer.letters == []
    assert counted(meters, "DECISIONS") == {"screened": 4, "notify": 1}
    assert counted(meters, "EVENTS") == {"TransactionPosted": 3}


def test_a_batch_of_which_nothing_passes_writes_nothing(meters: InMemoryMetricReader) -> None:
    stopping, outbox = threading.Event(), Kept()
    source = ScriptedSource([[small(1), small(2)]], stopping.set)

    run(source, outbox, Drawer(), stopping)

    assert len(source.processed_positions) == 2
    assert outbox.changes == []
    assert counted(meters, "DECISIONS") == {"screened": 4}


def test_what_a_rebalance_takes_away_after_it_was_read_counts_as_read_though_not_as_told(
    meters: InMemoryMetricReader,
) -> None:
    stopping, outbox = threading.Event(), Kept(outages=1)

    def idle() -> None:
        if outbox.changes:
            stopping.set()
        source.epoch = 1

    source = Partitioned([[small(1), large(2), small(3, partition=1), large(4, partition=1)]], idle)

    run(source, outbox, Drawer(), stopping)

    assert [position.offset for position in source.processed_positions] == [3, 4]
    assert counted(meters, "DECISIONS") == {"screened": 4, "notify": 1}
    assert counted(meters, "EVENTS") == {"TransactionPosted": 4}


def test_what_is_held_back_counts_when_it_is_read_and_once(meters: InMemoryMetricReader) -> None:
    stopping, outbox = threading.Event(), Kept()
    source = ScriptedSource([[small(1), large(2), small(3)]], stopping.set)

    run(source, outbox, Drawer(), stopping, Hesitant())

    assert [position.offset for position in source.processed_positions] == [1, 2, 3]
    assert counted(meters, "RECORDS") == {"bank.transactions.v1": 3}
    assert counted(meters, "DECISIONS") == {"screened": 4, "notify": 1}
    assert counted(meters, "EVENTS") == {"TransactionPosted": 3}
