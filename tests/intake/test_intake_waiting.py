"""A record whose schema is still to come holds up its partition, and nothing else."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint

from consumer import telemetry
from consumer.adapters.outbox_sqlite import SqliteOutbox
from consumer.core.flood import FloodLimits
from consumer.errors import Awaited, Broken, Unavailable, Undecodable
from consumer.intake import IntakeLimits
from tests.builders import transaction
from tests.intakes import TOPIC, Flaky, Run, States, records

A, B, C = 0, 1, 2
SEVEN = Awaited("registry", "no_answer", "7")
EIGHT = Awaited("registry", "no_answer", "8")
UNKNOWN = Undecodable("unknown_schema", "the registry has no schema under this id", schema="7")


def told(number: int) -> Any:
    return transaction(event_id=f"evt-{number}", transaction_id=f"tx-{number}")


def done(run: Run, partition: int) -> list[int]:
    return [at.offset for at in run.source.processed_positions if at.partition == partition]


def nothing() -> None:
    pass


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
    assert run.source.timeouts_s == [long, long, short, short, long, long, long]


def each_of_its_own(*offsets: int) -> dict[int, Any]:
    return {offset: Awaited("registry", "no_answer", f"of {offset}") for offset in offsets}


def answer(run: Run, say: Callable[[int], Any]) -> Callable[[], None]:
    """The registry says of all that it was asked for until then."""

    def teach() -> None:
        for offset in {*run.decoder.decoded, *run.decoder.asked}:
            run.decoder.learn(offset, say(offset))

    return teach


def test_two_schemas_of_one_partition_are_asked_for_together_and_it_goes_on_once(
    outbox: SqliteOutbox, states: States
) -> None:
    run = Run(outbox, {1: SEVEN, 2: told(2), 3: EIGHT, 4: told(4)}, [records(1, 2, 3, 4)])
    run.in_turn(lambda: run.decoder.learn(1, told(1)), lambda: run.decoder.learn(3, told(3)), nothing)

    run()

    assert done(run, A) == [1, 2, 3, 4]
    assert run.source.journal.count("hold_back") == run.source.journal.count("let_go") == 1
    assert states() == {"pending": 4}


@pytest.mark.parametrize(("passed_s", "goes_on"), [(0.9, []), (1.0, [1, 2])])
def test_no_trouble_with_what_is_behind_holds_up_for_long_what_can_be_read(
    outbox: SqliteOutbox, passed_s: float, goes_on: list[int]
) -> None:
    run = Run(outbox, {1: SEVEN, 2: told(2), 3: EIGHT}, [records(1, 2, 3)])
    run.in_turn(lambda: run.decoder.learn(1, told(1)), later(run, passed_s), nothing)

    run()

    assert done(run, A) == goes_on


def test_a_partition_whose_records_each_have_their_own_schema_is_read_in_few_rounds_while_others_flow(
    outbox: SqliteOutbox,
) -> None:
    content = each_of_its_own(*range(1, 301)) | {number: told(number) for number in range(1001, 1004)}
    batches = [[*records(*range(1, 301)), *records(1001, partition=B)]]
    batches += [records(number, partition=B) for number in (1002, 1003)]
    run = Run(outbox, content, batches)
    run.in_turn(lambda: flowed.extend(done(run, B)), *[answer(run, told)] * 3)
    flowed: list[int] = []

    run()

    assert done(run, A) == list(range(1, 301))
    assert flowed == done(run, B) == [1001, 1002, 1003]
    assert run.source.journal.count("hold_back") == 2
    assert run.drawer.letters == []


def test_records_that_each_name_another_unknown_schema_are_a_flood_after_one_round(outbox: SqliteOutbox) -> None:
    run = Run(outbox, each_of_its_own(*range(1, 301)), [records(*range(1, 301))])
    run.in_turn(answer(run, lambda _: UNKNOWN))

    with pytest.raises(Broken, match="unknown_schema"):
        run()

    assert run.source.journal.count("let_go") == 1
    assert run.drawer.letters == []
    assert done(run, A) == []


def test_all_partitions_together_ask_for_so_many_schemas_ahead_and_no_more(outbox: SqliteOutbox) -> None:
    batches = [records(1, 2, 3, 4, partition=A), records(11, 12, 13, 14, partition=B)]
    run = Run(outbox, each_of_its_own(1, 2, 3, 4, 11, 12, 13, 14), batches)
    run.ahead_max = 4
    asked: list[int] = []
    run.in_turn(lambda: asked.extend({*run.decoder.decoded, *run.decoder.asked}), *[answer(run, told)] * 2)

    run()

    assert sorted(asked) == [1, 2, 3, 4, 11, 12]
    assert (done(run, A), done(run, B)) == ([1, 2, 3, 4], [11, 12, 13, 14])


def test_a_schema_that_many_records_need_counts_once(outbox: SqliteOutbox) -> None:
    nine = Awaited("registry", "no_answer", "9")
    run = Run(outbox, {1: SEVEN, 2: SEVEN, 3: EIGHT, 4: EIGHT, 5: nine}, [records(1, 2, 3, 4, 5)])
    run.ahead_max = 2
    run.in_turn(answer(run, told))

    run()

    assert done(run, A) == [1, 2, 3, 4, 5]
    assert run.source.journal.count("hold_back") == 1


def test_a_partition_that_waits_for_long_leaves_the_room_to_ask_ahead_to_others(outbox: SqliteOutbox) -> None:
    content = each_of_its_own(1, 2, 11, 12)
    run = Run(outbox, content, [records(1, 2, partition=A)])
    run.ahead_max = 1
    run.in_turn(later(run, 1.0), lambda: run.source.deliver(records(11, 12, partition=B)), nothing)

    run()

    assert 12 in run.decoder.asked


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
    assert "let_go" not in run.source.journal
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

    assert run.source.journal[:5] == ["hold_back", "pause", "let_go", "resume", "processed"]
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


def later(run: Run, seconds: float) -> Callable[[], None]:
    def pass_time() -> None:
        run.now += timedelta(seconds=seconds)

    return pass_time


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
