"""What holds of decisions in a row: nothing twice, nothing old, nobody instead of another."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.core.catalogue import Catalogue
from consumer.core.decision import Notify, Reason, Suppress, decide
from consumer.core.event import Event, TransactionStatus
from consumer.core.preferences import Preferences
from consumer.core.standing import Memory
from consumer.core.weighing import weigh
from tests.builders import NOW, PSEUDONYMS, balance, euros, transaction
from tests.deciding import CATALOGUE, empty, in_short, in_turn, only
from tests.properties.deciding_strategies import AMOUNTS, BALANCES, catalogues, customers, events

LAW = settings(max_examples=40, deadline=None)
ROWS = st.lists(events(numbered=True), min_size=1, max_size=10)


@given(ROWS, customers(), catalogues())
@LAW
def test_what_was_told_is_not_told_again_when_it_is_delivered_again(
    row: Sequence[Event], customer: Preferences, kinds: Catalogue
) -> None:
    memory = empty()
    decisions = in_turn(row, customer, kinds=kinds, memory=memory)

    for event, first in zip(row, decisions, strict=True):
        again = decide(weigh(event, "cust-1", customer, kinds, PSEUDONYMS), memory, NOW)
        assert isinstance(first, Suppress) or isinstance(again, Suppress) or again.stale_at <= NOW


@given(ROWS, customers(), catalogues())
@LAW
def test_what_was_asked_about_is_all_that_a_decision_needs_to_remember(
    row: Sequence[Event], customer: Preferences, kinds: Catalogue
) -> None:
    everything = empty()
    with_everything = []
    for event in row:
        decision = decide(weigh(event, "cust-1", customer, kinds, PSEUDONYMS), everything, NOW)
        everything.learn(decision.standings, decision.occurrences if isinstance(decision, Notify) else ())
        with_everything.append(decision)

    assert in_turn(row, customer, kinds=kinds) == with_everything


@given(ROWS, customers(), customers(), catalogues())
@LAW
def test_holders_of_a_joint_account_do_not_notice_each_other(
    row: Sequence[Event], anna: Preferences, other: Preferences, kinds: Catalogue
) -> None:
    bruno = msgspec.structs.replace(other, customer_id="cust-2")
    shared = empty()

    together = [in_turn([event], holder, kinds=kinds, memory=shared) for event in row for holder in (anna, bruno)]

    assert [one for (one,) in together[::2]] == in_turn(row, anna, kinds=kinds)
    assert [one for (one,) in together[1::2]] == in_turn(row, bruno, kinds=kinds)


@given(ROWS, customers(), catalogues())
@LAW
def test_every_change_of_a_standing_starts_from_what_is_remembered(
    row: Sequence[Event], customer: Preferences, kinds: Catalogue
) -> None:
    memory = Memory()
    for event in row:
        standings = dict(memory.standings)
        (decision,) = in_turn([event], customer, kinds=kinds, memory=memory)
        assert all(standings.get(change.key) == change.before for change in decision.standings)
        assert all(
            change.before is None or change.after.sequence > change.before.sequence for change in decision.standings
        )


SEEN = st.lists(st.tuples(st.integers(1, 8), BALANCES), max_size=12)


@given(SEEN)
@LAW
def test_a_low_balance_is_told_by_this_rule_and_no_other(seen: Sequence[tuple[int, Decimal]]) -> None:
    expected: list[str | Reason] = []
    latest, low = 0, False
    for order, available in seen:
        if order <= latest:
            expected.append(Reason.OUT_OF_ORDER)
            continue
        was_low, low, latest = low, available < 50, order
        expected.append((Reason.NOT_RECOVERED if was_low else "low_balance") if low else Reason.ABOVE_THRESHOLD)

    row = [
        balance(event_id=f"evt-{place}", account_sequence=order, available=euros(str(available)))
        for place, (order, available) in enumerate(seen)
    ]

    assert [in_short(one) for one in in_turn(row, only("low_balance"))] == expected


@given(AMOUNTS, AMOUNTS)
@LAW
def test_a_booking_is_told_after_its_authorisation_exactly_if_it_is_beyond_the_tolerance(
    authorised: Decimal, booked: Decimal
) -> None:
    tolerance = CATALOGUE.kind("large_debit").tolerance_ratio
    stages = [
        transaction(event_id="evt-a", status=TransactionStatus.AUTHORISED, amount=euros(str(authorised))),
        transaction(event_id="evt-p", amount=euros(str(booked))),
    ]

    told = [isinstance(one, Notify) for one in in_turn(stages, only("large_debit"))]

    large = [authorised >= 100, booked >= 100]
    beyond = abs(booked - authorised) > authorised * tolerance
    assert told == [large[0], large[1] and (not large[0] or beyond)]
