"""Group members, tables and whole intakes to test with: settings that suit both brokers, and a clean end."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from consumer.adapters.preference_table import PreferenceTable
from consumer.sandbox.embedded_kafka import EmbeddedKafka
from tests.brokers import Kafka
from tests.members import Member
from tests.preference_topics import OpenTable, follow
from tests.registries import apicurio_container
from tests.whole_intakes import Rig


@pytest.fixture
def member(kafka: Kafka) -> Iterator[Callable[..., Member]]:
    """Opens members of a group, and closes what a test leaves open."""
    with ExitStack() as stack:

        def open_member(group: str, *topics: str, **changes: Any) -> Member:
            return stack.enter_context(Member(kafka, group, *topics, **changes))

        yield open_member


@pytest.fixture
def cluster() -> Iterator[EmbeddedKafka]:
    """Brokers that refuse when told, with the topic `events`."""
    with EmbeddedKafka() as cluster:
        cluster.create_topic("events")
        yield cluster


@pytest.fixture(scope="session")
def apicurio() -> Iterator[str]:
    """The URL of a real registry's Confluent-compatible API; shared, so use fresh subjects."""
    with apicurio_container() as url:
        yield url


@pytest.fixture
def open_table(kafka: Kafka, tmp_path: Path) -> Iterator[OpenTable]:
    """Opens preference tables, all in one folder, and closes what a test leaves open."""
    with ExitStack() as stack:

        def opened(topic: str, **changes: Any) -> PreferenceTable:
            path: Path = changes.pop("path", tmp_path / "preferences")
            return stack.enter_context(follow(kafka, path, topic, **changes))

        yield opened


@pytest.fixture
def rig(kafka: Kafka, tmp_path: Path) -> Iterator[Rig]:
    """The whole of intake, not yet running; closed with all that a test entered on its stack."""
    with ExitStack() as stack:
        yield Rig(kafka, tmp_path, stack)
