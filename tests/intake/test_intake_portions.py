"""A batch is polled and read a portion at a time, and recorded and committed as one."""

import io
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from consumer.adapters.outbox_sqlite import SqliteOutbox
from consumer.core.flood import FloodLimits
from consumer.core.notice import Change
from consumer.core.record import Record
from consumer.errors import Awaited, Broken, Unavailable, Undecodable
from consumer.intake import IntakeLimits
from consumer.ports import OutboxForIntake, Recording
from tests.builders import transaction
from tests.intakes import Flaky, Run, States, records
from tests.waits import B

POISON = Undecodable("no_registry", "id 9")
PORTIONS_OF_TWO = IntakeLimits(poll_records_max=2, batch_records_max=6)


def told(number: int) -> Any:
    return transaction(event_id=f"evt-{number}", transaction_id=f"tx-{number}")


class Counting(Flaky):
    """Knows how many changes were recorded together."""

    def __init__(self, outbox: OutboxForIntake) -> None:
        super().__init__(outbox)
        self.together: list[int] = []

    def record(self, changes: Sequence[Change], now: datetime) -> Recording:
        self.together.append(len(changes))
        return super().record(changes, now)


def run_of(outbox: OutboxForIntake, *portions: Sequence[Record]) -> Run:
    run = Run(outbox, {number: told(number) for number in range(1, 20)}, portions)
    run.limits = PORTIONS_OF_TWO
    return run


@pytest.mark.parametrize(
    ("portions", "together"),
    [
        pytest.param([(1, 2), (3, 4), (5,)], [5], id="as long as there is more"),
        pytest.param([(1, 2), (3,), (4, 5)], [3, 2], id="a poll that brings fewer has brought all there is"),
        pytest.param([(1, 2), (3, 4), (5, 6), (7, 8)], [6, 2], id="up to the limit"),
    ],
)
def test_what_is_polled_one_after_the_other_is_recorded_together(
    outbox: SqliteOutbox, portions: list[tuple[int, ...]], together: list[int]
) -> None:
    counting = Counting(outbox)
    run = run_of(counting, *(records(*portion) for portion in portions))

    run()

    assert counting.together == together
    assert [at.offset for at in run.source.processed_positions] == [one for portion in portions for one in portion]


def test_only_the_first_poll_of_a_batch_waits(outbox: SqliteOutbox) -> None:
    run = run_of(outbox, records(1, 2), records(3))

    run()

    assert run.source.timeouts_s[:2] == [1.0, 0.0]


def test_what_a_rebalance_takes_between_two_portions_is_recorded_by_its_new_owner_only(
    outbox: SqliteOutbox, states: States
) -> None:
    run = run_of(outbox, records(1, 2))
    run.source.meanwhile = [lambda: run.source.reassign(records(3, epoch=1))]

    run()

    assert states() == {"pending": 1}
    assert [at.offset for at in run.source.processed_positions] == [3]


def test_a_stop_between_two_portions_leaves_the_batch_to_the_next_process_and_finishes_the_one_before(
    outbox: SqliteOutbox, states: States
) -> None:
    run = run_of(outbox, records(1), records(2, 3), records(4))
    run.source.meanwhile = [lambda: None, run.stopping.set]

    run()

    assert states() == {"pending": 1}
    assert [at.offset for at in run.source.processed_positions] == [1]


def test_what_waits_in_one_portion_holds_up_nothing_of_another_partition_in_the_next(
    outbox: SqliteOutbox, states: States
) -> None:
    counting = Counting(outbox)
    run = run_of(counting, records(1, 2), [*records(3), *records(4, partition=B)])
    run.decoder.learn(2, Awaited("registry", "timeout", "id 7"))
    run.in_turn(lambda: held.append(states()), lambda: run.decoder.learn(2, told(2)), lambda: None)
    held: list[dict[str, int]] = []

    run()

    assert counting.together[0] == 2
    assert held == [{"pending": 2}]
    assert states() == {"pending": 4}
    assert sorted(at.offset for at in run.source.processed_positions) == [1, 2, 3, 4]


def test_a_flood_is_seen_across_portions_and_nothing_of_the_batch_is_written(
    outbox: SqliteOutbox, states: States
) -> None:
    run = run_of(outbox, records(1, 2), records(3, 4), records(5, 6))
    run.flood = FloodLimits(window_records=100, letters_min=10, share_max=0.5, run_max=3)
    for number in range(2, 6):
        run.decoder.learn(number, POISON)

    with pytest.raises(Broken, match=r"4 in this batch.*the first at .*@2\. Nothing of the batch.*:0:6 covers"):
        run()

    assert (states(), run.drawer.letters, run.source.processed_positions) == ({}, [], [])


