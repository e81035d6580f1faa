"""Avviso's whole intake against a loop that only consumes and decodes the same records."""

import io
import itertools
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import fastavro
import msgspec
from confluent_kafka import Consumer

from consumer.adapters import resources
from consumer.adapters.avro import AvroDecoder, Library
from consumer.adapters.catalogue_file import load_catalogue
from consumer.adapters.kafka_dead_letters import KafkaDeadLetters
from consumer.adapters.kafka_source import KafkaSource
from consumer.adapters.outbox_sqlite import SqliteOutbox, SqliteOutboxReader
from consumer.adapters.preference_table import PreferenceTable
from consumer.core.backpressure import LoadLimits
from consumer.core.flood import FloodLimits, Watch
from consumer.core.record import Record
from consumer.core.screen import Screen
from consumer.guards import FloodGuard, RoomGuard
from consumer.intake import Intake, IntakeLimits
from consumer.pipeline import Pipeline
from consumer.ports import RecordSource
from consumer.process import rare_collections
from tests.benchmarks import population
from tests.benchmarks.measuring import Contest, Site, Spent, Stopwatch
from tests.benchmarks.population import BALANCES, PREFERENCES, TRANSACTIONS
from tests.brokers import Kafka, fresh, fresh_topic
from tests.builders import PSEUDONYMS

BATCH_RECORDS = 500
SILENCE_S = 60.0
_REAL_PARTITIONS = 12
_EMBEDDED_PARTITIONS = 64  # each keeps 5 MiB only
_HEADER_BYTES = 10  # of an Avro single object


@contextmanager
def intake(site: Site, *, name: str, balances: int) -> Iterator[Contest]:
    """Fill the topics and the table of preferences; hand out both sides. `balances`: of each hundred events."""
    scale = site.scale
    partitions = _REAL_PARTITIONS if site.kafka.real else _EMBEDDED_PARTITIONS
    stream = itertools.chain(
        population.preferences(scale.customers), population.events(scale.records, scale.customers, balances=balances)
    )
    topics = population.published(site.kafka, stream, partitions)
    with ExitStack() as undo:
        table = undo.enter_context(_preferences(site, topics[PREFERENCES]))
        letters = undo.enter_context(_dead_letters(site.kafka))
        ours = partial(_ours, site, topics, table, letters)
        yield Contest(
            name=name,
            unit="records",
            count=scale.records,
            bare="consume(500) and fastavro.schemaless_reader, nothing done with the event, no offset committed",
            do_bare=partial(_bare, site, topics),
            ours="poll, screen, decode, decide, outbox on SQLite with synchronous=FULL, offsets committed",
            do_ours=ours,
            circumstances={
                **population.shares(balances),
                "customers": scale.customers,
                "partitions": partitions,
                "batch": BATCH_RECORDS,
                "preferences": "LMDB",
                "framing": "Avro single object",
            },
        )


