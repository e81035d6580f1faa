"""What is remembered between events."""

from decimal import Decimal

import pytest

from consumer.core.standing import (
    Memory,
    Occurrence,
    OccurrenceKey,
    Side,
    Standing,
    StandingChange,
    StandingKey,
)

KEY = StandingKey(customer_id="cust-1", account="pseudonym", kind="low_balance")


def test_what_was_learnt_is_what_later_events_find() -> None:
    memory = Memory()
    below = Standing(side=Side.BELOW, sequence=3)
    told = Occurrence(customer_id="cust-1", kind="large_debit", scope="tx:1:posted", amount=Decimal(5), currency="EUR")

    memory.learn((StandingChange(key=KEY, before=None, after=below),), (told,))

    assert memory.standings == {KEY: below}
    assert memory.told == {OccurrenceKey(customer_id="cust-1", kind="large_debit", scope="tx:1:posted"): told}


def test_two_memories_do_not_share_what_they_learn() -> None:
    Memory().learn((StandingChange(key=KEY, before=None, after=Standing(side=Side.BELOW, sequence=3)),), ())

    assert Memory().standings == {}


@pytest.mark.parametrize(
    ("seen", "order", "newer"),
    [
        (7, 8, True),
        (7, 7, False),
        (7, 6, False),
        (1_795_000_000_000_000, 1_795_000_000_000_001, True),
        (1_795_000_000_000_000, 1_795_000_000_000_000, False),
        (1_795_000_000_000_000, 7, True),
        (7, 1_795_000_000_000_000, True),
    ],
)
def test_a_later_place_in_the_same_order_is_newer_and_another_order_begins_anew(
    seen: int, order: int, newer: bool
) -> None:
    assert Standing(side=Side.ABOVE, sequence=seen).precedes(order) is newer
