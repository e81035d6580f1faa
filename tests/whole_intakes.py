"""The whole of intake for tests: on a real source, asking a registry that does what a test tells it."""

import functools
import json
import random
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from consumer.adapters.avro import AvroDecoder, confluent
from consumer.adapters.kafka_source import KafkaSource, SourceLimits
from consumer.adapters.outbox_sqlite import SqliteOutbox, SqliteOutboxReader
from consumer.adapters.registry import Errands, Registry
from consumer.backoff import endless
from consumer.core.flood import FloodLimits, Watch
from consumer.core.record import Delivery, Fetched, Position, Record
from consumer.guards import FloodGuard, RoomGuard
from consumer.intake import Intake, IntakeLimits
from consumer.pipeline import Pipeline
from consumer.ports import SchemaVersions, WriterSchemas
from consumer.waiting import Waiting
from tests.avro import SCHEMAS, our_bytes, schema, transaction_fields
from tests.brokers import Kafka, fresh, fresh_topic, produce
from tests.builders import NOW, PSEUDONYMS, preferences
from tests.deciding import CATALOGUE
from tests.fakes import Drawer, Listed, take_below
from tests.intakes import WIDE
from tests.registries import Behaviour, ScriptedRegistry, json_reply

DEADLINE_S = 60.0
POLL_S = 0.5
FOUND = json_reply({"schema": json.dumps(schema())})


class Watched(KafkaSource):
    """Knows what was processed, and how long it was left alone between two polls, and each poll took."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.done: list[Position] = []
        self._delivered: list[Record] = []
        self.after_each_batch: Callable[[], None] = lambda: None
        self.longest_s = 0.0
        self.held_back = 0
        self._last_s = time.monotonic()

    def hold_back(self, delivery: Delivery, offset: int) -> None:
        super().hold_back(delivery, offset)
        self.held_back += 1

    def poll(self, *, records_max: int, timeout_s: float, before_revoke: Callable[[], None] = lambda: None) -> Fetched:
        self._tick()
        records = super().poll(records_max=records_max, timeout_s=timeout_s, before_revoke=before_revoke)
        self._tick()
        self._delivered += records
        return records

    def processed(self, ends: Mapping[Delivery, int]) -> None:
        super().processed(ends)
        self.done += [record.position for record in take_below(ends, self._delivered)]

    def commit(self) -> None:
        super().commit()
        self.after_each_batch()

    def offsets(self, partition: int) -> list[int]:
        return [at.offset for at in self.done if at.partition == partition]

    def restart_the_watch(self) -> None:
        self.longest_s, self._last_s = 0.0, time.monotonic()

    def _tick(self) -> None:
        now_s = time.monotonic()
        self.longest_s, self._last_s = max(self.longest_s, now_s - self._last_s), now_s


class Rig:
    """Intake with all that belongs to it, run on the test's thread until something is so."""

    def __init__(self, kafka: Kafka, folder: Path, stack: ExitStack) -> None:
        self.kafka, self.group = kafka, fresh("group")
        self.topic = fresh_topic(kafka, "transactions", partitions=3)
        self.drawer = Drawer()
        self._folder, self.stack = folder, stack
        self._stopping = threading.Event()
        self.errands = stack.enter_context(
            Errands(backoff=endless(first_s=0.1, longest_s=0.5, chance=random.Random(1)))
        )
        self.source = stack.enter_context(
            Watched(
                {
                    "bootstrap.servers": kafka.bootstrap_servers,
                    "session.timeout.ms": 2000,
                    "heartbeat.interval.ms": 200,
                    "fetch.wait.max.ms": 100,
                },
                group=self.group,
                topics=[self.topic],
                sole_owner=False,
                clock=time.monotonic,
                limits=SourceLimits(commit_interval_s=0.0),
            )
        )
        self._until_s = 0.0
        self._outbox = stack.enter_context(SqliteOutbox.open(folder / "outbox.sqlite", identity={}, now=NOW))

    def registry(self, url: str, timeout_s: float) -> Registry:
        asking = functools.partial(self.errands.send, "registry")
        return self.stack.enter_context(Registry(url, timeout_s=timeout_s, asking=asking))

    def intake(self, registry: WriterSchemas | None, glue: SchemaVersions | None = None) -> Intake:
        table = Listed(preferences())
        pipeline = Pipeline(
            decoder=AvroDecoder(schemas=SCHEMAS, registry=registry, glue=glue, now=lambda: NOW),
            preferences=table,
            catalogue=CATALOGUE,
            pseudonyms=PSEUDONYMS,
            tenant="default",
        )
        watch = Watch(FloodLimits(), stops=(), accepted={})
        return Intake(
            source=self.source,
            pipeline=pipeline,
            waiting=Waiting(source=self.source, pipeline=pipeline, now=lambda: NOW),
            outbox=self._outbox,
            dead_letters=self.drawer,
            room=RoomGuard(outbox=self._outbox, limits=WIDE, now=lambda: NOW),
            floods=FloodGuard(outbox=self._outbox, watch=watch, now=lambda: NOW),
            ready=table.ready,
            wake=lambda: None,
            check=self._check,
            now=lambda: NOW,
            stopping=self._stopping,
            limits=IntakeLimits(poll_timeout_s=POLL_S),
        )

    def run_until(self, intake: Intake, so: Callable[[], bool]) -> float:
        """How many seconds it took."""
        started_s = time.monotonic()

        def look() -> None:
            if so():
                self._stopping.set()

        self.source.after_each_batch = look
        self._until_s = started_s + DEADLINE_S
        self._stopping.clear()
        self.source.restart_the_watch()
        intake.run()
        return time.monotonic() - started_s

    def produce(self, partition: int, *values: bytes) -> None:
        produce(self.kafka, self.topic, *values, partition=partition)

    def notices(self) -> int:
        with SqliteOutboxReader.open(self._folder / "outbox.sqlite") as reader:
            return sum(reader.stats().values())

    def _check(self) -> None:
        counts = [len(self.source.offsets(number)) for number in range(3)]
        assert time.monotonic() < self._until_s, f"not so after {DEADLINE_S} s: {counts} records are done"


def fields(name: str) -> dict[str, Any]:
    return transaction_fields(event_id=f"evt-{name}", transaction_id=f"tx-{name}")


def ours(name: str) -> bytes:
    return our_bytes("TransactionPosted", fields(name))


def theirs(name: str, schema_id: int = 7) -> bytes:
    return confluent(schema_id, json.dumps(schema()), fields(name))


def serving(rig: Rig, answer: Behaviour) -> ScriptedRegistry:
    return rig.stack.enter_context(ScriptedRegistry(lambda _: answer))
