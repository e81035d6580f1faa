"""Dead letters on Kafka: acknowledged or not written, whole wherever the topic takes them, and silent about customers."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from consumer.adapters.kafka_dead_letters import KafkaDeadLetters
from consumer.core.record import Position, Record
from consumer.errors import Unavailable
from consumer.ports import DeadLetter
from consumer.sandbox.embedded_kafka import Api, EmbeddedKafka
from tests.brokers import EmbeddedBrokers, Kafka, fresh, fresh_topic
from tests.builders import NOW, record


def drawer(kafka: Kafka, topic: str, **changes: Any) -> KafkaDeadLetters:
    settings: dict[str, str | int] = {"bootstrap.servers": kafka.bootstrap_servers, "reconnect.backoff.max.ms": 200}
    return KafkaDeadLetters(settings, topic=topic, version="1.2.3", now=lambda: NOW, **changes)


def letter(source: Record, **changes: Any) -> DeadLetter:
    return DeadLetter(
        **{"record": source, "reason": "bad_schema", "detail": "no such field", "schema": "17", **changes}
    )


def read(kafka: Kafka, topic: str, count: int) -> list[Message]:
    reader = Consumer(
        {
            "bootstrap.servers": kafka.bootstrap_servers,
            "group.id": fresh("reader"),
            "fetch.message.max.bytes": 50_000_000,
        }
    )
    reader.assign([TopicPartition(topic, 0, 0)])
    found = reader.consume(count, 20)
    reader.close()
    assert [message.error() for message in found] == [None] * count
    return found


def headers(message: Message) -> list[tuple[str, Any]]:
    found: Any = message.headers()
    return list(found)


def ours(message: Message) -> Mapping[str, str]:
    return {
        name.removeprefix("avviso-"): value.decode() for name, value in headers(message) if name.startswith("avviso-")
    }


def test_a_dead_letter_is_the_record_as_it_was_with_its_reason_beside_it(kafka: Kafka) -> None:
    topic = fresh_topic(kafka, "dead")
    head = (("trace", b"\xff\xfe"), ("trace", b"again"), ("nothing", None))
    source = record(key=b"\x00key", value=b"\x00\xffvalue", headers=head)

    drawer(kafka, topic).write([letter(source)])

    [found] = read(kafka, topic, 1)
    assert (found.key(), found.value()) == (b"\x00key", b"\x00\xffvalue")
    assert tuple(headers(found)[:3]) == head
    assert ours(found) == {
        "reason": "bad_schema",
        "detail": "no such field",
        "schema": "17",
        "topic": source.position.topic,
        "partition": str(source.position.partition),
        "offset": str(source.position.offset),
        "timestamp": source.timestamp.isoformat(),
        "time": NOW.isoformat(),
        "version": "1.2.3",
    }


def test_a_record_without_key_value_schema_or_headers_is_a_dead_letter_too(kafka: Kafka) -> None:
    topic = fresh_topic(kafka, "dead")

    drawer(kafka, topic).write([letter(record(key=None, value=None), schema=None)])

    [found] = read(kafka, topic, 1)
    assert (found.key(), found.value()) == (None, None)
    assert "schema" not in ours(found)


@pytest.mark.parametrize(
    ("timestamp_ms", "told"),
    [(0, "1970-01-01"), (-1, "1970-01-01"), (1_795_354_200_250_000, "9999-12-31"), (2**63 - 1, "9999-12-31")],
)
def test_a_record_of_an_impossible_time_is_a_dead_letter_like_any_other(
    kafka: Kafka, timestamp_ms: int, told: str
) -> None:
    topic = fresh_topic(kafka, "dead")

    drawer(kafka, topic).write([letter(record(timestamp_ms=timestamp_ms))])

    [found] = read(kafka, topic, 1)
    assert ours(found)["timestamp"].startswith(told)


def test_a_batch_keeps_its_order(kafka: Kafka) -> None:
    topic = fresh_topic(kafka, "dead")
    batch = [letter(record(value=b"%d" % number)) for number in range(200)]

    drawer(kafka, topic).write(batch)

    assert [found.value() for found in read(kafka, topic, 200)] == [one.record.value for one in batch]


@pytest.mark.real
def test_a_value_too_large_for_the_topic_is_left_out_and_described_and_the_others_stay_whole(kafka: Kafka) -> None:
    topic = fresh_topic(kafka, "dead", config={"max.message.bytes": "20000"})
    large = b"x" * 2_000_000
    letters = [
        letter(record(value=value, headers=(("h", b"1"),))) for value in (b"first", large, b"y" * 15_000, b"last")
    ]

    drawer(kafka, topic).write(letters)

    found = read(kafka, topic, 4)
    assert [one.value() for one in found] == [b"first", b"y" * 15_000, b"last", None]
    stripped = found[-1]
    assert stripped.key() == b"acc-1"
    assert headers(stripped)[0] == ("h", b"1")
    assert ours(stripped)["value-bytes"] == "2000000"
    assert ours(stripped)["value-sha256"] == hashlib.sha256(large).hexdigest()
    assert "value-bytes" not in ours(found[0])


@pytest.mark.real
def test_a_record_whose_headers_alone_are_too_large_keeps_its_position_and_reason(kafka: Kafka) -> None:
    topic = fresh_topic(kafka, "dead", config={"max.message.bytes": "20000"})
    source = record(
        value=b"small", headers=(("h", b"x" * 30_000),), position=Position(topic="t", partition=3, offset=9)
    )

    drawer(kafka, topic).write([letter(source)])

    [found] = read(kafka, topic, 1)
    assert (found.key(), found.value()) == (None, None)
    label = ours(found)
    assert (label["topic"], label["partition"], label["offset"], label["value-bytes"]) == ("t", "3", "9", "5")
    assert [name for name, _ in headers(found) if not name.startswith("avviso-")] == []


def test_a_value_too_large_for_the_client_is_left_out_before_it_is_sent(kafka: Kafka) -> None:
    topic = fresh_topic(kafka, "dead")

    drawer(kafka, topic).write([letter(record(value=bytes(65 * 1024 * 1024)))])

    [found] = read(kafka, topic, 1)
    assert found.value() is None
    assert ours(found)["value-bytes"] == str(65 * 1024 * 1024)


@pytest.mark.real
def test_a_topic_that_takes_not_even_the_bare_letter_is_unavailable(kafka: Kafka) -> None:
    topic = fresh_topic(kafka, "dead", config={"max.message.bytes": "100"})

    with pytest.raises(Unavailable, match="MSG_SIZE_TOO_LARGE"):
        drawer(kafka, topic).write([letter(record(value=b"small"))])


class TestOutages:
    """On brokers of their own, which can be broken."""

    @pytest.fixture
    def cluster(self) -> Iterator[EmbeddedKafka]:
        with EmbeddedKafka() as cluster:
            cluster.create_topic("dead")
            yield cluster

    def test_letters_that_nobody_acknowledges_are_unavailable_and_may_be_written_again(
        self, cluster: EmbeddedKafka
    ) -> None:
        kafka = EmbeddedBrokers(cluster)
        with drawer(kafka, "dead", timeout_s=1.0) as letters:
            self.write_patiently(letters, b"0")
            cluster.broker_down()
            with pytest.raises(Unavailable, match="dead letters is unavailable"):
                letters.write([letter(record(value=b"1")), letter(record(value=b"2"))])
            cluster.broker_up()

            self.write_patiently(letters, b"1", b"2")

        assert [found.value() for found in read(kafka, "dead", 3)] == [b"0", b"1", b"2"]

    def write_patiently(self, letters: KafkaDeadLetters, *values: bytes) -> None:
        """As intake does it: again and again, until it is written."""
        for _ in range(20):
            try:
                return letters.write([letter(record(value=value)) for value in values])
            except Unavailable:
                continue
        raise AssertionError("never written")

    def test_a_refusal_that_passes_is_waited_for(self, cluster: EmbeddedKafka) -> None:
        kafka = EmbeddedBrokers(cluster)
        cluster.refuse(Api.PRODUCE, *[KafkaError.NOT_LEADER_FOR_PARTITION] * 3)

        drawer(kafka, "dead").write([letter(record(value=b"0"))])

        assert [found.value() for found in read(kafka, "dead", 1)] == [b"0"]

    def test_a_topic_that_may_not_be_written_is_unavailable(self, cluster: EmbeddedKafka) -> None:
        cluster.refuse(Api.PRODUCE, KafkaError.TOPIC_AUTHORIZATION_FAILED)

        with pytest.raises(Unavailable, match="TOPIC_AUTHORIZATION_FAILED"):
            drawer(EmbeddedBrokers(cluster), "dead").write([letter(record(value=b"0"))])

    def test_a_producer_that_has_lost_count_is_replaced(self, cluster: EmbeddedKafka) -> None:
        kafka = EmbeddedBrokers(cluster)
        letters = drawer(kafka, "dead", timeout_s=2.0)
        letters.write([letter(record(value=b"0"))])
        cluster.refuse(Api.PRODUCE, KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER)

        with pytest.raises(Unavailable):
            letters.write([letter(record(value=b"1"))])
        self.write_patiently(letters, b"1")

        assert read(kafka, "dead", 2)[-1].value() == b"1"
