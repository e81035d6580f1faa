"""A balance is told when it falls below the threshold, and again only after it has been back above."""

from datetime import UTC, datetime, time, timedelta

import msgspec
import pytest

from consumer.core.decision import Decision, Reason
from consumer.core.event import AccountKind, BalanceChanged, Money
from consumer.core.preferences import AlertPreference, Preferences, QuietHours, Repeat
from consumer.core.standing import Memory, Side, Standing, StandingKey
from tests.builders import NOW, PSEUDONYMS, account, balance, euros, preferences
from tests.deciding import asked_about, catalogue_with, decided, in_short, in_turn, notified, only, reason, wishing

LOW = only("low_balance")


def at(sequence: int, available: str, **changes: object) -> BalanceChanged:
    """A balance with its place in the account's order."""
    ordinary = balance(event_id=f"evt-{sequence}", account_sequence=sequence, available=euros(available))
    return msgspec.structs.replace(ordinary, **changes)


def story(*balances: BalanceChanged, asked: Preferences = LOW) -> list[str | Reason]:
    return [in_short(decision) for decision in in_turn(balances, asked)]


def side(decision: Decision) -> Side:
    (change,) = decision.standings
    return change.after.side


def test_it_is_told_once_until_it_recovers_and_then_again() -> None:
    told = story(at(1, "40"), at(2, "30"), at(3, "80"), at(4, "20"))

    assert told == ["low_balance", Reason.NOT_RECOVERED, Reason.ABOVE_THRESHOLD, "low_balance"]


def test_a_recovery_is_remembered_in_silence() -> None:
    suppressed = in_turn([at(1, "40"), at(2, "80")], LOW)[1]

    (change,) = suppressed.standings
    assert change.before == Standing(side=Side.BELOW, sequence=1)
    assert change.after == Standing(side=Side.ABOVE, sequence=2)


def test_an_older_balance_neither_tells_nor_changes_anything() -> None:
    recovered, late = in_turn([at(5, "80"), at(4, "40")], LOW)

    assert reason(late) is Reason.OUT_OF_ORDER
    assert late.standings == ()
    assert side(recovered) is Side.ABOVE


def test_the_same_balance_again_is_out_of_order() -> None:
    assert story(at(1, "40"), at(1, "40")) == ["low_balance", Reason.OUT_OF_ORDER]


def test_without_numbers_the_instants_order_the_balances() -> None:
    first = balance(event_id="evt-1", account_sequence=None, occurred_at=NOW - timedelta(microseconds=2))
    earlier = msgspec.structs.replace(first, event_id="evt-0", occurred_at=NOW - timedelta(microseconds=3))
    later = msgspec.structs.replace(first, event_id="evt-2", occurred_at=NOW - timedelta(microseconds=1))

    assert story(first, earlier, later) == ["low_balance", Reason.OUT_OF_ORDER, Reason.NOT_RECOVERED]


def test_when_the_bank_begins_to_number_its_events_the_alerts_go_on() -> None:
    timed = balance(event_id="evt-0", account_sequence=None, available=euros("80"))

    assert story(timed, at(1, "40"), at(2, "30")) == [Reason.ABOVE_THRESHOLD, "low_balance", Reason.NOT_RECOVERED]


def test_a_recovery_that_nobody_saw_shows_in_the_balance_before() -> None:
    fell_again = at(9, "20", previous_available=euros("50"))
    went_on_falling = at(10, "10", previous_available=euros("20"))

    told = story(at(1, "40"), fell_again, went_on_falling)

    assert told == ["low_balance", "low_balance", Reason.NOT_RECOVERED]


def test_a_balance_before_in_another_currency_proves_nothing() -> None:
    odd = at(2, "20", previous_available=Money(amount=euros("60").amount, currency="USD"))

    assert story(at(1, "40"), odd) == ["low_balance", Reason.NOT_RECOVERED]


def test_a_balance_that_falls_through_both_thresholds_is_told_as_overdrawn() -> None:
    notice = notified(decided(at(1, "-20")))

    assert (notice.kind, notice.also) == ("overdrawn", ("low_balance",))
    assert {change.key.kind: change.after.side for change in notice.standings} == {
        "overdrawn": Side.BELOW,
        "low_balance": Side.BELOW,
    }


