"""The Kafka that the tests run on: Apache's own in a container where a Docker engine answers, else the embedded brokers."""

import contextlib
import gc
import os
import random
import socket
import time
import uuid
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple, Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions, NewTopic

from consumer.sandbox.embedded_kafka import EmbeddedKafka

IMAGE = "apache/kafka:4.3.1"
_TIMEOUT_S = 30.0
_FAR = 9095


class Kafka(Protocol):
    """What a test may ask of either."""

    bootstrap_servers: str
    real: bool

    def create_topic(self, name: str, partitions: int = 1, config: Mapping[str, str] | None = None) -> None: ...

    def delete_records(self, topic: str, partition: int, before_offset: int) -> None: ...


class EmbeddedBrokers:
    """The embedded cluster, with the names of this module."""

    real = False

    def __init__(self, cluster: EmbeddedKafka) -> None:
        self.bootstrap_servers = cluster.bootstrap_servers
        self.create_topic = cluster.create_topic
        self.delete_records = cluster.delete_records


class FarListener(NamedTuple):
    """Where clients reach a broker by a longer way: who connects to `inside` must let them in by the port `outside` here.

    From this machine the port `direct` leads there, too.
    """

    inside: str
    outside: int
    direct: int


class ContainerBrokers:
    """A real broker, administered over its protocol."""

    real = True
    replicas = 1

    def __init__(self, bootstrap_servers: str) -> None:
        self.bootstrap_servers = bootstrap_servers
        self.far = FarListener(inside="", outside=0, direct=0)
        self._admin = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0})

    def create_topic(self, name: str, partitions: int = 1, config: Mapping[str, str] | None = None) -> None:
        topic = NewTopic(name, num_partitions=partitions, replication_factor=self.replicas, config=dict(config or {}))
        self._admin.create_topics([topic])[name].result(_TIMEOUT_S)

    def members(self, group: str) -> int:
        """How many members the coordinator counts."""
        return len(self._admin.describe_consumer_groups([group])[group].result(_TIMEOUT_S).members)

    def coordinator(self, group: str) -> int:
        """The number of the broker that the group's members report to; waits while it is moving."""
        deadline_s = time.monotonic() + _TIMEOUT_S
        while True:
            try:
                found = self._admin.describe_consumer_groups([group])[group].result(_TIMEOUT_S)
            except KafkaException:
                assert time.monotonic() < deadline_s, f"{group} has no coordinator"
                time.sleep(0.05)
            else:
                number: int = found.coordinator.id
                return number

    def delete_topic(self, name: str) -> None:
        self._admin.delete_topics([name])[name].result(_TIMEOUT_S)

    def recreate_topic(self, name: str, partitions: int = 1) -> None:
        """Delete it and make it again at once: the new one has the name, and none of the records."""
        self.delete_topic(name)
        deadline_s = time.monotonic() + _TIMEOUT_S
        while True:
            try:
                return self.create_topic(name, partitions)
            except KafkaException as problem:
                if problem.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS or time.monotonic() > deadline_s:
                    raise
            time.sleep(0.02)

    def add_partitions(self, name: str, partitions: int) -> None:
        """Let it have so many in all."""
        self._admin.create_partitions([NewPartitions(name, partitions)])[name].result(_TIMEOUT_S)

    def delete_records(self, topic: str, partition: int, before_offset: int) -> None:
        request = [TopicPartition(topic, partition, before_offset)]
        for answer in self._admin.delete_records(request).values():
            answer.result(_TIMEOUT_S)


def fresh(name: str) -> str:
    """A name that no other test uses: for topics and groups."""
    return f"{name}.{uuid.uuid4().hex[:10]}"


def fresh_topic(kafka: Kafka, name: str, partitions: int = 1, config: Mapping[str, str] | None = None) -> str:
    """A new and empty topic; returns its name."""
    topic = fresh(name)
    kafka.create_topic(topic, partitions, config)
    return topic


