"""The Kafka source on brokers that refuse: embedded ones, which do so when told."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from confluent_kafka import KafkaError, Producer
from confluent_kafka.admin import AdminClient

from consumer.adapters.kafka_source.inquiry import Inquiry
from consumer.adapters.kafka_source.partitions import Key
from consumer.core.record import Fetched
from consumer.sandbox.embedded_kafka import Api, EmbeddedKafka
from tests.brokers import EmbeddedBrokers, committed, produce
from tests.members import Member

USUAL = {"session.timeout.ms": 45_000, "heartbeat.interval.ms": 3000}


@pytest.fixture
def kafka(cluster: EmbeddedKafka) -> EmbeddedBrokers:
    return EmbeddedBrokers(cluster)


@pytest.fixture
def one(kafka: EmbeddedBrokers) -> Iterator[Member]:
    with Member(kafka, "group", "events") as member:
        yield member


def codes(caplog: pytest.LogCaptureFixture, line: str) -> list[Any]:
    return [entry.__dict__["fields"]["code"] for entry in caplog.records if entry.getMessage() == line]


@pytest.mark.parametrize(
    ("code", "logged"),
    [
        (KafkaError.REBALANCE_IN_PROGRESS, []),
        (KafkaError.GROUP_AUTHORIZATION_FAILED, ["GROUP_AUTHORIZATION_FAILED"]),
    ],
)
def test_a_refused_commit_is_made_again_when_the_next_one_is_due(
    cluster: EmbeddedKafka,
    kafka: EmbeddedBrokers,
    one: Member,
    caplog: pytest.LogCaptureFixture,
    code: int,
    logged: list[str],
) -> None:
    produce(kafka, "events", b"a", b"b")
    one.receive(2)
    one.source.processed(Fetched(one.received).ends)
    cluster.refuse(Api.OFFSET_COMMIT, code)

    one.source.commit()
    one.poll_until(lambda: one.source._partitions.untold() != {})
    assert committed(kafka, "group", "events") is None
    one.now_s += 1.0
    one.source.commit()

    one.poll_until(lambda: committed(kafka, "group", "events") == 2)
    assert codes(caplog, "commit_refused") == logged


def test_a_member_of_an_older_generation_lets_go_and_reads_again(
    cluster: EmbeddedKafka, kafka: EmbeddedBrokers, one: Member, caplog: pytest.LogCaptureFixture
) -> None:
    produce(kafka, "events", b"a")
    one.receive(1)
    one.source.processed(Fetched(one.received).ends)
    cluster.refuse(Api.OFFSET_COMMIT, KafkaError.ILLEGAL_GENERATION)

    one.source.commit()

    assert one.receive(2) == [b"a", b"a"]
    assert [one.source.owns(record) for record in one.received] == [False, True]
    assert codes(caplog, "commit_refused") == []


def test_a_coordinator_that_moves_is_followed(cluster: EmbeddedKafka, kafka: EmbeddedBrokers, one: Member) -> None:
    produce(kafka, "events", b"a")
    for api in (Api.FIND_COORDINATOR, Api.JOIN_GROUP, Api.OFFSET_FETCH):
        cluster.refuse(api, KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_LOAD_IN_PROGRESS)

    assert one.receive(1) == [b"a"]


def spread(kafka: EmbeddedBrokers, topic: str, partitions: int) -> None:
    """One record in each partition: its number."""
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})
    for partition in range(partitions):
        producer.produce(topic, value=b"%d" % partition, partition=partition)
    assert producer.flush(30) == 0


def test_a_new_group_begins_everywhere_by_a_few_questions_and_no_poll_waits_for_their_answers(
    cluster: EmbeddedKafka, kafka: EmbeddedBrokers, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.create_topic("wide", 24)
    spread(kafka, "wide", 24)
    asked, ask = list[Sequence[Key]](), Inquiry.about

    def noted(keys: Sequence[Key], client: AdminClient, group: str, *, timeout_s: float, now_s: float) -> Inquiry:
        asked.append(keys)
        return ask(keys, client, group, timeout_s=timeout_s, now_s=now_s)

    monkeypatch.setattr(Inquiry, "about", noted)
    with Member(kafka, "group", "wide") as one:
        one.poll_until(lambda: len(one.source._stopped) == 24)
        cluster.slow_down(500)
        while_asking = 0
        while not one.received and while_asking < 5:
            one.poll()
            while_asking += one.source._stopped.asking
        cluster.slow_down(0)
        one.poll_until(lambda: len(one.received) == 24)

    assert {record.position.partition for record in one.received} == set(range(24))
    assert while_asking == 5, "an answer takes half a second, and a poll did not return before it"
    assert len(asked) <= 6, "each partition was asked about on its own"


def test_a_partition_without_a_leader_holds_up_no_other(
    cluster: EmbeddedKafka, kafka: EmbeddedBrokers, caplog: pytest.LogCaptureFixture
) -> None:
    cluster.create_topic("wide", 3)
    spread(kafka, "wide", 3)
    cluster.lead("wide", 1, -1)
    with Member(kafka, "group", "wide") as one:
        assert set(one.receive(2)) == {b"0", b"2"}
        before_s = one.now_s
        one.poll_until(lambda: one.now_s > before_s + 2.5)
        assert len(one.source._stopped) == 1

        cluster.lead("wide", 1, 1)

        assert one.receive(3)[2] == b"1"
    assert codes(caplog, "kafka_trouble") == ["LEADER_NOT_AVAILABLE"]


def test_a_partition_that_goes_on_by_itself_after_an_error_has_not_stopped_white_box(
    cluster: EmbeddedKafka, kafka: EmbeddedBrokers, caplog: pytest.LogCaptureFixture
) -> None:
    produce(kafka, "events", b"a", b"b")
    with Member(kafka, "group", "events") as first:
        first.receive(2)
        first.source.processed(Fetched(first.received[:1]).ends)
    cluster.refuse(Api.FETCH, KafkaError.UNKNOWN)

    with Member(kafka, "group", "events", recheck_s=100.0) as one:
        one.poll_until(lambda: bool(one.source._stopped))
        one.receive(1)

        assert one.values == [b"b"]
        assert len(one.source._stopped) == 0
    assert codes(caplog, "kafka_trouble") == ["UNKNOWN"]


def test_who_does_not_answer_where_to_begin_is_asked_again(
    cluster: EmbeddedKafka, kafka: EmbeddedBrokers, caplog: pytest.LogCaptureFixture
) -> None:
    produce(kafka, "events", b"a")
    with Member(kafka, "group", "events", settings=USUAL) as one:
        one.poll_until(lambda: bool(one.source._stopped))
        cluster.broker_down()
        one.poll_until(lambda: "_TIMED_OUT" in codes(caplog, "kafka_trouble"))
        cluster.broker_up()

        assert one.receive(1) == [b"a"]


def test_an_offset_that_cannot_be_asked_for_yet_is_asked_for_again(
    cluster: EmbeddedKafka, kafka: EmbeddedBrokers, one: Member, caplog: pytest.LogCaptureFixture
) -> None:
    produce(kafka, "events", b"a")
    one.poll_until(lambda: bool(one.source._stopped))
    cluster.refuse(Api.OFFSET_FETCH, KafkaError.GROUP_AUTHORIZATION_FAILED)

    assert one.receive(1) == [b"a"]
    assert codes(caplog, "kafka_trouble") == ["GROUP_AUTHORIZATION_FAILED"]


def test_a_broker_that_comes_back_goes_on_where_it_was(
    cluster: EmbeddedKafka, kafka: EmbeddedBrokers, one: Member, caplog: pytest.LogCaptureFixture
) -> None:
    produce(kafka, "events", b"a")
    one.receive(1)

    cluster.broker_down()
    one.poll_until(lambda: bool(codes(caplog, "kafka_trouble")))
    cluster.broker_up()
    produce(kafka, "events", b"b")

    assert one.receive(2)[-1] == b"b"


def test_leaving_does_not_wait_for_a_broker_that_is_gone(
    cluster: EmbeddedKafka, kafka: EmbeddedBrokers, caplog: pytest.LogCaptureFixture
) -> None:
    with Member(kafka, "group", "events", settings=USUAL) as one:
        produce(kafka, "events", b"a")
        one.receive(1)
        one.source.processed(Fetched(one.received).ends)
        cluster.broker_down()

        began_s = time.monotonic()
        one.source.close()

    assert time.monotonic() - began_s < 6
    assert "no_answer" in codes(caplog, "commit_refused")


def test_an_outage_is_logged_once_a_minute(
    cluster: EmbeddedKafka, one: Member, caplog: pytest.LogCaptureFixture
) -> None:
    one.poll_until(lambda: bool(one.source._partitions.keys))
    cluster.broker_down()
    one.poll_until(lambda: "_ALL_BROKERS_DOWN" in codes(caplog, "kafka_trouble"))
    before = one.now_s
    one.poll_until(lambda: one.now_s > before + 2.0)
    assert codes(caplog, "kafka_trouble").count("_ALL_BROKERS_DOWN") == 1

    one.now_s += 60.0

    one.poll_until(lambda: codes(caplog, "kafka_trouble").count("_ALL_BROKERS_DOWN") == 2)
