"""Two real brokers that replicate everything to each other; the second one may be killed, and started again."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from tests.brokers import IMAGE, ContainerBrokers, broker_settings, docker_answers, free_port, fresh

_CLUSTER_ID = "4L6g3nShT-eMCtK--X86sw"
_START_S = 90.0
_LOGS = "/tmp/kafka-logs"
_AGAIN = (
    f"[ -f {_LOGS}/meta.properties ] && exec /opt/kafka/bin/kafka-server-start.sh /opt/kafka/config/server.properties; "
    "exec /etc/kafka/docker/run"
)
"""What the image runs refuses to start where it has run before."""
MORTAL = 2
"""The broker that is not the controller."""


class Pair(ContainerBrokers):
    """Its topics survive the death of the mortal broker."""

    replicas = 2

    def __init__(self, bootstrap_servers: str, mortal: Any) -> None:
        super().__init__(bootstrap_servers)
        self._mortal = mortal

    def group_on_the_mortal(self) -> str:
        """A new group whose coordinator is the mortal broker."""
        groups = (fresh("group") for _ in range(100))
        return next(group for group in groups if self.coordinator(group) == MORTAL)

    def brokers(self) -> int:
        """How many are in the cluster now."""
        return len(self._admin.list_topics(timeout=10).brokers)

    def kill(self) -> None:
        """As a power cut does; returns when it is gone."""
        self._mortal.get_wrapped_container().kill()

    def start(self) -> None:
        """On the same port, with the data it had."""
        self._mortal.get_wrapped_container().start()


@contextmanager
def kafka_pair() -> Iterator[Pair]:
    """The controller is a broker too; both are reached from here by ports of this machine."""
    docker_answers()
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - reads its settings when imported
    from testcontainers.core.network import Network  # noqa: PLC0415
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy  # noqa: PLC0415

    ports = {1: free_port(), MORTAL: free_port()}
    with Network() as network, ExitStack() as stack:
        nodes = {}
        for number, port in ports.items():
            node = DockerContainer(IMAGE).with_bind_ports(9092, port).with_kwargs(user="root")
            node = node.with_network(network).with_network_aliases(f"kafka-{number}")
            node = node.with_command(["sh", "-c", _AGAIN])
            for name, value in _settings(number, port).items():
                node = node.with_env(name, value)
            nodes[number] = stack.enter_context(node)
        for node in nodes.values():
            LogMessageWaitStrategy("Kafka Server started").with_startup_timeout(int(_START_S)).wait_until_ready(node)
        yield Pair(",".join(f"127.0.0.1:{port}" for port in ports.values()), nodes[MORTAL])


def _settings(number: int, port: int) -> Mapping[str, str]:
    only_one = number == 1
    own = {
        "CLUSTER_ID": _CLUSTER_ID,
        "KAFKA_LOG_DIRS": _LOGS,
        "KAFKA_NODE_ID": str(number),
        "KAFKA_PROCESS_ROLES": "broker,controller" if only_one else "broker",
        "KAFKA_LISTENERS": "PLAINTEXT://0.0.0.0:9092,INSIDE://0.0.0.0:9094"
        + (",CONTROLLER://0.0.0.0:9093" if only_one else ""),
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{port},INSIDE://kafka-{number}:9094",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,INSIDE:PLAINTEXT",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "INSIDE",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@kafka-1:9093",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "2",
        "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "8",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "2",
        "KAFKA_BROKER_SESSION_TIMEOUT_MS": "3000",
        "KAFKA_BROKER_HEARTBEAT_INTERVAL_MS": "500",
    }
    return {**broker_settings(f"127.0.0.1:{port}"), **own}
