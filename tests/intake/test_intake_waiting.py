"""A record whose schema is still to come holds up its partition, and nothing else."""

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint

from consumer import telemetry
from consumer.adapters.outbox_sqlite import SqliteOutbox
from consumer.core.flood import FloodLimits
from consumer.errors import Awaited, Broken, Unavailable, Undecodable
from consumer.intake import IntakeLimits
from tests.intakes import TOPIC, Flaky, Run, States, records
from tests.waits import EIGHT, SEVEN, UNKNOWN, A, B, C, done, later, nothing, told


def test_a_partition_waits_at_its_record_while_the_others_flow(outbox: SqliteOutbox, states: States) -> None:
    content = {1: told(1), 2: SEVEN, 3: told(3), 10: told(10), 11: told(11), 12: told(12)}
    batches = [
        [*records(1, 2, 3, partition=A), *records(10, partition=B)],
        [*records(4, partition=A), *records(11, partition=B)],
        records(12, partition=B),
    ]
    run = Run(outbox, content, batches)

    run()

    assert (done(run, A), done(run, B)) == ([1], [10, 11, 12])
    assert states() == {"pending": 4}
    assert "pause" not in run.source.journal


def test_it_goes_on_in_order_once_the_schema_is_there(outbox: SqliteOutbox, states: States) -> None:
    content = {1: SEVEN, 2: told(2), 3: told(3), 10: told(10)}
    run = Run(outbox, content, [[*records(1, 2, partition=A), *records(10, partition=B)], records(3, partition=A)])
    run.in_turn(lambda: run.decoder.learn(1, told(1)))

    run()

    assert done(run, A) == [1, 2, 3]
    assert states() == {"pending": 4}


def test_it_goes_on_with_a_dead_letter_where_the_schema_is_surely_unknown(outbox: SqliteOutbox, states: States) -> None:
    run = Run(outbox, {1: SEVEN, 2: told(2)}, [records(1, 2)])
    run.in_turn(lambda: run.decoder.learn(1, UNKNOWN))

    run()

    assert [(letter.reason, letter.schema) for letter in run.drawer.letters] == [("unknown_schema", "7")]
    assert done(run, A) == [1, 2]
    assert states() == {"pending": 1}


def test_polls_are_short_as_long_as_a_partition_waits(outbox: SqliteOutbox) -> None:
    run = Run(outbox, {1: SEVEN, 2: told(2)}, [records(2, partition=B), records(1)])
    run.in_turn(nothing, lambda: run.decoder.learn(1, told(1)), nothing)

    run()

    short, long = IntakeLimits().waiting_poll_timeout_s, IntakeLimits().poll_timeout_s
    assert [waited for waited in run.source.timeouts_s if waited] == [long, short, short, long, long]


def test_all_that_wait_for_one_schema_go_on_together_and_one_of_them_is_looked_at(
    outbox: SqliteOutbox, states: States
) -> None:
    content = {1: SEVEN, 2: SEVEN, 3: EIGHT}
    run = Run(outbox, content, [[*records(1, partition=A), *records(2, partition=B), *records(3, partition=C)]])

    def learn() -> None:
        run.decoder.learn(1, told(1))
        run.decoder.learn(2, told(2))

    run.in_turn(nothing, learn)

    run()

    assert run.source.journal.count("let_go") == 2
    assert run.decoder.asked[3:9] == [1, 3, 1, 3, 1, 3]
    assert (done(run, A), done(run, B), done(run, C)) == ([1], [2], [])


def test_what_a_rebalance_took_is_waited_for_no_more_and_read_anew_when_it_comes_back(
    outbox: SqliteOutbox, states: States
) -> None:
    run = Run(outbox, {1: SEVEN, 2: told(2)}, [records(1, 2)])

    def lose() -> None:
        run.source.epoch = 1
        run.decoder.learn(1, told(1))

    def come_back() -> None:
        run.source.deliver(records(1, 2, epoch=1))

    run.in_turn(lose, come_back)

    run()

    assert done(run, A) == [1, 2]
    assert states() == {"pending": 2}


def test_a_record_of_an_older_assignment_holds_back_none_of_the_newer_one(outbox: SqliteOutbox) -> None:
    run = Run(outbox, {5: SEVEN, 6: told(6)}, [[*records(5), *records(6, epoch=1)]])
    run.source.epoch = 1

    run()

    assert done(run, A) == [6]


def test_a_stop_leaves_it_to_the_next_process(outbox: SqliteOutbox) -> None:
    run = Run(outbox, {1: told(1), 2: SEVEN}, [records(1, 2)])
    run.in_turn(run.stopping.set)

    run()

    assert done(run, A) == [1]


