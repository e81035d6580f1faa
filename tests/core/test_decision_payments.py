"""One payment goes through several stages and is told once, unless it turns out to be another amount."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from consumer.core.decision import Reason
from consumer.core.event import Channel, Direction, Money, TransactionStatus
from consumer.core.preferences import Repeat
from consumer.core.standing import Memory, Occurrence
from tests.builders import account, euros, preferences, transaction
from tests.deciding import CATALOGUE, asked_about, decided, in_short, in_turn, notified, only, reason, wishing

AUTHORISED = transaction(event_id="evt-a", status=TransactionStatus.AUTHORISED)
POSTED = transaction(event_id="evt-p")


def test_a_booking_is_not_told_again_after_its_authorisation() -> None:
    first, second = in_turn([AUTHORISED, POSTED])

    assert notified(first).kind == "large_debit"
    assert reason(second) is Reason.ALREADY_TOLD


@pytest.mark.parametrize(
    ("amount", "told_again"),
    [("262.50", False), ("262.51", True), ("237.50", False), ("237.49", True), ("250.00", False)],
)
def test_a_booking_is_told_again_if_it_differs_by_more_than_the_tolerance(amount: str, told_again: bool) -> None:
    booked = transaction(event_id="evt-p", amount=euros(amount))

    _, second = in_turn([AUTHORISED, booked], only("large_debit"))

    assert (in_short(second) == "large_debit") is told_again


def test_a_booking_that_is_told_again_says_what_it_was_compared_with() -> None:
    _, second = in_turn([AUTHORISED, transaction(event_id="evt-p", amount=euros("300"))])

    facts = notified(second).facts
    assert (facts["amount"], facts["told_amount"], facts["tolerance_ratio"]) == ("300 EUR", "250.00 EUR", "0.05")


def test_a_booking_in_another_currency_is_other_news() -> None:
    in_dollars = transaction(event_id="evt-p", amount=Money(amount=Decimal("250.00"), currency="USD"))

    _, second = in_turn([AUTHORISED, in_dollars])

    assert in_short(second) == "large_debit"


def test_any_difference_is_other_news_for_an_authorisation_of_nothing() -> None:
    check = transaction(
        event_id="evt-a", status=TransactionStatus.AUTHORISED, channel=Channel.ECOMMERCE, amount=euros("0")
    )
    booked = transaction(event_id="evt-p", channel=Channel.ECOMMERCE, amount=euros("0.01"))

    assert [in_short(one) for one in in_turn([check, booked])] == ["card_not_present", "card_not_present"]


def test_a_booking_whose_authorisation_was_too_small_to_tell_is_told() -> None:
    small = transaction(event_id="evt-a", status=TransactionStatus.AUTHORISED, amount=euros("1"))

    first, second = in_turn([small, POSTED])

    assert (in_short(first), in_short(second)) == (Reason.BELOW_THRESHOLD, "large_debit")


def test_an_authorisation_that_comes_after_its_booking_is_old_news_whatever_its_amount() -> None:
    late = transaction(event_id="evt-a", status=TransactionStatus.AUTHORISED, amount=euros("900"))

    assert reason(in_turn([POSTED, late])[1]) is Reason.ALREADY_TOLD


@pytest.mark.parametrize("stage", [TransactionStatus.AUTHORISED, TransactionStatus.POSTED])
def test_a_stage_is_told_once_even_if_a_second_event_names_another_amount(stage: TransactionStatus) -> None:
    once = transaction(event_id="evt-1", status=stage)
    again = transaction(event_id="evt-2", status=stage, amount=euros("900"))

    assert reason(in_turn([once, again])[1]) is Reason.ALREADY_TOLD


ONLINE = {"channel": Channel.ECOMMERCE}


@pytest.mark.parametrize(
    ("authorised", "booked", "told"),
    [
        ("99", "101", Reason.ALREADY_TOLD),
        ("99", "103.95", Reason.ALREADY_TOLD),
        ("99", "103.96", "card_not_present"),
        ("110", "95", "card_not_present"),
    ],
)
def test_a_payment_is_told_once_whichever_kind_its_booking_would_be_told_by(
    authorised: str, booked: str, told: str | Reason
) -> None:
    ordered = transaction(event_id="evt-a", status=TransactionStatus.AUTHORISED, amount=euros(authorised), **ONLINE)
    posted = transaction(event_id="evt-p", amount=euros(booked), **ONLINE)

    _, second = in_turn([ordered, posted], only("card_not_present", "large_debit"))

    assert in_short(second) == told


def test_a_booking_that_only_a_second_kind_tells_of_is_compared_with_what_the_first_one_told() -> None:
    ordered = transaction(event_id="evt-a", status=TransactionStatus.AUTHORISED, amount=euros("99"), **ONLINE)
    memory = Memory()
    in_turn([ordered], only("card_not_present"), memory=memory)

    (dearer,) = in_turn([transaction(event_id="evt-p", amount=euros("150"))], only("large_debit"), memory=memory)

    notice = notified(dearer)
    assert (notice.kind, notice.facts["told_amount"]) == ("large_debit", "99 EUR")


def test_an_authorisation_after_its_booking_is_old_news_whichever_kind_told_of_that() -> None:
    booked = transaction(event_id="evt-p", amount=euros("99"), **ONLINE)
    late = transaction(event_id="evt-a", status=TransactionStatus.AUTHORISED, amount=euros("300"))

    assert reason(in_turn([booked, late])[1]) is Reason.ALREADY_TOLD


def test_a_reversal_is_news_of_its_own_and_told_once() -> None:
    undone = transaction(event_id="evt-r", status=TransactionStatus.REVERSED)
    again = transaction(event_id="evt-s", status=TransactionStatus.REVERSED)

    decisions = in_turn([AUTHORISED, POSTED, undone, again])

    told = [in_short(one) for one in decisions]
    assert told == ["large_debit", Reason.ALREADY_TOLD, "refund_or_reversal", Reason.ALREADY_TOLD]


def test_a_refund_that_was_announced_is_not_told_again_when_it_is_booked() -> None:
    announced = transaction(
        event_id="evt-a", status=TransactionStatus.AUTHORISED, channel=Channel.REFUND, direction=Direction.CREDIT
    )
    booked = msgspec.structs.replace(announced, event_id="evt-p", status=TransactionStatus.POSTED)

    told = [in_short(one) for one in in_turn([announced, booked])]

    assert told == ["refund_or_reversal", Reason.ALREADY_TOLD]


def test_what_was_told_of_one_payment_says_nothing_of_another() -> None:
    other = transaction(event_id="evt-2", transaction_id="tx-2")

    assert [in_short(one) for one in in_turn([POSTED, other])] == ["large_debit", "large_debit"]


def test_what_was_told_without_an_amount_covers_any_booking() -> None:
    told = Occurrence(customer_id="cust-1", kind="large_debit", scope="tx:tx-1:authorised")

    assert reason(decided(POSTED, memory=Memory(told={told.key: told}))) is Reason.ALREADY_TOLD


def test_once_a_day_is_one_text_per_account_and_day_on_the_customers_calendar() -> None:
    daily = wishing("large_debit", repeat=Repeat.ONCE_A_DAY)
    before_midnight = datetime(2026, 11, 21, 22, 50, tzinfo=UTC)
    after_midnight = datetime(2026, 11, 21, 23, 10, tzinfo=UTC)
    purchases = [
        transaction(event_id="evt-1", transaction_id="tx-1", occurred_at=before_midnight),
        transaction(event_id="evt-2", transaction_id="tx-2", occurred_at=before_midnight),
        transaction(event_id="evt-3", transaction_id="tx-3", occurred_at=after_midnight),
        transaction(event_id="evt-4", transaction_id="tx-4", occurred_at=after_midnight, account=account(id="acc-2")),
    ]

    told = [in_short(one) for one in in_turn(purchases, daily, now=after_midnight)]

    assert told == ["large_debit", Reason.ALREADY_TOLD, "large_debit", "large_debit"]


def test_a_payment_cannot_recover_so_that_wish_leaves_it_to_the_catalogue() -> None:
    odd = wishing("large_debit", repeat=Repeat.UNTIL_RECOVERED)

    assert notified(decided(POSTED, odd)).facts["repeat"] == "every_time"


def test_holders_of_a_joint_account_are_told_each_by_what_they_asked_for() -> None:
    anna = only("large_debit")
    bruno = msgspec.structs.replace(wishing("large_debit", threshold=euros("1000")), customer_id="cust-2")
    carla = msgspec.structs.replace(preferences(), customer_id="cust-3")
    memory = Memory()

    told = [in_short(in_turn([POSTED], holder, memory=memory)[0]) for holder in (anna, bruno, carla)]

    assert told == ["large_debit", Reason.BELOW_THRESHOLD, "large_debit"]


def test_only_the_stages_that_could_keep_it_silent_are_asked_about() -> None:
    scopes = {key.scope for key in asked_about(POSTED, only("large_debit")).occurrences}
    undone = transaction(status=TransactionStatus.REVERSED)

    assert scopes == {"tx:tx-1:authorised", "tx:tx-1:posted"}
    assert {key.kind for key in asked_about(POSTED, only("large_debit")).occurrences if "authorised" in key.scope} == {
        kind.name for kind in CATALOGUE.kinds_for("TransactionPosted") if kind.name != "salary_received"
    }
    assert {key.scope for key in asked_about(undone, preferences()).occurrences} == {"tx:tx-1:reversed"}
