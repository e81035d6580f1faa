"""While a registry says nothing, only the partitions wait whose records need it: the whole of intake on a real source."""

import functools
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from consumer.adapters.avro import AvroDecoder, Library, confluent
from consumer.adapters.avro.framing import glue_header
from consumer.adapters.kafka_source import KafkaSource, SourceLimits
from consumer.adapters.outbox_sqlite import SqliteOutbox, SqliteOutboxReader
from consumer.adapters.registry import Errands, GlueSchemas, Registry, register
from consumer.backoff import endless
from consumer.core.flood import FloodLimits, Watch
from consumer.core.record import Fetched, Position, Record
from consumer.errors import Broken, ExitCode
from consumer.guards import FloodGuard, RoomGuard
from consumer.intake import Intake, IntakeLimits
from consumer.pipeline import Pipeline
from consumer.ports import SchemaVersions, WriterSchemas
from consumer.waiting import Waiting
from tests.avro import SCHEMAS, our_bytes, schema, transaction_fields
from tests.brokers import Kafka, committed, fresh, fresh_topic, produce
from tests.builders import NOW, PSEUDONYMS, preferences
from tests.contracts.sns_bench import forget_the_developers_aws
from tests.deciding import CATALOGUE
from tests.fakes import Drawer, Listed
from tests.intakes import WIDE
from tests.registries import NOT_FOUND, Asked, Behaviour, Hang, Reply, ScriptedRegistry, json_reply

DEADLINE_S = 60.0
POLL_S = 0.5
BUSY_S = 1.0
"""What a batch may take on a busy machine."""
FEW = 6
"""Rounds, not 300: two where all records come in one batch."""
FOUND = json_reply({"schema": json.dumps(schema())})
VERSION = UUID("7d1f0c3e-8b62-4a35-9f10-2b8f4a6f9c11")


