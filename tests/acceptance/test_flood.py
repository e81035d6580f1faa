"""A flood of undecodable records ends `avviso run` at one place, until somebody mends it or accepts it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition

from consumer.adapters.outbox_sqlite import SqliteOutbox
from consumer.errors import ExitCode
from consumer.sandbox.sns_endpoint import ScriptedSns
from tests.acceptance.stage import Stage, eventually, preference_fields, transaction_fields
from tests.brokers import Kafka

POISON = b"\x00\x00\x00\x00\x09abc"  # names a schema of a registry, and none is set
LETTERS, RUN_MAX = 30, 5


@pytest.fixture
def stage(kafka: Kafka, tmp_path: Path) -> Iterator[Stage]:
    with ScriptedSns() as sns:
        stage = Stage(kafka, sns, tmp_path, partitions=1)
        yield stage
        stage.close()


def committed(stage: Stage) -> int:
    """The offset that the group goes on from."""
    consumer = Consumer(
        {"bootstrap.servers": stage.kafka.bootstrap_servers, "group.id": stage.environ()["AVVISO_GROUP_ID"]}
    )
    (found,) = consumer.committed([TopicPartition(stage.topics["TransactionPosted"], 0)], timeout=20)
    consumer.close()
    return int(found.offset)


def letters(stage: Stage) -> int:
    """How many dead letters there are."""
    consumer = Consumer({"bootstrap.servers": stage.kafka.bootstrap_servers, "group.id": "nobody"})
    low, high = consumer.get_watermark_offsets(TopicPartition(stage.topics["DeadLetter"], 0), timeout=20)
    consumer.close()
    return int(high - low)


def test_a_flood_stops_it_at_one_place_until_it_is_accepted(stage: Stage) -> None:
    """Kafka may deliver less than all at once, so a few letters may be written; never the one that makes a flood."""
    limits = {"AVVISO_FLOOD__RUN_MAX": str(RUN_MAX)}
    stage.publish("AlertPreferences", "cust-1", preference_fields())
    stage.publish("TransactionPosted", "acc-1", transaction_fields(1))
    worker = stage.worker(**limits)
    eventually(lambda: len(stage.sns.accepted) == 1, "the first text")
    assert worker.stop() == ExitCode.OK
    for _ in range(LETTERS):
        stage.publish_raw("TransactionPosted", "acc-1", POISON)

    first = stage.worker(**limits).ended()
    before = (committed(stage), letters(stage))
    second = stage.worker(**limits).ended()
    after = (committed(stage), letters(stage))

    assert (first, second) == (ExitCode.POISON_FLOOD, ExitCode.POISON_FLOOD)
    assert before == after
    offset, written = after
    assert offset == 1 + written < 1 + RUN_MAX
    said = [line for line in stage.log_lines() if line["line"] == "broken"]
    assert [line["exit_code"] for line in said] == [ExitCode.POISON_FLOOD] * 2
    assert "AVVISO_REGISTRY__URL" in said[-1]["reason"]

    stage.publish("TransactionPosted", "acc-1", transaction_fields(2))
    until = re.sub(r":\d+$", f":{1 + LETTERS}", offsets_in(said[-1]["reason"]))
    accepting = stage.worker("--accept-dead-letters-until", until, **limits)
    eventually(lambda: len(stage.sns.accepted) == 2, "the text behind the flood")
    assert accepting.stop() == ExitCode.OK

    assert letters(stage) == LETTERS
    assert committed(stage) == LETTERS + 2
    with SqliteOutbox.open(
        stage.outbox, identity=identity(stage), now=stage.stories()[0].summary.occurred_at
    ) as outbox:
        assert outbox.stops() == []


def test_what_is_still_to_come_cannot_be_accepted(stage: Stage) -> None:
    limits = {"AVVISO_FLOOD__RUN_MAX": str(RUN_MAX)}
    topic = stage.topics["TransactionPosted"]
    stage.publish("AlertPreferences", "cust-1", preference_fields())
    for _ in range(LETTERS):
        stage.publish_raw("TransactionPosted", "acc-1", POISON)
    worker = stage.worker("--accept-dead-letters-until", f"{topic}:0:1000000", **limits)
    eventually(lambda: letters(stage) == LETTERS, "the dead letters")

    for _ in range(LETTERS):
        stage.publish_raw("TransactionPosted", "acc-1", POISON)

    assert worker.ended() == ExitCode.POISON_FLOOD
    said = [line for line in stage.log_lines() if line["line"] == "dead_letters_accepted"]
    assert [(line["level"], line["partitions"]) for line in said] == [("warning", f"{topic}:0:{LETTERS}")]


def offsets_in(reason: str) -> str:
    found = re.search(r"--accept-dead-letters-until (\S+)", reason)
    assert found is not None, reason
    return found[1]


def identity(stage: Stage) -> dict[str, str]:
    consumer = Consumer({"bootstrap.servers": stage.kafka.bootstrap_servers, "group.id": "nobody"})
    cluster = str(consumer.cluster_id(20))
    consumer.close()
    topics = ",".join(sorted((stage.topics["TransactionPosted"], stage.topics["BalanceChanged"])))
    return {"cluster": cluster, "group": stage.environ()["AVVISO_GROUP_ID"], "topics": topics}


@pytest.mark.parametrize(
    ("offsets", "refusal"),
    [
        (["17"], "write topic:partition:offset"),
        (["nowhere:0:17"], "nowhere: not read here"),
        (["t:0:1,t:0:2"], "named twice"),
        (["t:0:1", "t:0:2"], "named twice"),
    ],
)
def test_offsets_that_cannot_be_meant_are_refused_before_anything_starts(
    stage: Stage, offsets: list[str], refusal: str
) -> None:
    options = [part for one in offsets for part in ("--accept-dead-letters-until", one)]

    assert stage.worker(*options).ended() == ExitCode.SETTINGS
    assert refusal in " ".join(stage.log.read_text().replace("│", " ").split())
