"""A group at work while its members come, go, freeze and die, judged from outside by what Kafka and the ledger say."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.brokers import Kafka, fresh
from tests.clusters import MORTAL, Pair, kafka_pair
from tests.groups.crowd import PARTITIONS, SAMPLES_MIN, Crowd, eventually
from tests.members import each_incremental_protocol, each_protocol

pytestmark = [pytest.mark.real, pytest.mark.slow]
ALL = set(range(PARTITIONS))


@pytest.fixture
def pair() -> Iterator[Pair]:
    with kafka_pair() as pair:
        yield pair


@each_protocol
def test_whatever_becomes_of_its_members_a_group_loses_nothing_and_writes_nothing_that_is_not_its_own(
    kafka: Kafka, tmp_path: Path, protocol: Mapping[str, Any]
) -> None:
    with Crowd(kafka, tmp_path, protocol, fresh("group")) as crowd:
        crowd.join("ada", "bea")
        crowd.join("cleo")
        assert crowd.leave("bea") == 0
        crowd.kill("cleo")
        crowd.join("dora")
        eventually(lambda: crowd.owned("ada") | crowd.owned("dora") == ALL, "ada and dora share everything")

        crowd.frozen("ada", until=lambda: crowd.owned("dora") == ALL)
        eventually(lambda: bool(crowd.owned("ada")) and crowd.owned("dora") != ALL, "ada is back")
        crowd.stalled("dora", until=lambda: crowd.owned("ada") == ALL)
        eventually(lambda: bool(crowd.owned("dora")) and crowd.owned("ada") != ALL, "dora is back")

        crowd.finish("ada", "dora")


@each_incremental_protocol
def test_the_coordinator_dies_and_comes_back_while_records_flow(
    pair: Pair, tmp_path: Path, protocol: Mapping[str, Any]
) -> None:
    group = pair.group_on_the_mortal()
    with Crowd(pair, tmp_path, protocol, group) as crowd:
        crowd.join("ada", "bea")
        eventually(lambda: crowd.observer.samples > SAMPLES_MIN, "something is committed")

        pair.kill()
        eventually(lambda: pair.coordinator(group) != MORTAL, "the coordinator has moved")
        crowd.sees_progress()
        pair.start()
        eventually(lambda: pair.brokers() == 2, "it is back")
        crowd.sees_progress()

        crowd.finish("ada", "bea")