def _bare(site: Site, topics: dict[str, str]) -> Spent:
    """What nobody can do without: fetch, and decode by the schema as it is shipped."""
    schemas = _schemas()
    consumer = Consumer(
        {
            "bootstrap.servers": site.kafka.bootstrap_servers,
            "group.id": fresh("bare"),
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([topics[TRANSACTIONS], topics[BALANCES]])
    seen, stopwatch, patient_until_s = 0, Stopwatch(), time.monotonic() + SILENCE_S
    while seen < site.scale.records:
        messages = consumer.consume(BATCH_RECORDS, 1.0)
        if not messages and time.monotonic() > patient_until_s:
            raise TimeoutError(f"the bare loop has seen {seen} records, and then none for {SILENCE_S:.0f} s")
        if messages and not seen:
            stopwatch = Stopwatch()
        for message in messages:
            value: Any = message.value()
            stream = io.BytesIO(value)
            fastavro.schemaless_reader(stream, schemas[stream.read(_HEADER_BYTES)], None)
        seen += len(messages)
    spent = stopwatch.read()
    consumer.close()
    return spent


def _schemas() -> dict[bytes, Any]:
    """Each schema as it is shipped, logical types and all, by the header of its records."""
    library = Library(resources.schemas())
    parsed = {}
    for name in (TRANSACTIONS, BALANCES):
        schema = fastavro.parse_schema(msgspec.json.decode(library.newest_text(name)))
        canonical = fastavro.schema.to_parsing_canonical_form(schema)
        fingerprint = fastavro.schema.fingerprint(canonical, "CRC-64-AVRO")
        parsed[b"\xc3\x01" + bytes.fromhex(fingerprint)] = schema
    return parsed


def _ours(site: Site, topics: dict[str, str], table: PreferenceTable, letters: KafkaDeadLetters) -> Spent:
    """A new group and a new outbox: nothing was read, nothing was told."""
    stopping = threading.Event()
    with ExitStack() as undo:
        folder = Path(undo.enter_context(tempfile.TemporaryDirectory(dir=site.folder)))
        source = undo.enter_context(_source(site.kafka, (topics[TRANSACTIONS], topics[BALANCES])))
        outbox = undo.enter_context(SqliteOutbox.open(folder / "outbox.sqlite", identity={}, now=_utc_now()))
        timed = TimedSource(source, site.scale.records, stopping)
        loop = Intake(
            source=timed,
            pipeline=Pipeline(
                decoder=_decoder(),
                preferences=table,
                catalogue=load_catalogue(resources.catalogue()),
                pseudonyms=PSEUDONYMS,
                tenant="default",
            ),
            outbox=outbox,
            dead_letters=letters,
            room=RoomGuard(outbox=outbox, limits=LoadLimits(), now=_utc_now),
            floods=FloodGuard(outbox=outbox, watch=Watch(FloodLimits()), now=_utc_now),
            ready=table.ready,
            wake=lambda: None,
            check=table.check,
            now=_utc_now,
            stopping=stopping,
            limits=IntakeLimits(batch_records_max=BATCH_RECORDS, poll_timeout_s=1.0),
        )
        with rare_collections():  # as `run` does
            loop.run()
        with SqliteOutboxReader.open(folder / "outbox.sqlite") as reader:
            found, expected = sum(reader.stats().values()), population.told(site.scale.records)
        if found != expected:
            raise RuntimeError(f"{found} notices stand in the outbox, not {expected}")
    return timed.spent


class TimedSource:
    """A source with a stopwatch, from the first records delivered until `count` are processed; then the loop is to stop."""

    def __init__(self, source: RecordSource, count: int, stopping: threading.Event) -> None:
        self._source = source
        self._left = count
        self._stopping = stopping
        self._stopwatch: Stopwatch | None = None
        self._patient_until_s = time.monotonic() + SILENCE_S
        self.spent = Spent(wall_s=0.0, cpu_s=0.0)

    def poll(self, *, records_max: int, timeout_s: float) -> Sequence[Record]:
        records = self._source.poll(records_max=records_max, timeout_s=timeout_s)
        if records:
            self._stopwatch = self._stopwatch or Stopwatch()
            self._patient_until_s = time.monotonic() + SILENCE_S
        elif time.monotonic() > self._patient_until_s:
            raise TimeoutError(f"intake has still {self._left} records to come, and none came for {SILENCE_S:.0f} s")
        return records

    def processed(self, records: Sequence[Record]) -> None:
        self._source.processed(records)
        self._left -= len(records)
        if self._left <= 0 and self._stopwatch is not None:
            self.spent = self._stopwatch.read()
            self._stopping.set()

    @property
    def overdue(self) -> bool:
        return self._source.overdue

    def owns(self, record: Record) -> bool:
        return self._source.owns(record)

    def commit(self) -> None:
        self._source.commit()

    def pause(self) -> None:
        self._source.pause()

    def resume(self) -> None:
        self._source.resume()

    def close(self) -> None:
        self._source.close()


def _source(kafka: Kafka, topics: Sequence[str]) -> KafkaSource:
    return KafkaSource(
        {"bootstrap.servers": kafka.bootstrap_servers},
        group=fresh("avviso"),
        topics=topics,
        sole_owner=True,
        clock=time.monotonic,
    )


def _decoder() -> AvroDecoder:
    return AvroDecoder(schemas=resources.schemas(), registry=None, now=_utc_now)


@contextmanager
def _preferences(site: Site, topic: str) -> Iterator[PreferenceTable]:
    """The table as `run` keeps it, filled before anything is measured."""
    with (
        tempfile.TemporaryDirectory(dir=site.folder) as folder,
        PreferenceTable(
            {"bootstrap.servers": site.kafka.bootstrap_servers},
            topic=topic,
            path=Path(folder) / "preferences.lmdb",
            decode=_decoder().preferences,
            word=Screen(load_catalogue(resources.catalogue())).word,
            customers_min=1,
            size_max_bytes=2**30,
            now=_utc_now,
        ) as table,
    ):
        _wait_until(table.ready, "the preferences are caught up")
        yield table


@contextmanager
def _dead_letters(kafka: Kafka) -> Iterator[KafkaDeadLetters]:
    topic = fresh_topic(kafka, "dead-letters")
    with KafkaDeadLetters(
        {"bootstrap.servers": kafka.bootstrap_servers}, topic=topic, version="benchmark", now=_utc_now
    ) as letters:
        yield letters


def _wait_until(so: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + SILENCE_S
    while not so():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"not within {SILENCE_S:.0f} s: {what}")
        time.sleep(0.02)


def _utc_now() -> datetime:
    return datetime.now(UTC)
