"""Which kind tells of an event, and why none does."""

from datetime import timedelta

import msgspec
import pytest

from consumer.core.decision import Reason, cancellation, decide
from consumer.core.event import Channel, Direction, Event, TransactionStatus
from consumer.core.preferences import AlertPreference
from consumer.core.standing import Questions
from consumer.core.weighing import weigh
from tests.builders import NOW, PSEUDONYMS, account, balance, euros, preferences, record, transaction
from tests.deciding import (
    CATALOGUE,
    asked_about,
    catalogue_with,
    decided,
    decided_for_a_stranger,
    empty,
    in_short,
    kind,
    notified,
    only,
    reason,
    wishing,
)


def test_a_large_debit_is_told_at_once_and_until_it_is_stale() -> None:
    event = transaction()

    notice = notified(decided(event))

    assert (notice.kind, notice.also) == ("large_debit", ())
    assert notice.not_before == NOW
    assert notice.stale_at == event.occurred_at + timedelta(hours=12)


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (transaction(), "large_debit"),
        (transaction(status=TransactionStatus.AUTHORISED), "large_debit"),
        (transaction(channel=Channel.ECOMMERCE, amount=euros("1")), "card_not_present"),
        (transaction(channel=Channel.ATM, amount=euros("20")), "atm_withdrawal"),
        (transaction(channel=Channel.SALARY, direction=Direction.CREDIT), "salary_received"),
        (transaction(channel=Channel.REFUND, direction=Direction.CREDIT), "refund_or_reversal"),
        (transaction(status=TransactionStatus.REVERSED), "refund_or_reversal"),
        (balance(available=euros("49.99")), "low_balance"),
        (balance(available=euros("-0.01")), "overdrawn"),
    ],
)
def test_each_kind_tells_of_what_it_is_for(event: Event, told: str) -> None:
    assert in_short(decided(event)) == told


def test_one_event_makes_one_notice_of_the_highest_class_and_the_others_count_as_told() -> None:
    event = transaction(channel=Channel.ECOMMERCE, amount=euros("420"))

    notice = notified(decided(event))

    assert (notice.kind, notice.also) == ("card_not_present", ("large_debit",))
    assert {occurrence.kind for occurrence in notice.occurrences} == {"card_not_present", "large_debit"}


def test_within_a_class_the_order_of_the_catalogue_decides() -> None:
    event = transaction(channel=Channel.ATM, amount=euros("300"))
    upside_down = msgspec.structs.replace(CATALOGUE, kinds=CATALOGUE.kinds[::-1])

    as_shipped, turned = notified(decided(event)), notified(decided(event, kinds=upside_down))

    assert (as_shipped.kind, as_shipped.also) == ("atm_withdrawal", ("large_debit",))
    assert (turned.kind, turned.also) == ("large_debit", ("atm_withdrawal",))


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (transaction(channel=Channel.TRANSFER, direction=Direction.CREDIT), Reason.NO_KIND),
        (transaction(status=TransactionStatus.DECLINED), Reason.NOT_THIS_STAGE),
        (
            transaction(channel=Channel.SALARY, direction=Direction.CREDIT, status=TransactionStatus.AUTHORISED),
            Reason.NOT_THIS_STAGE,
        ),
        (transaction(amount=msgspec.structs.replace(euros("9000"), currency="JPY")), Reason.OTHER_CURRENCY),
        (transaction(amount=euros("99.99")), Reason.BELOW_THRESHOLD),
        (balance(available=euros("50")), Reason.ABOVE_THRESHOLD),
    ],
)
def test_every_silence_has_its_reason(event: Event, why: Reason) -> None:
    assert reason(decided(event)) is why


def test_an_event_type_that_no_kind_judges_is_silent() -> None:
    without = msgspec.structs.replace(CATALOGUE, kinds=CATALOGUE.kinds_for("BalanceChanged"))

    assert reason(decided(transaction(), kinds=without)) is Reason.NO_KIND


def test_nothing_is_told_to_whoever_switched_everything_off() -> None:
    assert reason(decided(transaction(channel=Channel.ECOMMERCE), only())) is Reason.SWITCHED_OFF


def test_where_the_customer_said_nothing_the_catalogue_decides() -> None:
    silent = preferences(alerts={})

    told = decided(transaction(channel=Channel.ECOMMERCE), silent)

    assert (notified(told).kind, notified(told).also) == ("card_not_present", ())
    assert reason(decided(transaction(), silent)) is Reason.SWITCHED_OFF


def test_nothing_optional_is_told_to_a_stranger() -> None:
    assert reason(decided_for_a_stranger(transaction())) is Reason.NO_PREFERENCES


def test_nothing_optional_is_told_to_whoever_said_something_that_cannot_be_read() -> None:
    assert reason(decided(transaction(), preferences().after_unreadable())) is Reason.SUSPENDED


