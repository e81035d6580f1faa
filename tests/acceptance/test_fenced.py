"""A process whose Kafka client has ended itself says so with its exit code, and a restart goes on."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumer.errors import ExitCode
from consumer.sandbox.sns_endpoint import ScriptedSns
from tests.acceptance.stage import Stage, eventually, preference_fields, transaction_fields
from tests.brokers import Kafka

ENDS_WITHIN_S = 10.0
STATIC = {"AVVISO_KAFKA__GROUP_INSTANCE_ID": "the-only-one"}


@pytest.fixture
def stage(kafka: Kafka, tmp_path: Path) -> Iterator[Stage]:
    with ScriptedSns() as sns:
        stage = Stage(kafka, sns, tmp_path)
        stage.publish("AlertPreferences", "cust-1", preference_fields())
        yield stage
        stage.close()


@pytest.mark.real
def test_a_static_member_that_another_one_has_replaced_ends_with_the_code_of_a_fatal_client(stage: Stage) -> None:
    stage.publish("TransactionPosted", "acc-1", transaction_fields(1))
    first = stage.worker(**STATIC)
    eventually(lambda: len(stage.sns.accepted) == 1, "a text")

    elsewhere = {
        "AVVISO_OUTBOX__URL": f"sqlite:///{stage.folder / 'second.sqlite'}",
        "AVVISO_PREFERENCES__PATH": str(stage.folder / "second.lmdb"),
    }
    second = stage.worker(**STATIC, **elsewhere)

    assert first.ended() == ExitCode.KAFKA_FATAL
    stage.publish("TransactionPosted", "acc-2", transaction_fields(2))
    eventually(lambda: len(stage.sns.accepted) == 2, "the text of the one that replaced it")
    assert second.stop() == ExitCode.OK
    [broken] = [line for line in stage.log_lines() if line["line"] == "broken"]
    assert (broken["exit_code"], "a restart joins the group anew" in broken["reason"]) == (ExitCode.KAFKA_FATAL, True)


def test_a_client_that_ends_itself_ends_the_process_within_seconds_and_a_restart_tells_nothing_twice(
    stage: Stage,
) -> None:
    worker = stage.worker(program="tests.acceptance.breaking")
    eventually(lambda: stage.said("partitions_assigned") > 0, "it has joined")
    stage.publish("TransactionPosted", "acc-1", transaction_fields(1))
    eventually(lambda: sum(stage.states().values()) == 1, "a notice")

    recorded_s = time.monotonic()
    assert worker.ended() == ExitCode.KAFKA_FATAL
    took_s = time.monotonic() - recorded_s
    stage.publish("TransactionPosted", "acc-1", transaction_fields(2))
    again = stage.worker()
    eventually(lambda: len(stage.sns.accepted) == 2, "both texts")

    assert again.stop() == ExitCode.OK
    assert took_s < ENDS_WITHIN_S
    assert stage.states() == {"accepted": 2}
