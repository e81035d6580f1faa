"""What of an event may be shown at each detail level, and that nothing masked can be printed."""

from collections.abc import Mapping

import pytest

from consumer.core.event import Counterparty, Event
from consumer.core.masking import (
    Masked,
    MaskedDigits,
    MaskedInstant,
    MaskedMoney,
    MaskedName,
    MaskedSymbol,
    at_level,
    masked_values,
)
from consumer.core.names import CleanName
from consumer.core.preferences import DetailLevel
from tests.builders import account, balance, euros, transaction

NONE, SOME, FULL = DetailLevel.NONE, DetailLevel.SOME, DetailLevel.FULL


def money(amount: str) -> MaskedMoney:
    return MaskedMoney(amount=euros(amount).amount, currency="EUR")


def full(event: Event) -> Mapping[str, Masked]:
    return masked_values(event, FULL)


def test_a_transaction_at_level_none_shows_when_and_on_which_card_and_account() -> None:
    event = transaction()

    assert masked_values(event, NONE) == {
        "occurred_at": MaskedInstant(at=event.occurred_at),
        "account": MaskedDigits(last_four="3456"),
        "card": MaskedDigits(last_four="4242"),
        "status": MaskedSymbol(symbol="posted"),
        "channel": MaskedSymbol(symbol="card_present"),
        "direction": MaskedSymbol(symbol="debit"),
    }


def test_level_some_adds_the_amount_only() -> None:
    event = transaction()

    added = masked_values(event, SOME).items() - masked_values(event, NONE).items()

    assert dict(added) == {"amount": money("250.00")}


def test_level_full_adds_the_counterparty_and_the_balance() -> None:
    event = transaction()

    added = masked_values(event, FULL).items() - masked_values(event, SOME).items()

    assert dict(added) == {
        "counterparty": MaskedName(name=CleanName("Libreria Manzoni")),
        "balance": money("1200.00"),
    }


def test_a_balance_shows_what_may_be_spent_at_level_full_only() -> None:
    event = balance()
    always = {
        "occurred_at": MaskedInstant(at=event.occurred_at),
        "account": MaskedDigits(last_four="3456"),
        "reason": MaskedSymbol(symbol="other"),
    }

    assert masked_values(event, NONE) == always
    assert masked_values(event, SOME) == always
    assert masked_values(event, FULL) == {**always, "balance": money("40.00")}


@pytest.mark.parametrize("lacking", ["card", "counterparty", "balance"])
def test_what_an_event_lacks_is_absent(lacking: str) -> None:
    bare = transaction(card_last_four=None, counterparty=Counterparty(), balance_after=None)

    assert lacking in full(transaction())
    assert lacking not in full(bare)


def test_a_counterparty_without_a_readable_name_is_absent() -> None:
    event = transaction(counterparty=Counterparty(name="4111 1111 1111 1111"))

    assert "counterparty" not in full(event)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("IT60X0542811101000000123456", "3456"),
        ("IT60 X054 2811 1010 0000 0123 456", "3456"),
        ("FR1420041010050500013M02606", "2606"),
        ("12345678", "5678"),
        ("1234567", "67"),
        ("1234", "34"),
        ("12-34", "34"),
        ("123", None),
        ("", None),
        ("١٢٣٤٥٦٧٨", None),
    ],
)
def test_at_least_as_much_of_an_account_number_stays_hidden_as_is_shown(number: str, shown: str | None) -> None:
    values = masked_values(transaction(account=account(number=number)), NONE)

    assert values.get("account") == (None if shown is None else MaskedDigits(last_four=shown))


@pytest.mark.parametrize("then", DetailLevel)
@pytest.mark.parametrize("now", DetailLevel)
def test_values_recorded_at_one_level_come_down_to_the_lower_of_then_and_now(
    then: DetailLevel, now: DetailLevel
) -> None:
    event = transaction()

    assert at_level(masked_values(event, then), now) == masked_values(event, then.lower_of(now))


def test_money_and_names_that_nobody_ruled_on_need_the_full_level() -> None:
    values: dict[str, Masked] = {
        "fee": money("1.50"),
        "agent": MaskedName(name=CleanName("Rossi")),
        "kind": MaskedSymbol(symbol="current"),
    }

    assert set(at_level(values, SOME)) == {"kind"}
    assert set(at_level(values, FULL)) == {"fee", "agent", "kind"}


@pytest.mark.parametrize("digits", ["IT60X0542811101000000123456", "12345", "", "12 4", "*123"])
def test_more_than_four_characters_are_not_masked(digits: str) -> None:
    with pytest.raises(ValueError, match="one to four"):
        MaskedDigits(last_four=digits)


def test_nothing_masked_is_printed() -> None:
    values = full(transaction())

    printed = f"{values} {values['amount']!s} {values['counterparty']!r}"

    for private in ("250", "1200", "Manzoni", "3456", "4242"):
        assert private not in printed
    assert "EUR" in printed
