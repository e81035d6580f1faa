"""What counts as a flood of preferences, and what is said of it."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from consumer.adapters.preference_table import floods as floods_module
from consumer.adapters.preference_table.floods import Floods
from consumer.adapters.preference_table.reading import Found
from consumer.core.flood import FloodLimits
from consumer.core.record import Position, Record
from consumer.ports import DeadLetter
from tests.preference_topics import lines

TOPIC = "preferences"
LIMITS = FloodLimits(window_records=20, letters_min=8, share_max=0.5, run_max=3)
GOOD, BAD, WRITTEN, REPLACED = ".x-?"


@pytest.fixture
def floods() -> Floods:
    return begun()


@pytest.fixture
def held() -> Iterator[InMemoryMetricReader]:
    reader = InMemoryMetricReader()
    provider = MeterProvider(metric_readers=[reader])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(floods_module, "PREFERENCES_HELD", provider.get_meter("test").create_gauge("held"))
        yield reader
    provider.shutdown()


def begun(stops: dict[int, int] | None = None, table: str = "1", **changes: Any) -> Floods:
    ordinary: dict[str, Any] = {"accepted": {}, "was_written": lambda record: record.value == b"written"}
    floods = Floods(TOPIC, LIMITS, **(ordinary | changes))
    floods.begin(Path(table), stops or {})
    return floods


def batch(what: str, first: int = 0, partition: int = 0) -> tuple[list[Record], Found]:
    """Written as `.x-?`: readable, a dead letter, one that was written before, and one that was replaced unread."""
    records = [
        Record(
            position=Position(topic=TOPIC, partition=partition, offset=offset),
            key=b"anna",
            value=b"written" if mark == WRITTEN else b"",
            timestamp_ms=0,
        )
        for offset, mark in enumerate(what, start=first)
    ]
    marked = list(zip(records, what, strict=True))
    letters = [DeadLetter(record=one, reason="undecodable", detail="") for one, mark in marked if mark in BAD + WRITTEN]
    unknown = {one.position for one, mark in marked if mark == REPLACED}
    return records, Found(changes={}, letters=letters, unknown=unknown)


def flooded(floods: Floods, what: str, first: int = 0, partition: int = 0) -> bool:
    return floods.judge(*batch(what, first, partition)) is not None


def held_at(floods: Floods, what: str, first: int = 0, partition: int = 0, *, believed: bool = True) -> None:
    flood = floods.judge(*batch(what, first, partition))
    assert flood is not None
    floods.hold(flood, believed=believed)


def gauge(reader: InMemoryMetricReader) -> Any:
    data = reader.get_metrics_data()
    assert data is not None
    [point] = data.resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
    return point.value  # type: ignore[union-attr]


def test_a_flood_stops_at_the_first_of_its_records_in_each_partition(floods: Floods) -> None:
    assert not flooded(floods, "..xx.")
    assert flooded(floods, ".xx.xxx", first=5)

    assert floods.stops == {0: 6}


def test_behind_a_stop_one_is_enough_and_a_readable_record_there_ends_it(
    floods: Floods, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "avviso")
    assert flooded(floods, "xxx", first=10)

    assert not flooded(floods, "..", first=8)
    assert flooded(floods, "x", first=10)
    assert floods.stops == {0: 10}
    assert not flooded(floods, ".x", first=10)
    assert floods.stops == {}
    assert [line["partitions"] for line in lines(caplog, "flood_passed")] == ["preferences:0:10"]


def test_a_stop_outlives_the_process() -> None:
    restarted = begun({0: 10, 1: 7})

    assert not flooded(restarted, ".", first=10)
    assert restarted.stops == {1: 7}
    assert flooded(restarted, "x", first=7, partition=1)


def test_the_stop_of_another_partition_stays(floods: Floods) -> None:
    assert flooded(floods, "xxx", first=10)
    assert flooded(floods, "xxx", first=20, partition=1)

    assert floods.stops == {0: 10, 1: 20}


def test_what_was_written_before_counts_neither_as_bad_nor_as_good(floods: Floods) -> None:
    assert not flooded(floods, "-" * 100)
    assert not flooded(floods, "xx--", first=100)
    assert flooded(floods, "-x", first=104)
    assert flooded(floods, "-x", first=104)


def test_of_what_was_replaced_unread_nothing_follows(floods: Floods) -> None:
    assert flooded(floods, "xxx", first=10)

    assert not flooded(floods, "?", first=10)
    assert flooded(floods, "?x", first=10)


def test_what_an_operator_has_accepted_is_none(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "avviso")
    accepting = begun({0: 10}, accepted={(TOPIC, 0): 20})

    assert not flooded(accepting, "x" * 10, first=10)
    assert accepting.stops == {0: 10}
    assert not flooded(accepting, ".", first=20)
    assert accepting.stops == {}


def test_counts_go_on_where_the_topic_is_looked_at_again_and_begin_anew_with_another_table(floods: Floods) -> None:
    assert not flooded(floods, "xx")
    floods.begin(Path("1"), {})
    assert flooded(floods, "x", first=2)

    floods.begin(Path("2"), {})
    assert floods.stops == {}
    assert not flooded(floods, "xx")


def test_the_alarm_says_what_was_found_and_the_option_that_sets_it_aside(
    floods: Floods, caplog: pytest.LogCaptureFixture
) -> None:
    held_at(floods, "..xxxx", first=5)

    [alarm] = lines(caplog, "preferences_flooded")
    found = {name: alarm[name] for name in alarm if name != "remedy"}
    assert found == {
        "topic": TOPIC,
        "partition": 0,
        "offset": 7,
        "letters": 3,
        "records": 5,
        "reason": "undecodable 4",
        "state": "believed",
    }
    assert alarm["remedy"].endswith("avviso run --accept-dead-letters-until preferences:0:11")


def test_it_is_one_alarm_until_the_table_has_caught_up(floods: Floods, caplog: pytest.LogCaptureFixture) -> None:
    held_at(floods, "xxx", first=5)
    held_at(floods, "xxx", first=5)
    held_at(floods, "xxx", first=9, partition=1)
    held_at(floods, "x", first=9, partition=1)
    floods.over()
    held_at(floods, "x", first=5, believed=False)

    said = [entry for entry in caplog.records if entry.getMessage() == "preferences_flooded"]
    assert [entry.levelname for entry in said] == ["ERROR", "WARNING", "ERROR"]
    assert [entry.__dict__["fields"]["state"] for entry in said] == ["believed", "believed", "not_believed"]


def test_a_gauge_shows_how_long_it_stands_still(floods: Floods, held: InMemoryMetricReader) -> None:
    held_at(floods, ".xxxx")
    assert gauge(held) == 4

    floods.over()
    assert gauge(held) == 0
