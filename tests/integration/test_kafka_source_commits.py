"""Commits that a coordinator does not take at once: none overtakes another, so that offsets never go back."""

import time
from collections.abc import Iterator

import pytest
from confluent_kafka import KafkaError

from consumer.core.record import Fetched
from consumer.sandbox.embedded_kafka import Api, EmbeddedKafka
from tests.brokers import EmbeddedBrokers, committed, produce
from tests.members import Member

REPEATED_AFTER_MS = 300
each_answer_that_is_repeated = pytest.mark.parametrize(
    "code",
    [KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.REQUEST_TIMED_OUT],
)


@pytest.fixture
def kafka(cluster: EmbeddedKafka) -> EmbeddedBrokers:
    return EmbeddedBrokers(cluster)


@pytest.fixture
def one(kafka: EmbeddedBrokers) -> Iterator[Member]:
    with Member(kafka, "group", "events", settings={"retry.backoff.ms": REPEATED_AFTER_MS}) as member:
        produce(kafka, "events", *[b"x"] * 9)
        member.receive(9)
        yield member


def tells(one: Member, count: int) -> None:
    """Kafka, that so many are done with."""
    one.source.processed(Fetched(one.received[:count]).ends)
    one.now_s += 10.0
    one.source.commit()


@each_answer_that_is_repeated
def test_a_commit_that_librdkafka_repeats_does_not_set_back_a_later_one(
    cluster: EmbeddedKafka, kafka: EmbeddedBrokers, one: Member, code: int
) -> None:
    cluster.refuse(Api.OFFSET_COMMIT, code)
    tells(one, 3)
    one.poll()
    offsets: list[int] = []
    repeated_s = time.monotonic() + 3 * REPEATED_AFTER_MS / 1000

    def seen() -> bool:
        tells(one, 7)
        offsets.append(committed(kafka, "group", "events") or 0)
        return offsets[-1] == 7 and time.monotonic() > repeated_s

    one.poll_until(seen)

    assert offsets == sorted(offsets)


def test_who_leaves_while_a_commit_is_repeated_waits_for_it_and_commits_the_rest(
    cluster: EmbeddedKafka, kafka: EmbeddedBrokers, one: Member
) -> None:
    cluster.refuse(Api.OFFSET_COMMIT, KafkaError.COORDINATOR_LOAD_IN_PROGRESS)
    tells(one, 3)
    one.poll()

    one.source.processed(Fetched(one.received[:7]).ends)
    one.source.close()

    assert committed(kafka, "group", "events") == 7


def test_a_commit_that_is_never_answered_does_not_end_all_commits_white_box(
    cluster: EmbeddedKafka, kafka: EmbeddedBrokers, one: Member
) -> None:
    one.source._commits._under_way_since_s = one.now_s

    tells(one, 3)
    one.poll(0.3)
    meanwhile = committed(kafka, "group", "events")
    one.now_s += 120.0
    tells(one, 3)

    one.poll_until(lambda: committed(kafka, "group", "events") == 3)
    assert meanwhile is None
