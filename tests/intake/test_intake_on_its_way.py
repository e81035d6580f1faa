"""A batch that is on its way to the disk: meanwhile the next one is polled and read, and not judged."""

import io
import threading
from collections.abc import Sequence
from datetime import datetime

from consumer.adapters.outbox_sqlite import SqliteOutbox
from consumer.core.notice import Change
from consumer.core.record import Position
from consumer.errors import Unavailable, Undecodable
from consumer.ports import Recording
from tests.builders import euros, transaction
from tests.intakes import Flaky, Run, States, records
from tests.waits import B


def test_what_is_on_its_way_to_the_disk_is_not_done_and_the_next_batch_waits_for_it(outbox: SqliteOutbox) -> None:
    run = Run(
        outbox, {1: transaction(), 2: transaction(event_id="evt-2", transaction_id="tx-2")}, [records(1), records(2)]
    )
    run.source.meanwhile = [lambda: seen.append(list(run.source.processed_positions))]
    seen: list[list[Position]] = []

    run()

    assert seen == [[]]
    assert run.source.journal == ["commit", "processed", "commit", "processed", "commit", "commit"]
    assert [at.offset for at in run.source.processed_positions] == [1, 2]


def test_only_a_poll_that_has_something_to_wait_for_waits(outbox: SqliteOutbox) -> None:
    run = Run(outbox, {1: transaction()}, [records(1)])

    run()

    assert run.source.timeouts_s == [1.0, 0.0, 1.0]


def test_dispatch_is_woken_only_by_what_is_durable(outbox: SqliteOutbox) -> None:
    run = Run(outbox, {1: transaction()}, [records(1)])
    run.source.meanwhile = [lambda: woken.append(run.woken)]
    woken: list[int] = []

    run()

    assert (woken, run.woken) == ([0], 1)


def test_what_never_reached_the_disk_is_written_once_more(outbox: SqliteOutbox, states: States) -> None:
    flaky = Flaky(outbox)
    flaky.late_failures = [Unavailable("outbox", "full")] * 2
    run = Run(flaky, {1: transaction()}, [records(1)])
    run.in_turn(lambda: None, lambda: None)

    run()

    assert states() == {"pending": 1}
    assert [at.offset for at in run.source.processed_positions] == [1]
    assert "resume" in run.source.journal


def test_what_a_rebalance_takes_before_it_is_durable_is_written_once_more_by_its_new_owner_only(
    outbox: SqliteOutbox, states: States
) -> None:
    flaky = Flaky(outbox)
    flaky.late_failures = [Unavailable("outbox", "full")]
    run = Run(
        flaky, {1: transaction(), 2: transaction(event_id="evt-2", transaction_id="tx-2")}, [records(1), records(2)]
    )
    run.source.meanwhile = [lambda: run.source.reassign([])]

    run()

    assert states() == {}
    assert run.source.processed_positions == []


def test_what_gets_to_the_disk_before_partitions_go_is_done_before(outbox: SqliteOutbox, states: States) -> None:
    run = Run(outbox, {1: transaction()}, [records(1)])

    def revoke() -> None:
        run.source.before_revoke()
        done.extend(run.source.processed_positions)
        run.source.reassign([])

    run.source.meanwhile = [revoke]
    done: list[Position] = []

    run()

    assert [at.offset for at in done] == [1]
    assert done == run.source.processed_positions
    assert (states(), run.woken) == ({"pending": 1}, 1)


def test_what_does_not_get_there_is_told_and_left_to_the_next_owner(
    outbox: SqliteOutbox, states: States, log: io.StringIO
) -> None:
    flaky = Flaky(outbox)
    flaky.late_failures = [Unavailable("outbox", "full")]
    run = Run(flaky, {1: transaction()}, [records(1)])

    def revoke() -> None:
        run.source.before_revoke()
        run.source.reassign([])

    run.source.meanwhile = [revoke]

    run()

    assert (states(), run.source.processed_positions) == ({}, [])
    assert '"line": "intake_paused", "what": "outbox", "code": "full", "records": 1' in log.getvalue()


def test_a_disk_that_failed_is_told_even_if_it_works_again_at_once(outbox: SqliteOutbox, log: io.StringIO) -> None:
    flaky = Flaky(outbox)
    flaky.late_failures = [Unavailable("outbox", "ioerr_fsync")]
    run = Run(flaky, {1: transaction()}, [records(1)])
    run.in_turn(lambda: None)

    run()

    assert "ioerr_fsync" in log.getvalue()


def test_after_a_stall_a_poll_that_does_not_wait_changes_nothing(outbox: SqliteOutbox, states: States) -> None:
    run = Run(
        outbox, {1: transaction(), 2: transaction(event_id="evt-2", transaction_id="tx-2")}, [records(1), records(2)]
    )

    def stall() -> None:
        run.source.overdue = True

    run.source.meanwhile = [stall]
    run.in_turn(lambda: seen.append(states()))
    seen: list[dict[str, int]] = []

    run()

    assert seen == [{"pending": 1}]
    assert states() == {"pending": 2}


def test_a_batch_that_changes_nothing_is_done_at_once(outbox: SqliteOutbox) -> None:
    run = Run(outbox, {1: transaction(amount=euros("1"))}, [records(1)])

    run()

    assert 0.0 not in run.source.timeouts_s
    assert run.source.journal[0] == "processed"


def test_what_was_polled_meanwhile_and_then_taken_away_is_let_go(outbox: SqliteOutbox, states: States) -> None:
    """The last batch could not be written for a while, and each try polls."""
    flaky = Flaky(outbox)
    flaky.late_failures = [Unavailable("outbox", "full")]
    content = {1: transaction(), 2: transaction(event_id="evt-2", transaction_id="tx-2")}
    run = Run(flaky, content, [records(1), records(2, partition=B)])
    run.in_turn(lambda: run.source.reassign([]))

    run()

    assert states() == {}
    assert run.source.processed_positions == []


def test_a_stop_does_not_wait_for_a_disk_that_fails_and_leaves_the_batch_to_the_next_process(
    outbox: SqliteOutbox, states: States
) -> None:
    flaky = Flaky(outbox)
    flaky.late_failures = [Unavailable("outbox", "full")]
    run = Run(flaky, {1: transaction()}, [records(1)])
    run.source.meanwhile = [run.stopping.set]

    run()

    assert states() == {}
    assert run.source.processed_positions == []


class Parting(Flaky):
    """Tells the process to stop as soon as something is written."""

    stopping: threading.Event

    def record(self, changes: Sequence[Change], now: datetime) -> Recording:
        recording = super().record(changes, now)
        self.stopping.set()
        return recording


def test_a_stop_while_the_disk_is_waited_for_leaves_nothing_undone(outbox: SqliteOutbox, states: States) -> None:
    parting = Parting(outbox)
    run = Run(parting, {1: transaction()}, [records(1)])
    parting.stopping = run.stopping

    run()

    assert states() == {"pending": 1}
    assert [at.offset for at in run.source.processed_positions] == [1]


def test_a_batch_with_dead_letters_is_done_at_once_so_that_nobody_sets_them_aside_again(outbox: SqliteOutbox) -> None:
    run = Run(outbox, {1: transaction(), 2: Undecodable("no_framing", "?")}, [records(1, 2)])

    run()

    assert 0.0 not in run.source.timeouts_s
    assert run.source.journal[0] == "processed"
