"""A group at work while the network between one of its members and Kafka is slow, breaks off and swallows everything."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.brokers import ContainerBrokers, fresh
from tests.groups.crowd import PARTITIONS, Crowd, eventually
from tests.members import COOPERATIVE, EAGER
from tests.networks import Network, network

pytestmark = [pytest.mark.real, pytest.mark.slow]
ALL = set(range(PARTITIONS))
SLOW_MS = 300
FEW_BYTES = 20_000


@pytest.fixture
def far(kafka: ContainerBrokers) -> Iterator[Network]:
    with network(kafka) as far:
        yield far


def test_whatever_the_network_does_nothing_is_lost_or_written_by_who_does_not_own_it_and_all_goes_on(
    kafka: ContainerBrokers, far: Network, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        crowds = []
        for number, protocol in enumerate([COOPERATIVE, EAGER]):
            folder = tmp_path / str(number)
            folder.mkdir()
            crowds.append(stack.enter_context(Crowd(kafka, folder, protocol, fresh("group"))))
        for crowd in crowds:
            crowd.join("ada", bootstrap_servers=far.bootstrap_servers)
            crowd.join("bea")
        with far.slow(SLOW_MS):
            for crowd in crowds:
                crowd.sees_progress()
        with far.breaking_off(FEW_BYTES):
            for crowd in crowds:
                crowd.sees_progress()

        with far.swallowing():
            for crowd in crowds:
                eventually(lambda: crowd.owned("bea") == ALL, "bea took over")  # noqa: B023 - asked at once
                crowd.sees_progress()
        for crowd in crowds:
            eventually(lambda: bool(crowd.owned("ada")) and crowd.owned("bea") != ALL, "ada is back")  # noqa: B023
            assert crowd.fell_out("ada"), "it was longer than her session"
            crowd.sees_progress()

        for crowd in crowds:
            crowd.finish("ada", "bea")
