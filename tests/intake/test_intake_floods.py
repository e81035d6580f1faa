"""A flood of undecodable records stops intake before anything of it is written, at the same place each time."""

from typing import Any

import pytest

from consumer.adapters.outbox_sqlite import SqliteOutbox
from consumer.core.flood import FloodLimits
from consumer.core.record import Position
from consumer.core.screen import Glance, Heading
from consumer.errors import Broken, ExitCode, Unavailable, Undecodable
from consumer.ports import OutboxForIntake
from tests.builders import transaction
from tests.intakes import TOPIC, Flaky, Run, States, records
from tests.waits import SEVEN

POISON = Undecodable("no_registry", "id 9")
BORING = Heading(event_type="TransactionPosted", currency="EUR", sort=1)
LIMITS = FloodLimits(window_records=100, letters_min=10, share_max=0.5, run_max=5)


def told(number: int) -> Any:
    return transaction(event_id=f"evt-{number}", transaction_id=f"tx-{number}")


def run_of(outbox: OutboxForIntake, content: dict[int, Any], *batches: Any) -> Run:
    run = Run(outbox, content, batches)
    run.flood = LIMITS
    return run


def broken(run: Run) -> Broken:
    with pytest.raises(Broken) as problem:
        run()
    return problem.value


def test_nothing_of_a_batch_that_belongs_to_a_flood_is_written_or_done(outbox: SqliteOutbox, states: States) -> None:
    """The readable records before it in the batch wait with it: their offsets come before the flood's, or nothing does."""
    content = {1: told(1), 2: told(2)} | dict.fromkeys(range(3, 8), POISON)
    run = run_of(outbox, content, records(1), records(*range(2, 8)))

    problem = broken(run)

    assert problem.exit_code == ExitCode.POISON_FLOOD
    assert run.drawer.letters == []
    assert states() == {"pending": 1}
    assert [position.offset for position in run.source.processed_positions] == [1]


def test_the_error_says_what_to_do(outbox: SqliteOutbox) -> None:
    run = run_of(outbox, dict.fromkeys(range(3, 8), POISON), records(*range(3, 8)))

    said = str(broken(run))

    assert f"topic {TOPIC}: 5 of the latest 5 records cannot be read (no_registry 5 in this batch)" in said
    assert f"the first at {TOPIC}[0]@3" in said
    assert "set AVVISO_REGISTRY__URL" in said
    assert f"avviso run --accept-dead-letters-until {TOPIC}:0:8 " in said


def test_the_error_of_many_partitions_is_not_longer_than_a_line_of_the_log(outbox: SqliteOutbox) -> None:
    run = run_of(
        outbox,
        dict.fromkeys(range(1, 3), POISON),
        [one for part in range(500) for one in records(1, 2, partition=part)],
    )

    said = str(broken(run))

    assert len(said) < 2000
    assert f"{TOPIC}:49:3 covers 50 of the 500 partitions in this batch" in said


@pytest.mark.parametrize("reason", ["undecodable", "unknown_schema", "schema_refused", "wrong_type", "from_future"])
def test_each_reason_has_its_advice(outbox: SqliteOutbox, reason: str) -> None:
    run = run_of(outbox, dict.fromkeys(range(5), Undecodable(reason, "?")), records(*range(5)))

    assert f"({reason} 5 in this batch)" in str(broken(run))


@pytest.mark.parametrize("batch", [1, 2, 3, 5])
def test_a_restart_stops_at_the_same_place_however_few_records_it_reads_at_once(
    outbox: SqliteOutbox, batch: int
) -> None:
    """The next process has forgotten the window, and would see a few records only."""
    content = {1: told(1)} | dict.fromkeys(range(2, 20), POISON)
    broken(run_of(outbox, content, records(1), records(*range(2, 20))))
    offsets = [*range(2, 20)]

    again = run_of(outbox, content, *(records(*offsets[i : i + batch]) for i in range(0, len(offsets), batch)))
    problem = broken(again)

    assert "records that stopped it before still cannot be read" in str(problem)
    assert again.drawer.letters == []
    assert again.source.processed_positions == []


def test_that_nobody_wants_to_hear_of_them_does_not_prove_that_they_can_be_read_now(outbox: SqliteOutbox) -> None:
    content = dict.fromkeys(range(2, 20), POISON)
    broken(run_of(outbox, content, records(*range(2, 20))))

    again = run_of(outbox, content, records(2, 3), records(*range(4, 20)))
    again.decoder.seen = dict.fromkeys(range(2, 20), Glance(BORING, (b"nobody",), 1))
    problem = broken(again)

    assert "records that stopped it before still cannot be read" in str(problem)


