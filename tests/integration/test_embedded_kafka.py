"""The embedded brokers are real enough: real clients, real TCP, and nothing on stderr."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from consumer.sandbox.embedded_kafka import Api, EmbeddedKafka
from tests.brokers import Kafka, fresh, fresh_topic


@pytest.fixture
def cluster() -> Iterator[EmbeddedKafka]:
    with EmbeddedKafka() as embedded:
        yield embedded


def produce(servers: str, topic: str, *values: bytes, partition: int = 0) -> None:
    producer = Producer({"bootstrap.servers": servers, "enable.idempotence": True, "linger.ms": 0})
    for value in values:
        producer.produce(topic, value=value, partition=partition)
    assert producer.flush(10) == 0


def consumer(servers: str, **changes: Any) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": fresh("group"),
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "log_level": 0,
            **changes,
        }
    )


def read(source: Consumer, count: int) -> list[bytes]:
    values: list[bytes] = []
    for _ in range(200):
        if len(values) == count:
            break
        message = source.poll(0.1)
        if message is not None and message.error() is None:
            value = message.value()
            assert isinstance(value, bytes)
            values.append(value)
    return values


def test_a_member_of_a_group_reads_what_a_producer_wrote(kafka: Kafka) -> None:
    topic = fresh_topic(kafka, "written", partitions=3)
    produce(kafka.bootstrap_servers, topic, b"one", b"two", partition=2)

    member = consumer(kafka.bootstrap_servers)
    member.subscribe([topic])
    found = read(member, 2)
    member.close()

    assert found == [b"one", b"two"]


def test_a_topic_has_as_many_partitions_as_asked_for(cluster: EmbeddedKafka) -> None:
    cluster.create_topic("wide", 7)

    described = Producer({"bootstrap.servers": cluster.bootstrap_servers}).list_topics("wide", timeout=5)

    assert len(described.topics["wide"].partitions) == 7


def test_a_topic_cannot_be_made_twice(cluster: EmbeddedKafka) -> None:
    cluster.create_topic("once")

    with pytest.raises(RuntimeError, match="refused the topic once"):
        cluster.create_topic("once")


def test_a_refused_request_fails_as_often_as_told_and_no_more(cluster: EmbeddedKafka) -> None:
    cluster.create_topic("facts")
    member = consumer(cluster.bootstrap_servers)
    asked = [TopicPartition("facts", 0)]
    assert member.committed(asked, timeout=5)[0].error is None

    cluster.refuse(Api.OFFSET_COMMIT, KafkaError.ILLEGAL_GENERATION)

    with pytest.raises(KafkaException) as refused:
        member.commit(offsets=[TopicPartition("facts", 0, 1)], asynchronous=False)
    assert refused.value.args[0].code() == KafkaError.ILLEGAL_GENERATION
    member.commit(offsets=[TopicPartition("facts", 0, 1)], asynchronous=False)
    assert member.committed(asked, timeout=5)[0].offset == 1
    member.close()


def test_refusals_that_are_left_can_be_taken_back(cluster: EmbeddedKafka) -> None:
    cluster.create_topic("facts")
    member = consumer(cluster.bootstrap_servers)
    cluster.refuse(Api.OFFSET_COMMIT, *[KafkaError.ILLEGAL_GENERATION] * 10)

    cluster.stop_refusing(Api.OFFSET_COMMIT)

    member.commit(offsets=[TopicPartition("facts", 0, 1)], asynchronous=False)
    member.close()


def test_what_was_written_outlives_a_broker_that_goes_away_and_comes_back(cluster: EmbeddedKafka) -> None:
    cluster.create_topic("kept")
    produce(cluster.bootstrap_servers, "kept", b"before")
    member = consumer(cluster.bootstrap_servers, **{"reconnect.backoff.max.ms": 100})

    cluster.broker_down()
    with pytest.raises(KafkaException):
        member.list_topics(timeout=1)
    cluster.broker_up()

    member.assign([TopicPartition("kept", 0, 0)])
    assert read(member, 1) == [b"before"]
    member.close()


def test_deleted_records_move_the_beginning(cluster: EmbeddedKafka) -> None:
    cluster.create_topic("short")
    produce(cluster.bootstrap_servers, "short", b"0", b"1", b"2")

    cluster.delete_records("short", 0, 2)

    member = consumer(cluster.bootstrap_servers)
    assert member.get_watermark_offsets(TopicPartition("short", 0), timeout=5) == (2, 3)
    with pytest.raises(RuntimeError, match="kept the records of absent"):
        cluster.delete_records("absent", 0, 2)


def test_it_says_nothing_on_stderr() -> None:
    script = (
        "from consumer.sandbox.embedded_kafka import EmbeddedKafka\n"
        "from confluent_kafka import Producer\n"
        "with EmbeddedKafka(brokers=2) as cluster:\n"
        "    cluster.create_topic('quiet', 2)\n"
        "    producer = Producer({'bootstrap.servers': cluster.bootstrap_servers})\n"
        "    producer.produce('quiet', b'hush')\n"
        "    assert producer.flush(10) == 0\n"
        "    del producer\n"
        "    cluster.close()\n"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
