"""A group at work while its members come, go, freeze and die, judged from outside by what Kafka and the ledger say."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.brokers import Kafka, fresh
from tests.clusters import MORTAL, Pair, kafka_pair
from tests.groups.crowd import PARTITIONS, SAMPLES_MIN, Crowd, eventually
from tests.members import COOPERATIVE, EAGER, KIP_848, each_protocol

pytestmark = [pytest.mark.real, pytest.mark.slow]
ALL = set(range(PARTITIONS))
LONG_MS = 60_000


@pytest.fixture
def pair() -> Iterator[Pair]:
    with kafka_pair() as pair:
        yield pair


@each_protocol
def test_whatever_becomes_of_its_members_a_group_loses_nothing_and_writes_nothing_that_is_not_its_own(
    kafka: Kafka, tmp_path: Path, protocol: Mapping[str, Any]
) -> None:
    with Crowd(kafka, tmp_path, protocol, fresh("group")) as crowd:
        crowd.join("ada", max_poll_interval_ms=LONG_MS)
        crowd.join("bea", "cleo")
        assert crowd.leave("bea") == 0
        crowd.kill("cleo")
        crowd.join("dora")
        eventually(lambda: crowd.owned("ada") | crowd.owned("dora") == ALL, "ada and dora share everything")

        crowd.frozen("ada", until=lambda: crowd.owned("dora") == ALL)
        eventually(lambda: bool(crowd.owned("ada")) and crowd.owned("dora") != ALL, "ada is back")
        assert crowd.fell_out("ada"), "it is the end of her session, and nothing else, that tells her"
        crowd.stalled("dora", until=lambda: crowd.owned("ada") == ALL)
        eventually(lambda: bool(crowd.owned("dora")) and crowd.owned("ada") != ALL, "dora is back")

        crowd.finish("ada", "dora")


@pytest.mark.parametrize("protocols", [(COOPERATIVE, EAGER), (KIP_848,)], ids=["classic", "kip848"])
def test_the_coordinator_dies_and_comes_back_while_records_flow(
    pair: Pair, tmp_path: Path, protocols: Sequence[Mapping[str, Any]]
) -> None:
    with ExitStack() as stack:
        groups, crowds = [], []
        for number, protocol in enumerate(protocols):
            folder = tmp_path / str(number)
            folder.mkdir()
            groups.append(pair.group_on_the_mortal())
            crowds.append(stack.enter_context(Crowd(pair, folder, protocol, groups[-1])))
        for crowd in crowds:
            crowd.join("ada", "bea")
        eventually(lambda: all(crowd.observer.samples > SAMPLES_MIN for crowd in crowds), "something is committed")

        pair.kill()
        eventually(lambda: MORTAL not in map(pair.coordinator, groups), "the coordinator has moved")
        for crowd in crowds:
            crowd.sees_progress()
        pair.start()
        eventually(lambda: pair.brokers() == 2, "it is back")
        for crowd in crowds:
            crowd.sees_progress()

        for crowd in crowds:
            crowd.finish("ada", "bea")
