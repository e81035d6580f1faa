"""What every test may ask for, and which tests run where."""

import io
import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from consumer.telemetry import configure_logging
from tests.brokers import IMAGE, Kafka, docker_answers, embedded_brokers, kafka_container

_KAFKA = pytest.StashKey[str]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Interop tests need Node and more images: they run only when somebody asks for them by their marker."""
    if "interop" in config.getoption("markexpr"):
        return
    asked = [item for item in items if item.get_closest_marker("interop") is None]
    if len(asked) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("interop") is not None])
        items[:] = asked


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test that needs containers is skipped where none can run, but never silently in CI."""
    if item.get_closest_marker("real") is None or docker_answers():
        return
    reason = "no Docker engine answers, and only a real server can pass this test"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """What only a worker knows, its controller tells."""
    told: dict[str, object] | None = getattr(session.config, "workeroutput", None)
    if told is not None:
        told["kafka"] = session.config.stash.get(_KAFKA, None)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take it from each worker that has used a Kafka; one that crashed tells nothing."""
    which = getattr(node, "workeroutput", {}).get("kafka")
    if which is not None:
        node.config.stash[_KAFKA] = which


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which Kafka the results were found on."""
    which = config.stash.get(_KAFKA, None)
    if which is not None:
        terminalreporter.write_line(f"Kafka: {which}")


@pytest.fixture(scope="session")
def kafka(pytestconfig: pytest.Config) -> Iterator[Kafka]:
    """Apache Kafka in a container where a Docker engine answers, else the embedded brokers; shared, so use fresh names."""
    if docker_answers():
        pytestconfig.stash[_KAFKA] = f"{IMAGE} through Docker"
        with kafka_container() as container:
            yield container
    else:
        pytestconfig.stash[_KAFKA] = "embedded, as no Docker engine answers"
        with embedded_brokers() as embedded:
            yield embedded


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    configure_logging(stream)
    yield stream
    configure_logging(io.StringIO())


@pytest.fixture
def quick_turns() -> Iterator[None]:
    """Threads that work without a pause take turns often."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)
