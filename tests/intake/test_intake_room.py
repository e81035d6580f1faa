"""Intake waits while the outbox is too full, tells in time, and goes on by itself."""

import io
import json
from datetime import timedelta
from typing import Any

import msgspec

from consumer.adapters.outbox_sqlite import SqliteOutbox
from consumer.core.delivery import Settlement, Trigger
from consumer.ports import Room
from tests.builders import NOW, transaction
from tests.intakes import WIDE, Flaky, Run, States, records
from tests.outboxes import ATTEMPT, claimed, numbered, recorded

SIZES = msgspec.structs.replace(
    WIDE, used_max_bytes=1000, used_alarm_bytes=500, free_min_bytes=100, free_alarm_bytes=400
)
ROOMY = Room(used_bytes=10, free_bytes=1000)


def said(log: io.StringIO) -> list[tuple[str, str, str]]:
    lines = (json.loads(line) for line in log.getvalue().splitlines())
    return [(one["level"], one["line"], one["reason"]) for one in lines if one["line"].startswith("outbox_")]


def told(number: int) -> Any:
    return transaction(event_id=f"evt-of-run-{number}", transaction_id=f"tx-of-run-{number}")


def send(outbox: SqliteOutbox, notices: int) -> None:
    for claim in claimed(outbox, limit=notices):
        assert outbox.begin(claim, ATTEMPT, NOW)
        assert outbox.settle(claim, Settlement(trigger=Trigger.ACCEPT, reason="", message_id="m"), NOW)


def test_too_many_notices_that_are_due_hold_intake_until_enough_are_sent(
    outbox: SqliteOutbox, states: States, log: io.StringIO
) -> None:
    recorded(outbox, *(numbered(number) for number in range(10)))
    run = Run(outbox, {1: told(1)}, [records(1)])
    run.load = msgspec.structs.replace(WIDE, due_max=10, due_resume=6)
    held: list[dict[str, int]] = []
    run.in_turn(
        lambda: held.append(states()),
        lambda: send(outbox, 3),
        lambda: held.append(states()),
        lambda: send(outbox, 1),
    )

    run()

    assert held == [{"pending": 10}, {"pending": 7, "accepted": 3}]
    assert states() == {"pending": 7, "accepted": 4}
    assert run.source.flow == ["pause", "resume", "processed"]
    assert said(log) == [("error", "outbox_full", "backlog"), ("info", "outbox_relieved", "backlog")]


def test_what_is_done_is_committed_while_the_next_records_wait_for_room(outbox: SqliteOutbox) -> None:
    """It may take hours, and by then the topic may not have what it would be asked for again."""
    run = Run(outbox, {number: told(number) for number in range(3)}, [records(number) for number in range(3)])
    run.load = msgspec.structs.replace(WIDE, due_max=1, due_resume=0)

    def later() -> None:
        run.now += timedelta(seconds=2)

    run.source.meanwhile = [later, later]
    run.in_turn(later, later)

    run()

    waited = run.source.journal[run.source.journal.index("pause") :]
    assert waited.index("processed") < waited.index("commit")
    assert waited.count("commit") > 2


def test_what_fills_while_no_records_come_is_told_once_and_so_is_its_end(
    outbox: SqliteOutbox, log: io.StringIO
) -> None:
    flaky = Flaky(outbox)
    flaky.size = msgspec.structs.replace(ROOMY, free_bytes=1)
    run = Run(flaky, {}, [])
    run.load = SIZES

    def minute() -> None:
        run.now += timedelta(minutes=1)

    def emptied() -> None:
        flaky.size = ROOMY
        minute()

    run.in_turn(minute, minute, emptied, minute)

    run()

    assert said(log) == [
        ("error", "outbox_filling", "disk_low"),
        ("error", "outbox_full", "disk_low"),
        ("info", "outbox_relieved", "disk_low"),
    ]
    assert "pause" not in run.source.journal


def test_preferences_that_became_too_old_while_there_was_no_room_are_not_asked(
    outbox: SqliteOutbox, states: States
) -> None:
    recorded(outbox, *(numbered(number) for number in range(10)))
    run = Run(outbox, {1: told(1)}, [records(1)])
    run.load = msgspec.structs.replace(WIDE, due_max=10, due_resume=6)

    def grow_too_old() -> None:
        run.table.caught_up = False

    run.in_turn(grow_too_old, lambda: send(outbox, 4), lambda: None)

    run()

    assert states() == {"pending": 6, "accepted": 4}
    assert run.source.processed_positions == []


def test_what_waits_for_the_morning_holds_nothing_up(outbox: SqliteOutbox, states: States) -> None:
    morning = NOW + timedelta(hours=8)
    recorded(outbox, *(numbered(number, not_before=morning) for number in range(10)))
    run = Run(outbox, {1: told(1)}, [records(1)])
    run.load = msgspec.structs.replace(WIDE, due_max=10, due_resume=6)

    run()

    assert states() == {"pending": 11}
    assert "pause" not in run.source.journal


def test_a_disk_that_fills_is_told_long_before_intake_waits_and_once_each(
    outbox: SqliteOutbox, states: States, log: io.StringIO
) -> None:
    flaky = Flaky(outbox)
    flaky.size = Room(used_bytes=10, free_bytes=399)
    run = Run(flaky, {n: told(n) for n in (1, 2, 3)}, [records(1), records(2), records(3)])
    run.load = SIZES
    held: list[dict[str, int]] = []

    def minutes_later(free_bytes: int) -> None:
        run.now += timedelta(minutes=1)
        flaky.size = Room(used_bytes=10, free_bytes=free_bytes)

    run.in_turn(lambda: held.append(states()), lambda: minutes_later(104), lambda: minutes_later(1000))
    run.table.get = _then(run.table.get, lambda: minutes_later(99))  # type: ignore[method-assign]

    run()

    assert held == [{"pending": 1}]
    assert states() == {"pending": 3}
    assert said(log)[:3] == [
        ("error", "outbox_filling", "disk_low"),
        ("error", "outbox_full", "disk_low"),
        ("info", "outbox_relieved", "disk_low"),
    ]


def _then(call: Any, once: Any) -> Any:
    """The call as it is, and after the first time something else."""
    left = [once]

    def wrapped(*arguments: Any) -> Any:
        result = call(*arguments)
        if left:
            left.pop()()
        return result

    return wrapped


def test_an_outbox_that_grew_too_large_holds_intake(outbox: SqliteOutbox, log: io.StringIO) -> None:
    flaky = Flaky(outbox)
    flaky.size = Room(used_bytes=1000, free_bytes=1000)
    run = Run(flaky, {1: told(1)}, [records(1)])
    run.load = SIZES
    run.in_turn(lambda: None)

    run()

    assert run.source.processed_positions == []
    assert said(log) == [
        ("error", "outbox_filling", "outbox_large"),
        ("error", "outbox_full", "outbox_large"),
    ]


def test_the_outbox_is_looked_at_once_a_second_not_once_a_batch(outbox: SqliteOutbox) -> None:
    flaky = Flaky(outbox)
    flaky.size = ROOMY
    run = Run(flaky, {n: told(n) for n in range(5)}, [records(n) for n in range(5)])

    run()

    assert flaky.counts == 1


def test_a_clock_that_was_set_back_does_not_blind_it(outbox: SqliteOutbox) -> None:
    flaky = Flaky(outbox)
    run = Run(flaky, {n: told(n) for n in range(2)}, [records(n) for n in range(2)])

    def back() -> None:
        run.now -= timedelta(hours=1)

    run.table.get = _then(run.table.get, back)  # type: ignore[method-assign]

    run()

    assert flaky.counts == 2
