"""Mandatory kinds are told whatever the customer chose; quiet hours make a notice wait, or end it."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest

from consumer.core.decision import Reason
from consumer.core.event import Channel, Direction, TransactionStatus
from consumer.core.preferences import AlertPreference, Filters, QuietHours, Repeat
from consumer.core.standing import Memory
from tests.builders import NOW, balance, euros, preferences, transaction
from tests.deciding import catalogue_with, decided, decided_for_a_stranger, in_short, in_turn, notified, only, reason

FRAUD = catalogue_with("card_not_present", mandatory=True)
PURCHASE = transaction(channel=Channel.ECOMMERCE, amount=euros("9"))
NIGHT = QuietHours(start=time(22), end=time(7))


def test_a_mandatory_kind_is_told_to_whoever_switched_it_off() -> None:
    assert in_short(decided(PURCHASE, only(), kinds=FRAUD)) == "card_not_present"


def test_a_mandatory_kind_is_told_to_whoever_refused_its_class() -> None:
    assert in_short(decided(PURCHASE, only(consents={"security": False}), kinds=FRAUD)) == "card_not_present"


def test_a_mandatory_kind_is_told_to_whoever_said_something_that_cannot_be_read() -> None:
    assert in_short(decided(PURCHASE, only().after_unreadable(), kinds=FRAUD)) == "card_not_present"


def test_a_mandatory_kind_is_told_to_a_stranger_at_once() -> None:
    notice = notified(decided_for_a_stranger(PURCHASE, FRAUD))

    assert (notice.kind, notice.not_before) == ("card_not_present", NOW)


def test_a_mandatory_kind_is_told_without_a_phone_and_waits_for_one() -> None:
    unreachable = preferences(phone=None, phone_verified=False)
    large = transaction(channel=Channel.ECOMMERCE)

    notice = notified(decided(large, unreachable, kinds=FRAUD))

    assert (notice.kind, notice.also) == ("card_not_present", ())


def test_a_mandatory_kind_is_not_narrowed_by_a_filter() -> None:
    elsewhere = AlertPreference(enabled=True, filters=Filters(directions=frozenset({Direction.CREDIT})))

    asked = preferences(alerts={"card_not_present": elsewhere})

    assert in_short(decided(PURCHASE, asked, kinds=FRAUD)) == "card_not_present"


@pytest.mark.parametrize(
    ("own", "shipped", "told"), [("20", "5000", True), ("5000", "20", True), ("300", "300", False)]
)
def test_of_a_mandatory_kind_the_threshold_counts_that_tells_more(own: str, shipped: str, told: bool) -> None:
    kinds = catalogue_with("large_debit", mandatory=True, thresholds={"EUR": Decimal(shipped)})
    asked = preferences(alerts={"large_debit": AlertPreference(enabled=False, threshold=euros(own))})

    assert (in_short(decided(transaction(), asked, kinds=kinds)) == "large_debit") is told


@pytest.mark.parametrize(("own", "used"), [("20", "50 EUR"), ("80", "80 EUR")])
def test_of_a_mandatory_balance_kind_that_is_the_higher_one(own: str, used: str) -> None:
    kinds = catalogue_with("low_balance", mandatory=True)
    asked = preferences(alerts={"low_balance": AlertPreference(enabled=True, threshold=euros(own))})

    assert notified(decided(balance(available=euros("45")), asked, kinds=kinds)).facts["threshold"] == used


@pytest.mark.parametrize("wish", [Repeat.ONCE_A_DAY, Repeat.EVERY_TIME])
def test_a_mandatory_kind_is_told_every_time_where_anybody_says_so(wish: Repeat) -> None:
    (other,) = {Repeat.ONCE_A_DAY, Repeat.EVERY_TIME} - {wish}
    kinds = catalogue_with("card_not_present", mandatory=True, repeat=other)
    asked = preferences(alerts={"card_not_present": AlertPreference(enabled=True, repeat=wish)})

    assert notified(decided(PURCHASE, asked, kinds=kinds)).facts["repeat"] == "every_time"


def test_a_mandatory_kind_that_is_told_once_a_day_stays_so_for_whoever_agrees() -> None:
    kinds = catalogue_with("card_not_present", mandatory=True, repeat=Repeat.ONCE_A_DAY)
    asked = preferences(alerts={"card_not_present": AlertPreference(enabled=True, repeat=Repeat.ONCE_A_DAY)})

    assert notified(decided(PURCHASE, asked, kinds=kinds)).facts["repeat"] == "once_a_day"


def test_a_stranger_is_judged_by_the_calendar_of_utc() -> None:
    kinds = catalogue_with("card_not_present", mandatory=True, repeat=Repeat.ONCE_A_DAY)
    notice = notified(decided_for_a_stranger(PURCHASE, kinds))

    assert [one.scope.rpartition(":")[2] for one in notice.occurrences] == ["2026-11-22", "posted"]


def test_in_quiet_hours_a_notice_waits_for_their_end() -> None:
    at_night = datetime(2026, 11, 22, 23, tzinfo=UTC)
    event = transaction(occurred_at=at_night - timedelta(minutes=1))

    notice = notified(decided(event, only("large_debit", quiet_hours=NIGHT), now=at_night))

    assert notice.not_before == datetime(2026, 11, 23, 6, tzinfo=UTC)
    assert notice.stale_at == event.occurred_at + timedelta(hours=12)


def test_a_class_that_bypasses_quiet_hours_does_not_wait() -> None:
    at_night = datetime(2026, 11, 22, 23, tzinfo=UTC)
    event = transaction(channel=Channel.ECOMMERCE, occurred_at=at_night)

    notice = notified(decided(event, preferences(quiet_hours=NIGHT), now=at_night))

    assert (notice.kind, notice.not_before) == ("card_not_present", at_night)
    assert notice.also == ("large_debit",)


@pytest.mark.parametrize(("freshness", "told"), [(timedelta(hours=7), False), (timedelta(hours=7, seconds=1), True)])
def test_what_would_be_stale_when_quiet_hours_end_is_not_told(freshness: timedelta, told: bool) -> None:
    at_night = datetime(2026, 11, 22, 23, tzinfo=UTC)
    kinds = catalogue_with("large_debit", freshness=freshness)

    decision = decided(
        transaction(occurred_at=at_night), only("large_debit", quiet_hours=NIGHT), kinds=kinds, now=at_night
    )

    assert in_short(decision) == ("large_debit" if told else Reason.QUIET_PAST_FRESHNESS)


def test_a_kind_that_is_past_its_freshness_leaves_the_notice_to_the_others() -> None:
    at_night = datetime(2026, 11, 22, 23, tzinfo=UTC)
    kinds = catalogue_with("atm_withdrawal", freshness=timedelta(hours=1))
    cash = transaction(channel=Channel.ATM, amount=euros("300"), occurred_at=at_night)

    notice = notified(decided(cash, preferences(quiet_hours=NIGHT), kinds=kinds, now=at_night))

    assert (notice.kind, notice.also) == ("large_debit", ())


def test_what_was_not_told_for_quiet_hours_may_be_told_at_its_next_stage() -> None:
    sleeper = only("large_debit", quiet_hours=QuietHours(start=time(14), end=time(13)))
    memory = Memory()

    (silent,) = in_turn([transaction(status=TransactionStatus.AUTHORISED)], sleeper, memory=memory)
    (told,) = in_turn([transaction(event_id="evt-p")], only("large_debit"), memory=memory)

    assert (reason(silent), in_short(told)) == (Reason.QUIET_PAST_FRESHNESS, "large_debit")