def test_what_is_read_for_that_is_not_counted_as_screened_too(
    outbox: SqliteOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(run_of(outbox, dict.fromkeys(range(2, 20), POISON), records(*range(2, 20))))
    counted: list[tuple[int, int]] = []
    monkeypatch.setattr(
        "consumer.tallies.read",
        lambda portion: counted.append((portion.screening.customers, len(portion.cases))),
    )

    again = run_of(outbox, {2: told(2), 9: SEVEN}, [*records(2), *records(9, partition=1)])
    again.decoder.seen = {2: Glance(BORING, (b"nobody",), 1)}
    again()

    assert counted == [(0, 1)]


def test_elsewhere_records_are_screened_meanwhile(outbox: SqliteOutbox) -> None:
    broken(run_of(outbox, dict.fromkeys(range(2, 20), POISON), records(*range(2, 20))))

    again = run_of(outbox, {30: told(30)}, records(31, 32, partition=1))
    again.decoder.seen = dict.fromkeys((31, 32), Glance(BORING, (b"nobody",), 1))
    again()

    assert again.decoder.decoded == []
    assert len(again.source.processed_positions) == 2


def test_records_that_trickle_in_one_by_one_are_stopped_by_their_run_and_again_by_the_next_one(
    outbox: SqliteOutbox,
) -> None:
    content = dict.fromkeys(range(20), POISON)
    first = run_of(outbox, content, *(records(offset) for offset in range(20)))
    broken(first)
    second = run_of(outbox, content, *(records(offset) for offset in range(4, 20)))
    broken(second)

    assert [position.offset for position in first.source.processed_positions] == [0, 1, 2, 3]
    assert second.source.processed_positions == []


def test_once_the_records_can_be_read_intake_goes_on_and_forgets_the_flood(
    outbox: SqliteOutbox, states: States
) -> None:
    broken(run_of(outbox, dict.fromkeys(range(5), POISON), records(*range(5))))

    mended = run_of(outbox, {n: told(n) for n in range(5)} | {5: POISON}, records(*range(5)), records(5))
    mended()

    assert states() == {"pending": 5}
    assert [letter.record.position.offset for letter in mended.drawer.letters] == [5]
    assert outbox.stops() == []


def test_what_the_operator_accepts_is_set_aside_and_what_comes_behind_is_judged(
    outbox: SqliteOutbox, states: States
) -> None:
    content = {0: told(0)} | dict.fromkeys(range(1, 9), POISON) | {9: told(9), 10: POISON}
    broken(run_of(outbox, content, records(*range(9))))

    accepting = run_of(outbox, content, records(*range(11)))
    accepting.accepted = {(TOPIC, 0): 9}
    accepting()

    assert [letter.record.position.offset for letter in accepting.drawer.letters] == [*range(1, 9), 10]
    assert states() == {"pending": 2}
    assert len(accepting.source.processed_positions) == 11


def test_a_flood_that_goes_on_behind_what_was_accepted_stops_there(outbox: SqliteOutbox) -> None:
    content = dict.fromkeys(range(12), POISON)
    broken(run_of(outbox, content, records(*range(6))))

    accepting = run_of(outbox, content, records(*range(6)), records(6))
    accepting.accepted = {(TOPIC, 0): 6}
    broken(accepting)

    assert [position.offset for position in accepting.source.processed_positions] == [*range(6)]
    assert outbox.stops() == [Position(topic=TOPIC, partition=0, offset=6)]


def test_a_flood_is_not_announced_before_its_place_is_remembered(outbox: SqliteOutbox) -> None:
    flaky = Flaky(outbox, stop_failures=[Unavailable("outbox", "full")])
    run = run_of(flaky, dict.fromkeys(range(5), POISON), records(*range(5)))
    run.in_turn(lambda: None)

    broken(run)

    assert run.source.flow == ["pause"]
    assert [stop.offset for stop in outbox.stops()] == [0]


def test_a_stop_is_not_passed_before_that_is_remembered(outbox: SqliteOutbox, states: States) -> None:
    broken(run_of(outbox, dict.fromkeys(range(5), POISON), records(*range(5))))
    flaky = Flaky(outbox, stop_failures=[Unavailable("outbox", "full")])

    mended = run_of(flaky, {0: told(0)}, records(0))
    mended.in_turn(lambda: None)
    mended()

    assert outbox.stops() == []
    assert states() == {"pending": 1}


def test_scattered_undecodable_records_are_no_flood(outbox: SqliteOutbox, states: States) -> None:
    content = {n: POISON if n % 3 == 0 else told(n) for n in range(60)}
    run = run_of(outbox, content, records(*range(30)), records(*range(30, 60)))

    run()

    assert len(run.drawer.letters) == 20
    assert states() == {"pending": 40}