def produce(kafka: Kafka, topic: str, *values: bytes | None, partition: int = 0, **changes: Any) -> None:
    """Write these values in order, and return when all of them are there."""
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "enable.idempotence": True, "linger.ms": 0})
    for value in values:
        producer.produce(topic, value=value, partition=partition, **changes)
    assert producer.flush(_TIMEOUT_S) == 0


def committed(kafka: Kafka, group: str, topic: str, partition: int = 0) -> int | None:
    """The offset that the group would start from; None if it has committed none."""
    asker = Consumer({"bootstrap.servers": kafka.bootstrap_servers, "group.id": group})
    try:
        [found] = asker.committed([TopicPartition(topic, partition)], _TIMEOUT_S)
        return None if found.offset < 0 else found.offset
    finally:
        asker.close()


@cache
def docker_answers() -> bool:
    """Whether there is a Docker engine to run containers on; asked once."""
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")  # its image is one more to fetch; fixtures clean up
    from docker.errors import DockerException  # noqa: PLC0415 - half a second that most test runs need not spend
    from testcontainers.core.docker_client import DockerClient  # noqa: PLC0415 - reads its settings when imported

    answers = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # a client that finds no engine leaves its socket open
        with contextlib.suppress(DockerException, OSError):
            client = DockerClient()
            try:
                answers = bool(client.client.ping())
            finally:
                client.client.close()
        gc.collect()
    return answers


@contextmanager
def kafka_container() -> Iterator[ContainerBrokers]:
    """One broker that is its own controller, on a port that was free."""
    docker_answers()
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - as above
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy  # noqa: PLC0415

    port, far_port, direct_port = free_port(), free_port(), free_port()
    container = DockerContainer(IMAGE).with_bind_ports(9092, port).with_bind_ports(_FAR, direct_port)
    container = container.with_kwargs(
        user="root"
    )  # may write its settings wherever an image keeps its defaults read-only
    for name, value in {**broker_settings(f"127.0.0.1:{port}"), **_also_far(port, far_port)}.items():
        container = container.with_env(name, value)
    container = container.waiting_for(LogMessageWaitStrategy("Kafka Server started").with_startup_timeout(90))
    try:
        container.start()
        brokers = ContainerBrokers(f"127.0.0.1:{port}")
        address = container.get_docker_client().bridge_ip(container.get_wrapped_container().id)
        brokers.far = FarListener(inside=f"{address}:{_FAR}", outside=far_port, direct=direct_port)
        yield brokers
    finally:
        container.stop()


@contextmanager
def embedded_brokers() -> Iterator[EmbeddedBrokers]:
    with EmbeddedKafka() as cluster:
        yield EmbeddedBrokers(cluster)


def _also_far(port: int, far_port: int) -> Mapping[str, str]:
    return {
        "KAFKA_LISTENERS": f"PLAINTEXT://0.0.0.0:9092,CONTROLLER://0.0.0.0:9093,FAR://0.0.0.0:{_FAR}",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{port},FAR://127.0.0.1:{far_port}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,FAR:PLAINTEXT",
    }


def broker_settings(advertised: str) -> Mapping[str, str]:
    """Of a broker that is its own controller."""
    return {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": "PLAINTEXT://0.0.0.0:9092,CONTROLLER://0.0.0.0:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{advertised}",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@127.0.0.1:9093",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000",
        "KAFKA_GROUP_CONSUMER_MIN_HEARTBEAT_INTERVAL_MS": "200",
        "KAFKA_GROUP_CONSUMER_HEARTBEAT_INTERVAL_MS": "200",
        "KAFKA_GROUP_CONSUMER_MIN_SESSION_TIMEOUT_MS": "1000",
        "KAFKA_GROUP_CONSUMER_SESSION_TIMEOUT_MS": "2000",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_HEAP_OPTS": "-Xms256m -Xmx512m",
    }


def free_port() -> int:
    """Below those that systems give to connections: what is free now still is when a server takes it minutes later."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)  # not the same as in another test run beside this one
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