def test_each_threshold_of_an_account_has_a_standing_of_its_own() -> None:
    told = story(at(1, "40"), at(2, "-1"), at(3, "10"), at(4, "-1"), asked=preferences())

    assert told == ["low_balance", "overdrawn", Reason.NOT_RECOVERED, "overdrawn"]


def test_a_raised_threshold_is_crossed_by_the_next_balance_below_it() -> None:
    memory = Memory()
    in_turn([at(1, "80")], LOW, memory=memory)

    (after,) = in_turn([at(2, "75")], wishing("low_balance", threshold=euros("100")), memory=memory)

    assert in_short(after) == "low_balance"


def test_a_lowered_threshold_counts_the_account_as_recovered() -> None:
    memory = Memory()
    in_turn([at(1, "40")], LOW, memory=memory)

    lowered = in_turn([at(2, "35"), at(3, "25")], wishing("low_balance", threshold=euros("30")), memory=memory)

    assert [in_short(one) for one in lowered] == [Reason.ABOVE_THRESHOLD, "low_balance"]


def test_every_time_is_every_balance_below() -> None:
    told = story(at(1, "40"), at(2, "30"), at(2, "30"), asked=wishing("low_balance", repeat=Repeat.EVERY_TIME))

    assert told == ["low_balance", "low_balance", Reason.OUT_OF_ORDER]


def test_once_a_day_is_the_first_balance_below_on_each_day() -> None:
    next_day = datetime(2026, 11, 23, 9, tzinfo=UTC)
    told = in_turn(
        [at(1, "40"), at(2, "30"), at(3, "30", occurred_at=next_day)],
        wishing("low_balance", repeat=Repeat.ONCE_A_DAY),
        kinds=catalogue_with("low_balance", freshness=timedelta(days=2)),
        now=next_day,
    )

    assert [in_short(one) for one in told] == ["low_balance", Reason.ALREADY_TOLD, "low_balance"]
    assert [occurrence.amount for occurrence in notified(told[0]).occurrences] == [None]


def test_what_could_not_be_told_for_want_of_a_phone_is_told_with_the_next_balance() -> None:
    memory = Memory()
    unreachable = msgspec.structs.replace(LOW, phone_verified=False)
    (silent,) = in_turn([at(1, "40")], unreachable, memory=memory)

    (told,) = in_turn([at(2, "30")], LOW, memory=memory)

    assert (reason(silent), side(silent)) == (Reason.NO_USABLE_PHONE, Side.ABOVE)
    assert in_short(told) == "low_balance"


def test_what_would_be_stale_by_the_morning_is_told_with_the_next_balance() -> None:
    quiet = QuietHours(start=time(14), end=time(13))
    night, morning = msgspec.structs.replace(LOW, quiet_hours=quiet), LOW
    memory = Memory()

    (silent,) = in_turn([at(1, "40")], night, memory=memory)
    (told,) = in_turn([at(2, "30")], morning, memory=memory)

    assert (reason(silent), in_short(told)) == (Reason.QUIET_PAST_FRESHNESS, "low_balance")


def test_the_standing_of_a_kind_that_is_off_is_neither_asked_for_nor_kept() -> None:
    off = only("large_debit")

    assert asked_about(at(1, "40"), off).standings == frozenset()
    assert (reason(decided(at(1, "40"), off)), decided(at(1, "40"), off).standings) == (Reason.SWITCHED_OFF, ())


def test_the_account_stands_in_the_memory_as_a_pseudonym() -> None:
    (key,) = asked_about(at(1, "40"), LOW).standings

    assert key == StandingKey(customer_id="cust-1", account=PSEUDONYMS.account("acc-1"), kind="low_balance")


@pytest.mark.parametrize("available", ["-900", "10"])
def test_a_loan_is_neither_low_nor_overdrawn(available: str) -> None:
    loan = at(1, available, account=account(kind=AccountKind.LOAN))

    assert reason(decided(loan)) is Reason.NO_KIND


def test_only_the_accounts_that_the_customer_named_are_watched() -> None:
    alert = AlertPreference(enabled=True)
    filters = msgspec.structs.replace(alert.filters, account_ids=frozenset({"acc-2"}))
    mine = preferences(alerts={"low_balance": msgspec.structs.replace(alert, filters=filters)})

    assert reason(decided(at(1, "40"), mine)) is Reason.FILTERED_OUT
    assert in_short(decided(at(1, "40", account=account(id="acc-2")), mine)) == "low_balance"
