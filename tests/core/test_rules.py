"""What concerns each rule, and what a customer's filters leave of it."""

import pytest

from consumer.core.decision import Reason
from consumer.core.event import Channel, Counterparty, Direction, Event, TransactionStatus
from consumer.core.preferences import Filters
from consumer.core.rules import RULES, Rule, passes
from tests.builders import account, balance, transaction
from tests.deciding import CATALOGUE, decided, in_short, only, reason, wishing

CREDIT = Direction.CREDIT


@pytest.mark.parametrize(
    ("rule", "event", "concerned"),
    [
        ("debit_from_threshold", transaction(), True),
        ("debit_from_threshold", transaction(direction=CREDIT), False),
        ("card_not_present", transaction(channel=Channel.ECOMMERCE), True),
        ("card_not_present", transaction(channel=Channel.ECOMMERCE, direction=CREDIT), False),
        ("card_not_present", transaction(channel=Channel.CARD_PRESENT), False),
        ("atm_withdrawal", transaction(channel=Channel.ATM), True),
        ("atm_withdrawal", transaction(channel=Channel.ATM, direction=CREDIT), False),
        ("salary", transaction(channel=Channel.SALARY, direction=CREDIT), True),
        ("salary", transaction(channel=Channel.SALARY), False),
        ("salary", transaction(channel=Channel.TRANSFER, direction=CREDIT), False),
        ("refund_or_reversal", transaction(channel=Channel.REFUND, direction=CREDIT), True),
        ("refund_or_reversal", transaction(channel=Channel.REFUND), False),
        ("refund_or_reversal", transaction(status=TransactionStatus.REVERSED), True),
        ("balance_below_threshold", balance(), True),
        ("overdrawn", balance(), True),
    ],
)
def test_a_rule_is_concerned_by_its_own_sort_of_event(rule: str, event: Event, concerned: bool) -> None:
    assert RULES[rule].concerns(event) is concerned


@pytest.mark.parametrize("kind", [kind.name for kind in CATALOGUE.kinds_for("TransactionPosted")])
@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("direction", list(Direction))
def test_what_was_declined_is_never_told(kind: str, channel: Channel, direction: Direction) -> None:
    refused = transaction(status=TransactionStatus.DECLINED, channel=channel, direction=direction)

    assert reason(decided(refused, only(kind))) in {Reason.NO_KIND, Reason.NOT_THIS_STAGE, Reason.SWITCHED_OFF}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_only_balances_have_a_standing_and_only_transactions_stages(rule: Rule) -> None:
    assert rule.has_standing == (rule.event_type == "BalanceChanged")
    assert bool(rule.stages) == (rule.event_type == "TransactionPosted")


FILTERED = transaction(counterparty=Counterparty(name="Libreria", mcc="5942", country="IT"))


@pytest.mark.parametrize(
    ("filters", "passed"),
    [
        (Filters(), True),
        (Filters(directions=frozenset({Direction.DEBIT})), True),
        (Filters(directions=frozenset({CREDIT})), False),
        (Filters(channels=frozenset({Channel.CARD_PRESENT, Channel.ATM})), True),
        (Filters(channels=frozenset({Channel.ATM})), False),
        (Filters(merchant_categories=frozenset({"5942"})), True),
        (Filters(merchant_categories=frozenset({"5411"})), False),
        (Filters(countries=frozenset({"IT", "DE"})), True),
        (Filters(countries=frozenset({"DE"})), False),
        (Filters(account_ids=frozenset({"acc-1"})), True),
        (Filters(account_ids=frozenset({"acc-2"})), False),
        (Filters(countries=frozenset({"IT"}), channels=frozenset({Channel.ATM})), False),
    ],
)
def test_a_filter_lets_through_what_it_lists(filters: Filters, passed: bool) -> None:
    assert passes(FILTERED, filters) is passed
    told = in_short(decided(FILTERED, wishing("large_debit", filters=filters)))
    assert told == ("large_debit" if passed else Reason.FILTERED_OUT)


@pytest.mark.parametrize(
    "filters", [Filters(countries=frozenset({"IT"})), Filters(merchant_categories=frozenset({"5942"}))]
)
def test_what_an_event_does_not_say_cannot_be_listed(filters: Filters) -> None:
    assert not passes(transaction(counterparty=Counterparty()), filters)


def test_a_balance_can_only_be_filtered_by_its_account() -> None:
    no_such = Filters(
        directions=frozenset({CREDIT}), channels=frozenset({Channel.ATM}), account_ids=frozenset({"acc-1"})
    )

    assert passes(balance(), no_such)
    assert not passes(balance(account=account(id="acc-2")), no_such)