def test_another_outage_meanwhile_neither_loses_the_wait_nor_its_end(outbox: SqliteOutbox, states: States) -> None:
    flaky = Flaky(outbox, [Unavailable("outbox", "full")] * 2)
    run = Run(flaky, {1: SEVEN, 10: told(10)}, [[*records(1, partition=A), *records(10, partition=B)]])
    run.in_turn(lambda: run.decoder.learn(1, told(1)), nothing)

    run()

    assert run.source.flow[:3] == ["hold_back", "pause", "resume"]
    assert (done(run, A), done(run, B)) == ([1], [10])
    assert states() == {"pending": 2}


def test_what_waits_and_what_is_behind_it_is_no_part_of_a_flood(outbox: SqliteOutbox) -> None:
    poison = Undecodable("no_framing", "?")
    content: dict[int, Any] = {1: SEVEN} | dict.fromkeys(range(2, 9), poison) | dict.fromkeys(range(10, 14), poison)
    batch = [*records(*range(1, 9), partition=A), *records(*range(10, 14), partition=B)]
    run = Run(outbox, content, [batch])
    run.flood = FloodLimits(window_records=100, letters_min=50, share_max=0.5, run_max=5)

    run()

    assert done(run, B) == [10, 11, 12, 13]
    assert len(run.drawer.letters) == 4


def test_what_waits_does_not_count_as_readable_either(outbox: SqliteOutbox) -> None:
    content: dict[int, Any] = {1: SEVEN} | dict.fromkeys(range(10, 15), Undecodable("no_framing", "?"))
    first = [*records(10, 11, 12, partition=B), *records(1, partition=A)]
    run = Run(outbox, content, [first, records(13, 14, partition=B)])
    run.flood = FloodLimits(window_records=100, letters_min=50, share_max=0.5, run_max=5)

    with pytest.raises(Broken):
        run()


def lines(caplog: pytest.LogCaptureFixture, line: str) -> list[dict[str, Any]]:
    return [
        entry.__dict__["fields"] | {"level": entry.levelname} for entry in caplog.records if entry.getMessage() == line
    ]


def test_a_schema_that_comes_at_once_is_not_worth_a_line(
    outbox: SqliteOutbox, caplog: pytest.LogCaptureFixture
) -> None:
    run = Run(outbox, {1: SEVEN}, [records(1)])
    run.in_turn(later(run, 0.9), lambda: run.decoder.learn(1, told(1)))

    with caplog.at_level("INFO", "avviso"):
        run()

    assert done(run, A) == [1]
    assert lines(caplog, "partition_waiting") + lines(caplog, "partition_goes_on") == []


def test_a_wait_is_told_once_with_its_latest_reason_becomes_an_alarm_once_and_its_end_is_told(
    outbox: SqliteOutbox, caplog: pytest.LogCaptureFixture
) -> None:
    run = Run(outbox, {1: SEVEN, 2: told(2)}, [records(1, 2)])
    run.in_turn(
        lambda: run.decoder.learn(1, Awaited("registry", "timeout", "7")),
        *[later(run, 0.5)] * 140,
        lambda: run.decoder.learn(1, told(1)),
    )

    with caplog.at_level("INFO", "avviso"):
        run()

    waits = lines(caplog, "partition_waiting")
    where = {"topic": TOPIC, "partition": A, "offset": 1, "schema": "7"}
    assert [wait.pop("level") for wait in waits] == ["WARNING", "ERROR"]
    assert waits == [where | {"what": "registry", "code": "timeout"}] * 2
    assert lines(caplog, "partition_goes_on") == [where | {"level": "INFO"}]


def test_the_partitions_that_wait_are_counted(outbox: SqliteOutbox, meter: InMemoryMetricReader) -> None:
    run = Run(outbox, {1: SEVEN, 2: EIGHT}, [[*records(1, partition=A), *records(2, partition=B)]])
    counts: list[float] = []

    def count() -> None:
        counts.append(waiting(meter))

    def lose() -> None:
        run.source.epoch = 1

    run.in_turn(count, lambda: run.decoder.learn(1, told(1)), count, lose, count)

    run()

    assert counts == [2, 1, 0]


@pytest.fixture
def meter(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemoryMetricReader]:
    reader = InMemoryMetricReader()
    provider = MeterProvider(metric_readers=[reader])
    monkeypatch.setattr(telemetry, "PARTITIONS_WAITING", provider.get_meter("test").create_gauge("waiting"))
    yield reader
    provider.shutdown()


def waiting(meter: InMemoryMetricReader) -> float:
    data = meter.get_metrics_data()
    assert data is not None
    [point] = data.resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
    assert isinstance(point, NumberDataPoint)
    return point.value
