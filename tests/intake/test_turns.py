"""What comes after a reversal is judged by what the reversal left."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from consumer.adapters.outbox_sqlite import SqliteOutbox, SqliteOutboxReader
from consumer.core.event import Event, TransactionStatus
from consumer.core.notice import Change
from consumer.core.weighing import weigh
from consumer.errors import Unavailable
from consumer.pipeline import Case, turns
from consumer.ports import OutboxForIntake, Recording
from tests.builders import NOW, PSEUDONYMS, preferences, record, transaction
from tests.deciding import CATALOGUE
from tests.intakes import Flaky
from tests.judging import taken_in

AUTHORISED = transaction(event_id="evt-a", status=TransactionStatus.AUTHORISED)
REVERSED = transaction(event_id="evt-r", status=TransactionStatus.REVERSED)
POSTED = transaction(event_id="evt-p")


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[SqliteOutbox]:
    with SqliteOutbox.open(tmp_path / "outbox.sqlite", identity={}, now=NOW) as opened:
        yield opened


def cases(*events: Event, customer_id: str = "cust-1") -> list[Case]:
    return [
        Case(
            record=record(),
            event=event,
            customer_id=customer_id,
            weighed=weigh(event, customer_id, None, CATALOGUE, PSEUDONYMS),
        )
        for event in events
    ]


def stages(turn: Sequence[Case]) -> list[tuple[str, str]]:
    return [(case.customer_id, case.event.event_id[-1]) for case in turn]


class Journal(Flaky):
    """The outbox before it; counts what it was given, and fails at the call of that number."""

    def __init__(self, outbox: OutboxForIntake, fails_at: int) -> None:
        super().__init__(outbox)
        self._fails_at = fails_at
        self.given: list[int] = []

    def record(self, changes: Sequence[Change], now: datetime) -> Recording:
        self.given.append(len(changes))
        if len(self.given) == self._fails_at:
            raise Unavailable("outbox", "full")
        return super().record(changes, now)


def test_a_batch_without_a_reversal_is_one_turn() -> None:
    assert [stages(turn) for turn in turns(cases(AUTHORISED, POSTED))] == [[("cust-1", "a"), ("cust-1", "p")]]


def test_a_turn_ends_with_a_reversal_for_its_customer_only() -> None:
    anna, bruno = cases(AUTHORISED, REVERSED, POSTED), cases(AUTHORISED, POSTED, customer_id="cust-2")

    assert [stages(turn) for turn in turns([*anna, *bruno])] == [
        [("cust-1", "a"), ("cust-1", "r"), ("cust-2", "a"), ("cust-2", "p")],
        [("cust-1", "p")],
    ]


def test_a_booking_after_a_reversal_in_one_batch_is_told(outbox: SqliteOutbox, tmp_path: Path) -> None:
    taken_in(outbox, [[AUTHORISED, REVERSED, POSTED]], preferences())

    with SqliteOutboxReader.open(tmp_path / "outbox.sqlite") as reader:
        assert {state: count for state, count in reader.stats().items() if count} == {"cancelled": 2, "pending": 1}


def test_a_turn_that_is_recorded_is_not_offered_again_after_an_outage(outbox: SqliteOutbox, tmp_path: Path) -> None:
    journal = Journal(outbox, fails_at=2)

    taken_in(journal, [[AUTHORISED, REVERSED, POSTED]], preferences())

    assert journal.given == [2, 1]
