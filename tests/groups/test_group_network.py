"""A group at work while the network between one of its members and Kafka is slow, breaks off and swallows everything."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.brokers import ContainerBrokers, fresh
from tests.groups.crowd import PARTITIONS, Crowd, eventually
from tests.members import COOPERATIVE, KIP_848
from tests.networks import Network, network
from tests.relays import relay

pytestmark = [pytest.mark.real, pytest.mark.slow]
ALL = set(range(PARTITIONS))
SLOW_MS, LESS_SLOW_MS = 300, 200
"""Each way, give or take half. With KIP-848 the group has to answer twice within a session of 2 s less two heartbeats: at
the former its members need not go on, but nothing may go wrong.
"""
FEW_BYTES = 20_000
FETCHED_BYTES_MAX = 4_000
"""Of each partition at once: a longer answer would be broken off again and again, and who lags behind would stay there."""


@pytest.fixture
def far(kafka: ContainerBrokers) -> Iterator[Network]:
    with network(kafka) as far:
        yield far


def test_whatever_the_network_does_nothing_is_lost_or_written_by_who_does_not_own_it_and_all_goes_on(
    kafka: ContainerBrokers, far: Network, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        crowds = []
        for number, protocol in enumerate([COOPERATIVE, KIP_848]):
            folder = tmp_path / str(number)
            folder.mkdir()
            crowds.append(stack.enter_context(Crowd(kafka, folder, protocol, fresh("group"))))
        for crowd in crowds:
            crowd.join("ada", bootstrap_servers=far.bootstrap_servers, fetch_message_max_bytes=FETCHED_BYTES_MAX)
            crowd.join("bea")
        with far.slow(SLOW_MS):
            crowds[0].sees_progress()
        with far.slow(LESS_SLOW_MS):
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


def test_who_is_not_heard_by_its_group_writes_nothing_that_has_gone_to_others_though_it_goes_on_fetching(
    kafka: ContainerBrokers, tmp_path: Path
) -> None:
    with relay(kafka) as way, Crowd(kafka, tmp_path, KIP_848, fresh("group")) as crowd:
        crowd.join("ada", bootstrap_servers=f"127.0.0.1:{kafka.far.outside}")
        crowd.join("bea")
        crowd.sees_progress()

        with way.members_unheard():
            eventually(lambda: crowd.owned("bea") == ALL, "bea took over")
            crowd.sees_progress()
        eventually(lambda: bool(crowd.owned("ada")) and crowd.owned("bea") != ALL, "ada is back")
        assert crowd.fell_out("ada"), "it was longer than her session"
        crowd.sees_progress()

        crowd.finish("ada", "bea")