def test_the_reason_is_that_of_the_kind_that_came_closest() -> None:
    half_wanted = preferences(
        alerts={
            "large_debit": AlertPreference(enabled=True, threshold=euros("500")),
            "card_not_present": AlertPreference(enabled=False),
        }
    )

    assert reason(decided(transaction(channel=Channel.ECOMMERCE), half_wanted)) is Reason.BELOW_THRESHOLD


def test_a_threshold_is_met_by_its_own_amount() -> None:
    assert in_short(decided(transaction(amount=euros("100.00")))) == "large_debit"


def test_the_customers_threshold_goes_before_the_catalogues() -> None:
    careful = wishing("large_debit", threshold=euros("10"))

    facts = notified(decided(transaction(amount=euros("12.5")), careful)).facts

    assert facts["threshold"] == "10 EUR"
    assert facts["threshold_source"] == "customer"
    assert facts["amount"] == "12.5 EUR"


def test_a_threshold_says_nothing_of_another_currency() -> None:
    spender = wishing("large_debit", threshold=euros("5000"))
    dollars = msgspec.structs.replace(euros("250"), currency="USD")

    facts = notified(decided(transaction(amount=dollars), spender)).facts

    assert (facts["threshold"], facts["threshold_source"]) == ("100 USD", "catalogue")


def test_facts_hold_amounts_only_where_they_decided() -> None:
    facts = notified(decided(transaction(channel=Channel.ATM, amount=euros("20")))).facts

    assert facts == {"rule": "atm_withdrawal", "repeat": "every_time", "status": "posted"}


def test_facts_of_the_kinds_told_along_carry_their_names() -> None:
    facts = notified(decided(transaction(channel=Channel.ECOMMERCE))).facts

    assert facts["rule"] == "card_not_present"
    assert facts["large_debit.threshold"] == "100 EUR"


def test_no_fact_and_no_key_holds_an_account_or_a_name() -> None:
    event = balance(available=euros("-5"), account=account(id="acc-canary", number="IBAN-canary"))

    notice = notified(decided(event, wishing("overdrawn")))

    kept = msgspec.json.encode((notice.facts, notice.occurrences, notice.standings))
    assert b"canary" not in kept
    assert "canary" not in repr(asked_about(event, only("overdrawn", "low_balance")))


def test_a_class_that_needs_consent_is_told_only_after_a_yes() -> None:
    marketing = msgspec.structs.replace(kind("large_debit").alert_class, name="marketing", consent_required=True)
    kinds = catalogue_with("large_debit", alert_class=marketing)
    yes, no = only("large_debit", consents={"marketing": True}), only("large_debit", consents={"marketing": False})

    assert in_short(decided(transaction(), yes, kinds=kinds)) == "large_debit"
    assert reason(decided(transaction(), no, kinds=kinds)) is Reason.NO_CONSENT
    assert reason(decided(transaction(), only("large_debit"), kinds=kinds)) is Reason.NO_CONSENT


def test_whoever_refused_a_class_is_not_told_by_it_even_where_it_needs_no_consent() -> None:
    assert reason(decided(transaction(), only("large_debit", consents={"transaction": False}))) is Reason.NO_CONSENT


def test_nothing_optional_is_told_without_a_phone_that_was_verified() -> None:
    assert reason(decided(transaction(), preferences(phone_verified=False))) is Reason.NO_USABLE_PHONE


def test_nothing_has_to_be_remembered_for_an_event_that_is_silent_anyway() -> None:
    assert asked_about(transaction(amount=euros("1")), preferences()) == Questions()


@pytest.mark.parametrize(
    ("event", "undone"),
    [
        (transaction(status=TransactionStatus.REVERSED), "tx-1"),
        (transaction(status=TransactionStatus.REVERSED, original_transaction_id="tx-0"), "tx-0"),
        (transaction(channel=Channel.REFUND, direction=Direction.CREDIT, original_transaction_id="tx-0"), None),
        (transaction(status=TransactionStatus.DECLINED), None),
        (transaction(), None),
        (balance(), None),
    ],
)
def test_only_a_reversal_takes_back_what_was_to_be_told(event: Event, undone: str | None) -> None:
    found = cancellation(event, "cust-1", record().position, CATALOGUE)

    assert (found and found.transaction_id) == undone


def test_a_reversal_takes_back_no_more_than_it_gives_back() -> None:
    found = cancellation(transaction(status=TransactionStatus.REVERSED), "cust-1", record().position, CATALOGUE)

    assert found is not None
    assert (found.customer_id, found.amount, found.record) == ("cust-1", euros("250.00"), record().position)
    assert found.tolerance_ratios["large_debit"] == kind("large_debit").tolerance_ratio


def test_nobody_is_judged_by_the_preferences_of_another() -> None:
    with pytest.raises(AssertionError, match="another customer"):
        decide(weigh(transaction(), "cust-2", preferences(), CATALOGUE, PSEUDONYMS), empty(), NOW)
