"""What is stale when it is decided is recorded, so that it expires and is counted; it stands in nobody's way."""

from datetime import time, timedelta

import pytest

from consumer.core.decision import Reason
from consumer.core.event import Channel, TransactionStatus
from consumer.core.preferences import QuietHours, Repeat
from consumer.core.standing import Memory, Side
from tests.builders import NOW, balance, euros, preferences, transaction
from tests.deciding import CATALOGUE, catalogue_with, decided, in_short, in_turn, notified, only, reason, wishing

LONG_AGO = NOW - timedelta(hours=14)
JUST_NOW = NOW - timedelta(minutes=1)
LOW = only("low_balance")


def test_what_is_stale_already_is_recorded_all_the_same_so_that_it_is_counted_as_expired() -> None:
    old = transaction(occurred_at=NOW - timedelta(days=3))

    by_day = notified(decided(old))
    by_night = notified(decided(old, only("large_debit", quiet_hours=QuietHours(start=time(14), end=time(7)))))

    assert by_day.stale_at < by_day.not_before == NOW
    assert by_night.stale_at < NOW < by_night.not_before


def test_a_stale_balance_leaves_the_news_to_the_fresh_one_behind_it() -> None:
    stale = balance(event_id="evt-1", account_sequence=1, occurred_at=LONG_AGO)
    fresh = balance(event_id="evt-2", account_sequence=2, occurred_at=JUST_NOW)

    first, second = in_turn([stale, fresh], LOW)

    (change,) = notified(first).standings
    assert (change.after.side, change.after.sequence) == (Side.ABOVE, 1)
    assert in_short(second) == "low_balance"


def test_a_stale_balance_of_an_account_that_was_told_of_tells_nothing_again() -> None:
    told = balance(event_id="evt-1", account_sequence=1, occurred_at=LONG_AGO)
    late = balance(event_id="evt-2", account_sequence=2, occurred_at=LONG_AGO)
    fresh = balance(event_id="evt-3", account_sequence=3, occurred_at=JUST_NOW)
    memory = Memory()
    in_turn([told], LOW, memory=memory, now=LONG_AGO)

    later = [reason(one) for one in in_turn([late, fresh], LOW, memory=memory)]

    assert later == [Reason.NOT_RECOVERED, Reason.NOT_RECOVERED]


def test_a_stale_authorisation_leaves_the_news_to_the_fresh_booking() -> None:
    stale = transaction(event_id="evt-a", status=TransactionStatus.AUTHORISED, occurred_at=LONG_AGO)
    fresh = transaction(event_id="evt-p", occurred_at=JUST_NOW)

    first, second = in_turn([stale, fresh], only("large_debit"))

    assert notified(first).occurrences == ()
    assert in_short(second) == "large_debit"


def test_a_stale_payment_leaves_the_day_to_the_fresh_one() -> None:
    daily = wishing("large_debit", repeat=Repeat.ONCE_A_DAY)
    stale = transaction(event_id="evt-1", transaction_id="tx-1", occurred_at=NOW - timedelta(hours=12))
    fresh = transaction(event_id="evt-2", transaction_id="tx-2", occurred_at=JUST_NOW)

    assert [in_short(one) for one in in_turn([stale, fresh], daily)] == ["large_debit", "large_debit"]


@pytest.mark.parametrize(("age", "silences"), [(timedelta(hours=12), False), (timedelta(hours=11, minutes=59), True)])
def test_it_is_news_until_the_last_instant_of_its_freshness(age: timedelta, silences: bool) -> None:
    first = transaction(event_id="evt-a", status=TransactionStatus.AUTHORISED, occurred_at=NOW - age)

    _, second = in_turn([first, transaction(event_id="evt-p")], only("large_debit"))

    assert (in_short(second) == Reason.ALREADY_TOLD) is silences


def test_a_stale_kind_leaves_the_notice_to_those_that_are_still_news() -> None:
    bought = transaction(channel=Channel.ECOMMERCE, amount=euros("420"), occurred_at=NOW - timedelta(hours=1))

    notice = notified(decided(bought))

    assert (notice.kind, notice.also) == ("large_debit", ())
    assert {occurrence.kind for occurrence in notice.occurrences} == {"large_debit"}
    assert notice.stale_at > NOW


def test_of_a_balance_that_is_stale_for_one_kind_only_that_kind_may_tell_again() -> None:
    kinds = catalogue_with("overdrawn", freshness=timedelta(minutes=5))
    first = balance(event_id="evt-1", account_sequence=1, available=euros("-5"), occurred_at=NOW - timedelta(hours=1))
    second = balance(event_id="evt-2", account_sequence=2, available=euros("-6"), occurred_at=JUST_NOW)

    told = [notified(one) for one in in_turn([first, second], preferences(), kinds=kinds)]

    assert [(one.kind, one.also) for one in told] == [("low_balance", ()), ("overdrawn", ())]


def test_where_everything_is_stale_the_most_important_kind_expires() -> None:
    bought = transaction(channel=Channel.ECOMMERCE, amount=euros("420"), occurred_at=LONG_AGO)
    upside_down = type(CATALOGUE)(version="any", kinds=CATALOGUE.kinds[::-1])

    notice = notified(decided(bought, kinds=upside_down))

    assert (notice.kind, notice.also, notice.occurrences) == ("card_not_present", ("large_debit",), ())
