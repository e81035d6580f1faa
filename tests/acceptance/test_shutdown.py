"""Told to stop while Kafka is away: the process ends within its grace period all the same."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumer.errors import ExitCode
from consumer.sandbox.embedded_kafka import EmbeddedKafka
from consumer.sandbox.sns_endpoint import ScriptedSns
from tests.acceptance.stage import Stage, eventually, preference_fields, transaction_fields
from tests.brokers import EmbeddedBrokers

GRACE_S = 30.0
USUAL = {"AVVISO_KAFKA__SESSION_TIMEOUT_MS": "45000", "AVVISO_KAFKA__HEARTBEAT_INTERVAL_MS": "3000"}


@pytest.fixture
def cluster() -> Iterator[EmbeddedKafka]:
    with EmbeddedKafka() as cluster:
        yield cluster


@pytest.fixture
def stage(cluster: EmbeddedKafka, tmp_path: Path) -> Iterator[Stage]:
    with ScriptedSns() as sns:
        stage = Stage(EmbeddedBrokers(cluster), sns, tmp_path)
        yield stage
        stage.close()


def test_without_kafka_it_ends_within_its_grace_period(stage: Stage, cluster: EmbeddedKafka) -> None:
    stage.publish("AlertPreferences", "cust-1", preference_fields())
    worker = stage.worker(**USUAL)
    stage.publish("TransactionPosted", "acc-1", transaction_fields(1))
    eventually(lambda: len(stage.sns.accepted) == 1, "a text")
    stage.publish("TransactionPosted", "acc-1", transaction_fields(2))
    eventually(lambda: len(stage.sns.accepted) == 2, "another text, whose offset is not committed for another second")
    cluster.broker_down()
    eventually(lambda: stage.said("kafka_trouble") > 0, "Kafka missed")

    began_s = time.monotonic()
    code = worker.stop(2 * GRACE_S)

    assert code == ExitCode.OK
    assert time.monotonic() - began_s < GRACE_S / 2
