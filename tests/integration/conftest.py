"""Group members to test with: settings that suit both brokers, and a clean end."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.brokers import Kafka
from tests.members import Member
from tests.registries import apicurio_container


@pytest.fixture
def member(kafka: Kafka) -> Iterator[Callable[..., Member]]:
    """Opens members of a group, and closes what a test leaves open."""
    with ExitStack() as stack:

        def open_member(group: str, *topics: str, **changes: Any) -> Member:
            return stack.enter_context(Member(kafka, group, *topics, **changes))

        yield open_member


@pytest.fixture(scope="session")
def apicurio() -> Iterator[str]:
    """The URL of a real registry's Confluent-compatible API; shared, so use fresh subjects."""
    with apicurio_container() as url:
        yield url
