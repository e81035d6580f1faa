"""While a registry says nothing, only the partitions wait whose records need it: the whole of intake on a real source."""

import functools
import json
import threading
import time
from pathlib import Path
from uuid import UUID

import pytest

from consumer.adapters.avro import Library
from consumer.adapters.avro.framing import glue_header
from consumer.adapters.registry import GlueSchemas, Registry, register
from tests.avro import SCHEMAS, schema
from tests.brokers import committed
from tests.contracts.sns_bench import forget_the_developers_aws
from tests.registries import NOT_FOUND, Asked, Behaviour, Hang, Reply, ScriptedRegistry, json_reply
from tests.whole_intakes import DEADLINE_S, FOUND, POLL_S, Rig, ours, serving, theirs

BUSY_S = 1.0
"""What a batch may take on a busy machine."""
VERSION = UUID("7d1f0c3e-8b62-4a35-9f10-2b8f4a6f9c11")


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

    server = rig.stack.enter_context(ScriptedRegistry(answer))
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


def test_a_stop_while_a_registry_hangs_is_prompt(rig: Rig) -> None:
    server = serving(rig, Hang())
    intake = rig.intake(rig.registry(server.url, timeout_s=DEADLINE_S))
    rig.produce(0, ours("a0"), theirs("a1"))
    rig.run_until(intake, lambda: bool(intake.waiting))
    started_s = time.monotonic()

    rig.stack.close()

    assert time.monotonic() - started_s < 5.0
    assert committed(rig.kafka, rig.group, rig.topic) == 1


def test_aws_glue_is_waited_for_in_the_same_way(rig: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    forget_the_developers_aws(monkeypatch, tmp_path)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    server = serving(rig, Hang())
    glue = rig.stack.enter_context(
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
