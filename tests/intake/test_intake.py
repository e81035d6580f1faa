"""The intake loop: nothing is committed before it is recorded, nothing is skipped, and it waits for nothing in vain."""

from datetime import timedelta
from functools import partial

import pytest

from consumer.adapters.outbox_sqlite import SqliteOutbox
from consumer.core.delivery import Patience
from consumer.core.event import Channel, Event
from consumer.core.preferences import AlertPreference, Repeat
from consumer.core.record import Record
from consumer.errors import Awaited, Conflict, Unavailable, Undecodable
from tests.builders import NOW, balance, euros, preferences, transaction
from tests.fakes import Listed, ScriptedSource
from tests.intakes import Flaky, Run, States, records


def test_an_event_becomes_a_notice_and_only_then_is_its_offset_done(outbox: SqliteOutbox, states: States) -> None:
    run = Run(outbox, {1: transaction()}, [records(1)])

    run()

    assert states() == {"pending": 1}
    assert [position.offset for position in run.source.processed_positions] == [1]
    assert run.woken == 1


def test_a_silent_event_is_done_without_a_word_to_dispatch(outbox: SqliteOutbox, states: States) -> None:
    run = Run(outbox, {1: transaction(amount=euros("0.50"))}, [records(1)])

    run()

    assert (states(), run.woken) == ({}, 0)
    assert len(run.source.processed_positions) == 1


def test_the_same_event_twice_in_a_batch_and_again_later_is_one_notice(outbox: SqliteOutbox, states: States) -> None:
    same = transaction()
    run = Run(outbox, {1: same, 2: same, 3: same}, [records(1, 2), records(3)])

    run()

    assert states() == {"pending": 1}
    assert len(run.source.processed_positions) == 3


def test_a_replayed_event_whose_notice_ended_untold_stays_recorded_once(outbox: SqliteOutbox, states: States) -> None:
    late = transaction(occurred_at=NOW.replace(year=2025))
    run = Run(outbox, {1: late, 2: late, 3: transaction(event_id="evt-9", transaction_id="tx-9")}, [records(1)])
    run()
    outbox.sweep(NOW, Patience(lease=timedelta(minutes=1), doubt=timedelta(minutes=5)))

    again = Run(outbox, {2: late, 3: transaction(event_id="evt-9", transaction_id="tx-9")}, [records(2, 3)])
    again()

    assert states() == {"expired": 1, "pending": 1}


def test_an_undecodable_record_is_set_aside_before_its_offset_is_done(outbox: SqliteOutbox, states: States) -> None:
    run = Run(outbox, {1: Undecodable("trailing_bytes", "2 bytes are left"), 2: transaction()}, [records(1, 2)])

    run()

    assert [letter.reason for letter in run.drawer.letters] == ["trailing_bytes"]
    assert states() == {"pending": 1}
    assert len(run.source.processed_positions) == 2


def test_a_registry_outage_pauses_nothing_and_loses_nothing(outbox: SqliteOutbox, states: States) -> None:
    run = Run(outbox, {1: transaction(), 2: Awaited("registry", "timeout", "7")}, [records(1, 2)])
    run.in_turn(lambda: None, lambda: run.decoder.learn(2, transaction(event_id="evt-3", transaction_id="tx-3")))

    run()

    assert states() == {"pending": 2}
    assert run.source.flow == [
        "hold_back",
        "processed",
        "let_go",
        "processed",
    ]


def test_intake_stops_while_dead_letters_cannot_be_written_and_writes_each_once(
    outbox: SqliteOutbox, states: States
) -> None:
    run = Run(outbox, {1: Undecodable("no_framing", "?"), 2: transaction()}, [records(1, 2)])
    run.drawer.outages = 3
    run.in_turn(lambda: None, lambda: None, lambda: None)

    run()

    assert len(run.drawer.letters) == 1
    assert states() == {"pending": 1}


def test_nothing_is_done_while_the_preferences_are_not_believed(outbox: SqliteOutbox, states: States) -> None:
    run = Run(outbox, {1: transaction()}, [records(1)])
    run.table.caught_up = False

    run()

    assert run.source.processed_positions == []
    assert states() == {}


def test_a_stop_during_an_outage_leaves_the_batch_to_the_next_process(outbox: SqliteOutbox) -> None:
    run = Run(Flaky(outbox, [Unavailable("outbox", "full")] * 2), {1: transaction()}, [records(1)])
    run.in_turn(run.stopping.set)

    run()

    assert run.source.processed_positions == []


def test_an_outbox_that_comes_back_gets_the_batch_once(outbox: SqliteOutbox, states: States) -> None:
    run = Run(Flaky(outbox, [Unavailable("outbox", "full")] * 2), {1: transaction()}, [records(1)])
    run.in_turn(lambda: None, lambda: None)

    run()

    assert states() == {"pending": 1}
    assert len(run.source.processed_positions) == 1


