"""How much intake writes at once, and what it does where it stands for long."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from consumer import pipeline
from consumer.adapters.outbox_sqlite import SqliteOutbox
from consumer.core.flood import FloodLimits
from consumer.errors import Unavailable, Undecodable
from consumer.intake import IntakeLimits
from consumer.ports import DeadLetter
from tests.builders import transaction
from tests.intakes import Flaky, Run, States, records

MANY = 2 * IntakeLimits().letters_max + 1
NO_FLOOD = FloodLimits(window_records=10_000, letters_min=9000, run_max=9000)


class Slow:
    """Dead letters that are acknowledged once, then an outage, then all."""

    def __init__(self) -> None:
        self.acknowledged: list[int] = []
        self.calls = 0

    def write(self, letters: Sequence[DeadLetter]) -> None:
        self.calls += 1
        if self.calls == 2:
            raise Unavailable("dead_letters", "no_answer")
        self.acknowledged += [letter.record.position.offset for letter in letters]


def told(number: int) -> Any:
    return transaction(event_id=f"evt-{number}", transaction_id=f"tx-{number}")


def test_letters_that_were_acknowledged_are_not_written_again_after_an_outage(outbox: SqliteOutbox) -> None:
    poison = Undecodable("no_framing", "?")
    run = Run(outbox, dict.fromkeys(range(MANY), poison), [records(*range(MANY))])
    run.flood, slow = NO_FLOOD, Slow()
    run.drawer = slow  # type: ignore[assignment]
    run.in_turn(lambda: None)

    run()

    assert slow.acknowledged == list(range(MANY))
    assert slow.calls == 4
    assert len(run.source.processed_positions) == MANY


def test_many_notices_are_written_some_at_a_time(
    outbox: SqliteOutbox, states: States, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "TURN_CASES_MAX", 2)
    flaky = Flaky(outbox)
    run = Run(flaky, {n: told(n) for n in range(5)}, [records(*range(5))])

    run()

    assert flaky.recalls == 3
    assert states() == {"pending": 5}


def test_an_outage_that_lasts_becomes_an_alarm_once(outbox: SqliteOutbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "avviso")
    run = Run(Flaky(outbox, [Unavailable("outbox", "locked")] * 4), {1: told(1)}, [records(1)])

    def later() -> None:
        run.now += timedelta(seconds=40)

    run.in_turn(later, later, later, later)

    run()

    said = [(one.levelname, one.getMessage()) for one in caplog.records if one.getMessage().startswith("intake_")]
    assert said == [("WARNING", "intake_paused"), ("ERROR", "intake_paused"), ("INFO", "intake_resumed")]
