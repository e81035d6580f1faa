"""`avviso run` while the schema registry says nothing: what needs it waits, everything else is told."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumer.adapters.avro import confluent
from consumer.errors import ExitCode
from consumer.sandbox.sns_endpoint import ScriptedSns
from tests.acceptance.stage import Stage, eventually, preference_fields, single_object, transaction_fields
from tests.avro import schema
from tests.brokers import Kafka
from tests.registries import Hang, ScriptedRegistry, json_reply

STOP_S = 10.0


@pytest.fixture
def stage(kafka: Kafka, tmp_path: Path) -> Iterator[Stage]:
    with ScriptedSns() as sns:
        stage = Stage(kafka, sns, tmp_path, partitions=1)
        yield stage
        stage.close()


def framed(number: int) -> bytes:
    return confluent(7, json.dumps(schema()), transaction_fields(number))


def alone(stage: Stage, number: int) -> bytes:
    return single_object(stage._schemas["TransactionPosted"], transaction_fields(number))


def test_only_the_partition_that_needs_the_registry_waits_and_loses_nothing_by_a_restart(stage: Stage) -> None:
    stage.publish("AlertPreferences", "cust-1", preference_fields())
    waiting, flowing = "TransactionPosted", "BalanceChanged"
    with ScriptedRegistry(lambda _: Hang()) as registry:
        worker = stage.worker(AVVISO_REGISTRY__URL=registry.url, AVVISO_REGISTRY__TIMEOUT_S="60")
        for number, value in enumerate((alone(stage, 1), framed(2), alone(stage, 3))):
            stage.publish_raw(waiting, f"acc-{number}", value)
        for number in range(10, 20):
            stage.publish_raw(flowing, "acc-9", alone(stage, number))
        eventually(lambda: stage.states() == {"accepted": 11}, "eleven texts, none of what waits")
        eventually(lambda: stage.said("partition_waiting") == 1, "the partition that waits")
        asked_s = time.monotonic()
        code = worker.stop()
        stopped_s = time.monotonic() - asked_s
        asked = len(registry.asked)

    with ScriptedRegistry(lambda _: json_reply({"schema": json.dumps(schema())})) as registry:
        again = stage.worker(AVVISO_REGISTRY__URL=registry.url)
        eventually(lambda: stage.states() == {"accepted": 13}, "the other two texts")
        assert again.stop() == ExitCode.OK

    [line] = [entry for entry in stage.log_lines() if entry["line"] == "partition_waiting"]
    assert (line["topic"], line["partition"], line["offset"]) == (stage.topics[waiting], 0, 1)
    assert (line["what"], line["code"], line["schema"]) == ("registry", "no_answer", "7")
    assert (code, asked) == (ExitCode.OK, 1)
    assert stopped_s < STOP_S
    assert len(stage.sns.accepted) == 13
    assert stage.said("intake_paused") == stage.said("dead_letter") == stage.said("crashed") == 0


def test_an_outage_that_ends_is_over_without_a_restart(stage: Stage) -> None:
    stage.publish("AlertPreferences", "cust-1", preference_fields())
    with ScriptedRegistry(lambda _: json_reply({}, 503)) as registry:
        worker = stage.worker(AVVISO_REGISTRY__URL=registry.url)
        stage.publish_raw("TransactionPosted", "acc-1", framed(1))
        eventually(lambda: stage.said("partition_waiting") == 1, "the partition that waits")

        registry.answer = lambda _: json_reply({"schema": json.dumps(schema())})
        eventually(lambda: stage.states() == {"accepted": 1}, "the text")
        assert worker.stop() == ExitCode.OK

    [line] = [entry for entry in stage.log_lines() if entry["line"] == "partition_waiting"]
    assert line["code"] == "http_503"
    assert stage.said("partition_goes_on") == 1


def test_preferences_wait_for_the_registry_and_hold_everything_up_with_good_reason(stage: Stage) -> None:
    """They may be anybody's last word: nothing is told before they are read."""
    value = confluent(9, json.dumps(schema("AlertPreferences")), preference_fields())
    stage.publish_raw("AlertPreferences", "cust-1", value)
    stage.publish_raw("TransactionPosted", "acc-1", alone(stage, 1))
    with ScriptedRegistry(lambda _: json_reply({}, 503)) as registry:
        worker = stage.worker(AVVISO_REGISTRY__URL=registry.url)
        eventually(lambda: stage.said("intake_paused") == 1, "intake that waits for the preferences")
        eventually(
            lambda: any(
                entry["line"] == "preferences_waiting" and entry.get("code") == "http_503"
                for entry in stage.log_lines()
            ),
            "the table saying what it waits for",
        )

        assert "no_answer" not in {entry.get("code") for entry in stage.log_lines()}
        registry.answer = lambda _: json_reply({"schema": json.dumps(schema("AlertPreferences"))})
        eventually(lambda: stage.states() == {"accepted": 1}, "the text")
        assert worker.stop() == ExitCode.OK