def test_records_of_a_partition_lost_during_an_outage_are_let_go(outbox: SqliteOutbox, states: States) -> None:
    run = Run(Flaky(outbox, [Unavailable("outbox", "full")]), {1: transaction()}, [records(1)])

    def lose() -> None:
        run.source.epoch = 1

    run.in_turn(lose)

    run()

    assert states() == {}
    assert run.source.processed_positions == []


def test_what_changed_between_reading_and_writing_is_read_and_judged_again(
    outbox: SqliteOutbox, states: States
) -> None:
    flaky = Flaky(outbox, [Conflict()])
    run = Run(flaky, {1: balance()}, [records(1)])

    run()

    assert flaky.recalls == 2
    assert states() == {"pending": 1}


def test_a_conflict_that_does_not_end_pauses_like_an_outage(outbox: SqliteOutbox, states: States) -> None:
    run = Run(Flaky(outbox, [Conflict()] * 5), {1: balance()}, [records(1)])
    run.in_turn(lambda: None)

    run()

    assert run.source.journal[0] == "pause"
    assert states() == {"pending": 1}


def test_a_defect_ends_the_process_before_the_offsets_are_done(outbox: SqliteOutbox) -> None:
    run = Run(outbox, {1: ZeroDivisionError()}, [records(1)])

    with pytest.raises(ZeroDivisionError):
        run()

    assert run.source.processed_positions == []


def test_the_death_of_another_part_ends_intake(outbox: SqliteOutbox) -> None:
    run = Run(outbox, {}, [])

    def never_again() -> None:
        raise AssertionError("polled after the check")

    run.idle = never_again
    run.check = _died
    with pytest.raises(RuntimeError, match="dispatch died"):
        run()


def _died() -> None:
    raise RuntimeError("dispatch died")


def test_a_replayed_event_does_not_silence_the_next_one_of_its_day(outbox: SqliteOutbox, states: States) -> None:
    """Its notice expired, so the day is not told; the event itself must not count as told when it comes again."""
    once_a_day = {"atm_withdrawal": AlertPreference(enabled=True, repeat=Repeat.ONCE_A_DAY)}
    morning = transaction(channel=Channel.ATM, occurred_at=NOW - timedelta(hours=13))
    evening = transaction(channel=Channel.ATM, event_id="evt-2", transaction_id="tx-2")
    first = Run(outbox, {1: morning}, [records(1)])
    first.table = Listed(preferences(alerts=once_a_day))
    first()
    outbox.sweep(NOW, Patience(lease=timedelta(minutes=1), doubt=timedelta(minutes=5)))

    again = Run(outbox, {1: morning, 2: evening}, [records(1, 2)])
    again.table = Listed(preferences(alerts=once_a_day))
    again()

    assert states() == {"expired": 1, "pending": 1}


def test_after_a_long_stall_nothing_is_written_before_the_group_was_heard(outbox: SqliteOutbox, states: States) -> None:
    run = Run(outbox, {1: transaction()}, [records(1)])
    run.in_turn(partial(setattr, run.source, "epoch", 1))
    stalls(run)

    run()

    assert states() == {}
    assert run.source.processed_positions == []
    assert run.source.journal.count("pause") == run.source.journal.count("resume") == 1


def test_a_stall_that_cost_no_partition_costs_no_record(outbox: SqliteOutbox, states: States) -> None:
    run = Run(outbox, {1: transaction(), 2: Undecodable("trailing_bytes", "2 bytes are left")}, [records(1, 2)])
    run.in_turn(list)
    stalls(run)

    run()

    assert states() == {"pending": 1}
    assert [letter.record.position.offset for letter in run.drawer.letters] == [2]
    assert len(run.source.processed_positions) == 2


def stalls(run: Run) -> None:
    """Deciding over the first batch takes longer than a session lasts."""
    decode = run.decoder.decode

    def slowly(record: Record) -> Event:
        run.source.overdue = True
        return decode(record)

    run.decoder.decode = slowly  # type: ignore[method-assign]


def test_after_a_stall_no_dead_letter_is_written_before_the_group_was_heard(outbox: SqliteOutbox) -> None:
    run = Run(outbox, {1: Undecodable("test", "?")}, [records(1)])
    stalls(run)
    written: list[int] = []
    run.in_turn(lambda: written.append(len(run.drawer.letters)))

    run()

    assert written == [0]
    assert len(run.drawer.letters) == 1


class Shareless(ScriptedSource):
    """A member that has lost its share, and hears nothing any more."""

    @property
    def overdue(self) -> bool:
        return self.epoch > 0

    @overdue.setter
    def overdue(self, _: bool) -> None:
        pass


def test_who_has_lost_all_of_a_batch_waits_for_nobody_to_confirm_it(outbox: SqliteOutbox, states: States) -> None:
    run = Run(Flaky(outbox, [Unavailable("outbox", "full")]), {1: transaction()}, [records(1)])
    run.source = Shareless([records(1)], lambda: run.idle())  # noqa: PLW0108 - it is replaced
    run.in_turn(lambda: run.source.reassign([]))

    run()

    assert run.source.journal.count("resume") == 1
    assert states() == {}
