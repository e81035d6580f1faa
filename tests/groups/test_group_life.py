"""A group at work while its members come, go, freeze and die, judged from outside by what Kafka and the ledger say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.brokers import Kafka
from tests.groups.crowd import PARTITIONS, Crowd, eventually
from tests.members import each_protocol

pytestmark = [pytest.mark.real, pytest.mark.slow]
ALL = set(range(PARTITIONS))


@each_protocol
def test_whatever_becomes_of_its_members_a_group_loses_nothing_and_writes_nothing_that_is_not_its_own(
    kafka: Kafka, tmp_path: Path, protocol: Mapping[str, Any]
) -> None:
    with Crowd(kafka, tmp_path, protocol, publishing={}) as crowd:
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

        crowd.publisher.stop()
        eventually(crowd.everything_is_done, "every record is committed")
        assert [crowd.leave(name) for name in ("ada", "dora")] == [0, 0]
        recorded = {part: crowd.ledger.recorded_below(part, end) for part, end in crowd.publisher.ends.items()}
        assert recorded == crowd.publisher.ends
        assert crowd.observer.problems == []
        assert crowd.observer.samples > 100
        assert crowd.stale() == []