class Watched(KafkaSource):
    """Knows what was processed, and how long it was left alone between two polls, and each poll took."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.done: list[Position] = []
        self.after_each_batch: Callable[[], None] = lambda: None
        self.longest_s = 0.0
        self.held_back = 0
        self._last_s = time.monotonic()

    def hold_back(self, record: Record) -> None:
        super().hold_back(record)
        self.held_back += 1

    def poll(self, *, records_max: int, timeout_s: float) -> Fetched:
        self._tick()
        records = super().poll(records_max=records_max, timeout_s=timeout_s)
        self._tick()
        return records

    def processed(self, records: Fetched) -> None:
        super().processed(records)
        self.done += [record.position for record in records]

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
        self._folder, self._stack = folder, stack
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
        return self._stack.enter_context(Registry(url, timeout_s=timeout_s, asking=asking))

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


@pytest.fixture
def rig(kafka: Kafka, tmp_path: Path) -> Iterator[Rig]:
    with ExitStack() as stack:
        yield Rig(kafka, tmp_path, stack)


def fields(name: str) -> dict[str, Any]:
    return transaction_fields(event_id=f"evt-{name}", transaction_id=f"tx-{name}")


def ours(name: str) -> bytes:
    return our_bytes("TransactionPosted", fields(name))


def theirs(name: str, schema_id: int = 7) -> bytes:
    return confluent(schema_id, json.dumps(schema()), fields(name))


def serving(rig: Rig, answer: Behaviour) -> ScriptedRegistry:
    return rig._stack.enter_context(ScriptedRegistry(lambda _: answer))


def test_a_registry_that_hangs_holds_up_its_partition_and_no_poll(rig: Rig) -> None:
    server = serving(rig, Hang())
    intake = rig.intake(rig.registry(server.url, timeout_s=2.0))
    rig.produce(0, ours("a0"), theirs("a1"), ours("a2"), theirs("a3"))
    rig.produce(1, *[ours(f"b{number}") for number in range(1000)])
    rig.run_until(intake, lambda: 0 in rig.source.offsets(0))

    flowing_s = rig.run_until(intake, lambda: len(rig.source.offsets(1)) == 1000)
    longest_s = rig.source.longest_s
    rig.run_until(intake, lambda: committed(rig.kafka, rig.group, rig.topic) == 1)
    held = rig.source.offsets(0)
    server.answer = lambda _: FOUND
    rig.run_until(intake, lambda: len(rig.source.offsets(0)) == 4)

    assert held == [0]
    assert longest_s < POLL_S + BUSY_S
    assert flowing_s < DEADLINE_S / 4
    assert rig.source.offsets(0) == [0, 1, 2, 3]
    assert rig.source.offsets(1) == list(range(1000))
    assert rig.notices() == 1004
    assert rig.drawer.letters == []
    assert {asked.path.rpartition("/")[2] for asked in server.asked} == {"7"}


def test_partitions_that_wait_for_one_schema_ask_once_and_go_on_at_once(rig: Rig) -> None:
    release = threading.Event()

    def answer(_: Asked) -> Behaviour:
        release.wait(DEADLINE_S)
        return FOUND

    server = rig._stack.enter_context(ScriptedRegistry(answer))
    intake = rig.intake(rig.registry(server.url, timeout_s=DEADLINE_S))
    for number in range(3):
        rig.produce(number, *[theirs(f"{number}-{count}") for count in range(5)])
    rig.run_until(intake, lambda: len(intake.waiting._waits) == 3)

    release.set()
    going_on_s = rig.run_until(intake, lambda: len(rig.source.done) == 15)

    assert len(server.asked) == 1
    assert going_on_s < 1.0 + 2 * BUSY_S  # where nothing flows, librdkafka looks once a second at what may be fetched
    assert [rig.source.offsets(number) for number in range(3)] == [list(range(5))] * 3


def test_an_outage_is_asked_about_again_until_it_is_over(rig: Rig) -> None:
    server = serving(rig, Reply(status=503))
    intake = rig.intake(rig.registry(server.url, timeout_s=5.0))
    rig.produce(0, theirs("a0"), theirs("a1", schema_id=8))
    rig.run_until(intake, lambda: len(server.asked) > 6)
    waited = list(rig.source.done)

    server.answer = lambda _: FOUND
    rig.run_until(intake, lambda: len(rig.source.done) == 2)

    assert waited == []
    assert rig.source.offsets(0) == [0, 1]
    assert rig.drawer.letters == []


def test_a_schema_that_the_registry_does_not_know_makes_a_dead_letter_in_its_place(rig: Rig) -> None:
    server = serving(rig, NOT_FOUND)
    intake = rig.intake(rig.registry(server.url, timeout_s=5.0))
    rig.produce(0, ours("a0"), *[theirs(f"a{number}") for number in range(1, 20)], ours("a20"))

    rig.run_until(intake, lambda: len(rig.source.offsets(0)) == 21)

    assert [letter.record.position.offset for letter in rig.drawer.letters] == list(range(1, 20))
    assert {letter.reason for letter in rig.drawer.letters} == {"unknown_schema"}
    assert rig.source.offsets(0) == list(range(21))
    assert len(server.asked) == 1


def test_records_that_each_name_a_schema_of_their_own_are_read_in_few_rounds_while_others_flow(rig: Rig) -> None:
    server = serving(rig, FOUND)
    intake = rig.intake(rig.registry(server.url, timeout_s=5.0))
    rig.produce(0, *[theirs(f"a{number}", 1000 + number) for number in range(300)])
    rig.produce(1, *[ours(f"b{number}") for number in range(300)])

    rig.run_until(intake, lambda: len(rig.source.done) == 600)

    assert [rig.source.offsets(number) for number in range(2)] == [list(range(300))] * 2
    assert len(server.asked) == 300
    assert rig.source.held_back <= FEW
    assert rig.drawer.letters == []
    assert rig.notices() == 600


def test_records_that_each_name_another_unknown_schema_end_in_a_flood_after_few_rounds(rig: Rig) -> None:
    server = serving(rig, NOT_FOUND)
    intake = rig.intake(rig.registry(server.url, timeout_s=5.0))
    rig.produce(0, *[theirs(f"a{number}", 1000 + number) for number in range(300)])

    with pytest.raises(Broken, match="unknown_schema") as flood:
        rig.run_until(intake, lambda: False)

    assert flood.value.exit_code == ExitCode.POISON_FLOOD
    assert rig.source.held_back <= FEW
    assert len(rig.drawer.letters) < FloodLimits().run_max


def test_a_stop_while_a_registry_hangs_is_prompt(rig: Rig) -> None:
    server = serving(rig, Hang())
    intake = rig.intake(rig.registry(server.url, timeout_s=DEADLINE_S))
    rig.produce(0, ours("a0"), theirs("a1"))
    rig.run_until(intake, lambda: bool(intake.waiting))
    started_s = time.monotonic()

    rig._stack.close()

    assert time.monotonic() - started_s < 5.0
    assert committed(rig.kafka, rig.group, rig.topic) == 1


def test_aws_glue_is_waited_for_in_the_same_way(rig: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    forget_the_developers_aws(monkeypatch, tmp_path)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    server = serving(rig, Hang())
    glue = rig._stack.enter_context(
        GlueSchemas(
            region="eu-south-1",
            endpoint_url=f"http://127.0.0.1:{server.server_port}",
            timeout_s=2.0,
            asking=functools.partial(rig.errands.send, "glue"),
        )
    )
    intake = rig.intake(None, glue)
    rig.produce(0, glue_header(VERSION) + ours("a0")[10:], ours("a1"))
    rig.produce(1, *[ours(f"b{number}") for number in range(100)])

    rig.run_until(intake, lambda: len(rig.source.offsets(1)) == 100 and bool(intake.waiting))
    longest_s, held = rig.source.longest_s, rig.source.offsets(0)
    server.answer = lambda _: json_reply({"DataFormat": "AVRO", "SchemaDefinition": json.dumps(schema())})
    rig.run_until(intake, lambda: len(rig.source.offsets(0)) == 2)

    assert held == []
    assert longest_s < POLL_S + BUSY_S
    assert rig.notices() == 102


@pytest.mark.real
def test_a_real_registry_is_asked_while_the_others_flow(rig: Rig, apicurio: str) -> None:
    with Registry(apicurio, timeout_s=10) as writing:
        (registered,) = register(writing, {rig.topic: Library(SCHEMAS).versions("TransactionPosted")})
    intake = rig.intake(rig.registry(apicurio, timeout_s=10.0))
    rig.produce(0, *[theirs(f"a{number}", registered.schema_id) for number in range(50)])
    rig.produce(1, *[ours(f"b{number}") for number in range(50)])
    rig.produce(2, theirs("c0", 2**31 - 1), ours("c1"))

    rig.run_until(intake, lambda: len(rig.source.done) == 102)

    assert [rig.source.offsets(number) for number in range(3)] == [list(range(50)), list(range(50)), [0, 1]]
    assert [letter.reason for letter in rig.drawer.letters] == ["unknown_schema"]
    assert rig.notices() == 101
