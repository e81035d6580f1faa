"""What the Kafka clients make of the settings they are given."""

import threading
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from consumer.adapters.kafka_dead_letters import KafkaDeadLetters
from consumer.adapters.kafka_source.translation import complete
from consumer.adapters.preference_table import Pace
from consumer.adapters.preference_table.floods import Floods
from consumer.adapters.preference_table.follower import Follower
from consumer.adapters.preference_table.letters import Letters
from consumer.adapters.preference_table.store import PreferenceStore
from consumer.adapters.preference_table.tables import Tables
from consumer.core.flood import FloodLimits
from consumer.core.screen import Screen
from tests.builders import NOW
from tests.deciding import CATALOGUE
from tests.fakes import Drawer
from tests.preference_topics import wanted


def settings_of_each_client(given: dict[str, str | int | float | bool], folder: Path) -> list[dict[str, Any]]:
    open_table = partial(PreferenceStore, size_max_bytes=2**20, word=Screen(CATALOGUE).word)
    stranger = Screen(CATALOGUE).word(None)
    with closing(Tables(folder, open_table, None, stranger=stranger, boot_id=None)) as tables:
        follower = Follower(
            given,
            topic="preferences",
            tables=tables,
            decode=wanted,
            letters=Letters(Drawer(), folder / "set-aside"),
            floods=Floods("preferences", FloodLimits(), accepted={}, was_written=lambda _: False),
            now=lambda: NOW,
            clock=time.monotonic,
            stopping=threading.Event(),
            pace=Pace(),
        )
        letters = KafkaDeadLetters(given, topic="dead", version="1", now=lambda: NOW)
        return [dict(complete(given)), dict(letters._settings), dict(follower._settings)]


@pytest.mark.parametrize(("given", "level"), [({}, 2), ({"log_level": "7"}, "7")], ids=["unset", "set"])
def test_how_much_librdkafka_says_is_for_the_operator_to_set(
    given: dict[str, str | int | float | bool], level: int | str, tmp_path: Path
) -> None:
    found = settings_of_each_client(given, tmp_path)

    assert [client["log_level"] for client in found] == [level] * 3


@pytest.mark.parametrize(
    ("given", "strategy"),
    [
        ({}, "cooperative-sticky"),
        ({"partition.assignment.strategy": "range"}, "range"),
        ({"group.protocol": "consumer"}, None),
    ],
)
def test_how_a_group_shares_its_partitions_is_cooperative_unless_set(
    given: dict[str, str | int | float | bool], strategy: str | None
) -> None:
    assert complete(given).get("partition.assignment.strategy") == strategy


def test_what_decides_over_delivery_is_not(tmp_path: Path) -> None:
    given: dict[str, str | int | float | bool] = {"enable.auto.commit": True, "auto.offset.reset": "latest", "acks": 0}

    source, letters, follower = settings_of_each_client(given, tmp_path)

    assert [client["enable.auto.commit"] for client in (source, follower)] == [False, False]
    assert [client["auto.offset.reset"] for client in (source, follower)] == ["error", "error"]
    assert letters["acks"] == "all"
