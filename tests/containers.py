"""Servers that other people wrote, in containers of their own: what our side of a protocol is held against."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.brokers import docker_answers

MOTO = "motoserver/moto:5.2.5"
_START_S = 90.0


@contextmanager
def moto_container() -> Iterator[str]:
    """moto's stand-in for AWS; its URL."""
    with _container(MOTO, 5000, "/moto-api/data.json") as url:
        yield url


@contextmanager
def _container(image: str, port: int, answers_at: str) -> Iterator[str]:
    docker_answers()
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - reads its settings when imported

    with DockerContainer(image).with_exposed_ports(port) as container:
        url = f"http://{container.get_container_host_ip()}:{container.get_exposed_port(port)}"
        _wait_until_it_answers(image, url + answers_at)
        yield url


def _wait_until_it_answers(image: str, url: str) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        try:
            if httpx.get(url, timeout=2.0).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    pytest.fail(f"{image} did not answer within {_START_S:.0f} s")