def test_what_is_on_its_way_is_seen_through_while_the_next_batch_waits(outbox: SqliteOutbox, states: States) -> None:
    """Else dispatch would not hear of it for as long as preferences are not believed."""
    run = run_of(outbox, records(1), records(2))
    run.source.meanwhile = [lambda: setattr(run.table, "caught_up", False)]
    run.in_turn(lambda: woken.append(run.woken), lambda: setattr(run.table, "caught_up", True))
    woken: list[int] = []

    run()

    assert woken == [1]
    assert states() == {"pending": 2}
    assert [at.offset for at in run.source.processed_positions] == [1, 2]


def test_a_poll_asks_for_no_more_than_the_batch_has_room_for(outbox: SqliteOutbox) -> None:
    counting = Counting(outbox)
    run = run_of(counting, records(*range(1, 12)))
    run.limits = IntakeLimits(poll_records_max=4, batch_records_max=6)

    run()

    assert counting.together == [6, 5]


def test_dead_letters_that_a_rebalance_takes_between_two_portions_count_once(outbox: SqliteOutbox) -> None:
    run = run_of(outbox, records(1, 2))
    run.flood = FloodLimits(window_records=100, letters_min=10, share_max=0.5, run_max=3)
    for number in (1, 2):
        run.decoder.learn(number, POISON)
    run.source.meanwhile = [lambda: run.source.reassign(records(1, 2, epoch=1))]

    run()

    assert [letter.record.position.offset for letter in run.drawer.letters] == [1, 2]


def test_dead_letters_that_a_rebalance_takes_before_they_are_set_aside_count_once(outbox: SqliteOutbox) -> None:
    run = run_of(outbox, records(1, 2))
    run.flood = FloodLimits(window_records=100, letters_min=10, share_max=0.5, run_max=3)
    run.drawer.outages = 1
    for number in (1, 2):
        run.decoder.learn(number, POISON)
    run.in_turn(lambda: run.source.reassign(records(1, 2, epoch=1)), lambda: None)

    run()

    assert [letter.record.position.offset for letter in run.drawer.letters] == [1, 2]


def test_what_a_rebalance_takes_before_it_is_read_is_not_read(outbox: SqliteOutbox) -> None:
    run = run_of(outbox, records(1, 2))
    run.table.caught_up = False

    def take_away() -> None:
        run.table.caught_up = True
        run.source.reassign([])

    run.in_turn(take_away, lambda: None)

    run()

    assert run.decoder.decoded == []


def test_dead_letters_that_a_rebalance_takes_between_two_portions_are_set_aside_by_the_new_owner_only(
    outbox: SqliteOutbox, states: States
) -> None:
    run = run_of(outbox, records(1, 2))
    run.decoder.learn(1, POISON)
    run.source.meanwhile = [lambda: run.source.reassign([])]

    run()

    assert (run.drawer.letters, states(), run.source.processed_positions) == ([], {}, [])


def test_a_disk_that_failed_is_tried_again_while_the_next_batch_waits(outbox: SqliteOutbox, states: States) -> None:
    flaky = Flaky(outbox)
    flaky.late_failures = [Unavailable("outbox", "full")]
    run = run_of(flaky, records(1), records(2))
    run.source.meanwhile = [lambda: setattr(run.table, "caught_up", False)]
    run.in_turn(
        lambda: None, lambda: held.append(states()), lambda: setattr(run.table, "caught_up", True), lambda: None
    )
    held: list[dict[str, int]] = []

    run()

    assert held == [{"pending": 1}]
    assert states() == {"pending": 2}


def test_a_stop_while_the_next_batch_waits_tries_the_one_before_a_last_time(
    outbox: SqliteOutbox, states: States
) -> None:
    flaky = Flaky(outbox)
    flaky.late_failures = [Unavailable("outbox", "full")] * 3
    run = run_of(flaky, records(1), records(2))

    def mend_and_stop() -> None:
        flaky.late_failures.clear()
        run.stopping.set()

    run.source.meanwhile = [lambda: setattr(run.table, "caught_up", False)]
    run.in_turn(lambda: None, mend_and_stop)

    run()

    assert states() == {"pending": 1}
    assert [at.offset for at in run.source.processed_positions] == [1]


def test_a_stop_while_nothing_more_comes_finishes_the_batch_before(outbox: SqliteOutbox, states: States) -> None:
    run = run_of(outbox, records(1))
    run.source.meanwhile = [run.stopping.set]

    run()

    assert states() == {"pending": 1}
    assert [at.offset for at in run.source.processed_positions] == [1]


def test_a_pause_says_how_many_records_are_in_hand(outbox: SqliteOutbox, log: io.StringIO) -> None:
    run = run_of(outbox, records(1), records(2, 3), records(4))
    run.source.meanwhile = [lambda: None, lambda: setattr(run.table, "caught_up", False)]
    run.in_turn(lambda: setattr(run.table, "caught_up", True), lambda: None)

    run()

    said = [json.loads(line) for line in log.getvalue().splitlines()]
    counts = [(one["line"], one["records"]) for one in said if one["line"] in {"intake_paused", "intake_resumed"}]
    assert counts == [("intake_paused", 4), ("intake_resumed", 3)]
