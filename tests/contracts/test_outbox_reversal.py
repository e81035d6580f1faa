from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from consumer.core.catalogue import InDoubtPolicy
from consumer.core.delivery import Trigger
from consumer.core.notice import Change
from consumer.core.standing import Questions
from consumer.ports import Recorded
from tests.builders import NOW
from tests.outboxes import (
    PATIENCE,
    UNDONE,
    OutboxBench,
    begun,
    claimed,
    doubted,
    numbered,
    once,
    recorded,
    settled,
    state,
    story,
    triggers,
)


def reversal(number: int, transaction_id: str = "tx-1", **changes: object) -> Change:
    told = numbered(number, kind="refund_or_reversal", transaction_id=transaction_id, **changes)
    return Change(notice=told, cancellation=UNDONE)


def test_a_reversal_takes_back_what_waits_and_is_not_told_itself(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1, occurrences=(once(),)), numbered(2))

    result = outboxes.outbox.record([reversal(3, occurrences=(once("tx:tx-1:reversed"),))], NOW).durable()

    assert result == Recorded(notices=1, cancelled=1)
    assert [state(outboxes.reader, number) for number in (1, 2, 3)] == ["cancelled", "pending", "cancelled"]
    assert story(outboxes.reader, 3).summary.reason == "reversed_before_told"
    questions = Questions(occurrences=frozenset({once().key, once("tx:tx-1:reversed").key}))
    assert outboxes.outbox.recall(questions).told == {}


def test_a_reversal_in_the_batch_of_its_transaction_takes_it_back(outboxes: OutboxBench) -> None:
    result = outboxes.outbox.record([Change(notice=numbered(1)), reversal(2)], NOW).durable()

    assert result == Recorded(notices=2, cancelled=1)
    assert outboxes.reader.stats()["cancelled"] == 2


def test_a_reversal_leaves_what_comes_after_it_alone(outboxes: OutboxBench) -> None:
    outboxes.outbox.record([reversal(1), Change(notice=numbered(2, transaction_id="tx-1"))], NOW).durable()

    assert [state(outboxes.reader, number) for number in (1, 2)] == ["pending", "pending"]


def test_a_claimed_notice_is_taken_back_and_can_no_longer_begin(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1))
    (claim,) = claimed(outboxes.outbox)

    outboxes.outbox.record([reversal(2)], NOW).durable()

    assert triggers(outboxes.reader) == ["recorded", "claim", "cancel"]
    assert not outboxes.outbox.settle(claim, settled(Trigger.RELEASE), NOW)


def test_a_reversal_of_what_has_begun_is_told(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1))
    begun(outboxes.outbox)

    result = outboxes.outbox.record([reversal(2)], NOW).durable()

    assert result.cancelled == 0
    assert [state(outboxes.reader, number) for number in (1, 2)] == ["sending", "pending"]


def test_a_reversal_is_told_where_the_customer_knows_of_an_earlier_stage(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1))
    begun(outboxes.outbox)
    recorded(outboxes.outbox, numbered(2, transaction_id="tx-1"))

    result = outboxes.outbox.record([reversal(3)], NOW).durable()

    assert result.cancelled == 1
    assert [state(outboxes.reader, number) for number in (1, 2, 3)] == ["sending", "cancelled", "pending"]


def test_a_notice_that_may_have_been_told_is_not_taken_back(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1, in_doubt=InDoubtPolicy.RESEND))
    doubted(outboxes.outbox, due=NOW)
    outboxes.outbox.sweep(NOW, PATIENCE)

    result = outboxes.outbox.record([reversal(2)], NOW).durable()

    assert result.cancelled == 0
    assert [state(outboxes.reader, number) for number in (1, 2)] == ["pending", "pending"]


def test_a_redelivered_reversal_does_not_take_itself_back(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1))
    begun(outboxes.outbox)
    told = reversal(2)
    outboxes.outbox.record([told], NOW).durable()

    outboxes.outbox.record([Change(cancellation=told.cancellation)], NOW).durable()

    assert state(outboxes.reader, 2) == "pending"


def test_the_same_reversal_under_its_own_id_does_not_take_back_the_one_that_names_the_payment(
    outboxes: OutboxBench,
) -> None:
    """Both tell of `tx-2`; only what undoes `tx-2` by name undoes the undoing."""
    told = numbered(1, kind="refund_or_reversal", transaction_id="tx-2")
    outboxes.outbox.record([Change(notice=told, cancellation=UNDONE)], NOW).durable()
    again, undoing = (msgspec.structs.replace(UNDONE, transaction_id="tx-2", same_id=same) for same in (True, False))

    outboxes.outbox.record([Change(cancellation=again)], NOW).durable()
    assert state(outboxes.reader, 1) == "pending"

    outboxes.outbox.record([Change(cancellation=undoing)], NOW).durable()
    assert state(outboxes.reader, 1) == "cancelled"


def test_a_reversal_that_is_not_told_still_takes_back(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1))

    result = outboxes.outbox.record([Change(cancellation=UNDONE)], NOW).durable()

    assert result == Recorded(notices=0, cancelled=1)


def test_another_customers_notice_of_the_transaction_stays(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1))

    result = outboxes.outbox.record(
        [Change(cancellation=msgspec.structs.replace(UNDONE, customer_id="cust-2"))], NOW + timedelta(seconds=1)
    ).durable()

    assert result.cancelled == 0


@pytest.mark.parametrize(
    ("told", "currency", "taken_back"),
    [
        ("250.00", "EUR", True),
        ("200.00", "EUR", True),
        ("263.15", "EUR", True),
        ("263.16", "EUR", False),
        ("900.00", "EUR", False),
        ("250.00", "USD", False),
    ],
)
def test_only_a_payment_that_is_given_back_as_a_whole_is_taken_back(
    outboxes: OutboxBench, told: str, currency: str, taken_back: bool
) -> None:
    recorded(outboxes.outbox, numbered(1, occurrences=(once(amount=Decimal(told), currency=currency),)))

    outboxes.outbox.record([reversal(2)], NOW).durable()

    expected = "cancelled" if taken_back else "pending"
    assert [state(outboxes.reader, number) for number in (1, 2)] == [expected, expected]


def test_a_reversal_of_a_part_is_told_with_what_it_leaves(outboxes: OutboxBench) -> None:
    authorised = once("tx:tx-1:authorised", amount=Decimal("250.00"), currency="EUR")
    booked = once(amount=Decimal("900.00"), currency="EUR")
    recorded(outboxes.outbox, numbered(1, occurrences=(authorised,)))
    recorded(outboxes.outbox, numbered(2, transaction_id="tx-1", occurrences=(booked,)))

    outboxes.outbox.record([reversal(3)], NOW).durable()

    assert [state(outboxes.reader, number) for number in (1, 2, 3)] == ["cancelled", "pending", "pending"]


@pytest.mark.parametrize(
    ("behind", "left"), [({"offset": 13}, "pending"), ({"offset": 12}, "cancelled"), ({"partition": 1}, "cancelled")]
)
def test_a_reversal_that_is_delivered_again_leaves_what_came_behind_it_in_its_partition(
    outboxes: OutboxBench, behind: dict[str, int], left: str
) -> None:
    booked = numbered(1, record=msgspec.structs.replace(UNDONE.record, **{"offset": 99} | behind))
    recorded(outboxes.outbox, booked)

    outboxes.outbox.record([Change(cancellation=UNDONE)], NOW).durable()

    assert state(outboxes.reader) == left
