"""A network between clients and a broker that is slow, breaks off or swallows everything when told: toxiproxy."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.brokers import ContainerBrokers, docker_answers

IMAGE = "ghcr.io/shopify/toxiproxy:2.12.0"
_PORT = 9095
_CONTROL = 8474
_START_S = 60
_BOTH_WAYS = ("upstream", "downstream")


class Network:
    """What is done to it lasts as long as the block; connections that were swallowed are cut at its end."""

    def __init__(self, bootstrap_servers: str, control: str) -> None:
        self.bootstrap_servers = bootstrap_servers
        self._toxics = f"{control}/proxies/kafka/toxics"

    @contextmanager
    def slow(self, milliseconds: int) -> Iterator[None]:
        """Each way takes so much longer, give or take half of it."""
        with self._spoilt("latency", latency=milliseconds, jitter=milliseconds // 2):
            yield

    @contextmanager
    def breaking_off(self, after_bytes: int) -> Iterator[None]:
        """Each connection is cut when it has brought so much from the broker, in the middle of whatever it brings."""
        with self._spoilt("limit_data", "downstream", bytes=after_bytes):
            yield

    @contextmanager
    def swallowing(self) -> Iterator[None]:
        """Nothing comes through, either way, and nobody is told."""
        with self._spoilt("timeout", timeout=0):
            yield

    @contextmanager
    def _spoilt(self, how: str, *ways: str, **attributes: Any) -> Iterator[None]:
        names = []
        for way in ways or _BOTH_WAYS:
            asked = {"type": how, "stream": way, "attributes": attributes}
            names.append(httpx.post(self._toxics, json=asked).raise_for_status().json()["name"])
        try:
            yield
        finally:
            for name in names:
                httpx.delete(f"{self._toxics}/{name}").raise_for_status()


@contextmanager
def network(kafka: ContainerBrokers) -> Iterator[Network]:
    """To this broker, from here."""
    docker_answers()
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - reads its settings when imported
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy  # noqa: PLC0415

    container = DockerContainer(IMAGE).with_exposed_ports(_CONTROL).with_bind_ports(_PORT, kafka.far.outside)
    container = container.waiting_for(LogMessageWaitStrategy("Starting").with_startup_timeout(_START_S))
    with container:
        control = f"http://{container.get_container_host_ip()}:{container.get_exposed_port(_CONTROL)}"
        asked = {"name": "kafka", "listen": f"0.0.0.0:{_PORT}", "upstream": kafka.far.inside}
        httpx.post(f"{control}/proxies", json=asked).raise_for_status()
        yield Network(f"127.0.0.1:{kafka.far.outside}", control)
