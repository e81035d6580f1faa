"""From decoded fields to events: complete, exact, or refused without a word of what they hold."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from consumer.core.event import (
    AccountKind,
    BalanceChanged,
    BalanceReason,
    Channel,
    Direction,
    InvalidEvent,
    Money,
    TransactionPosted,
    TransactionStatus,
    event_type,
)
from consumer.core.event_fields import EVENT_TYPES, event_from_fields
from tests.builders import account, balance, euros, transaction

AT = datetime(2026, 11, 22, 13, 30, 0, 123_457, tzinfo=UTC)
HAPPENED: Mapping[str, Any] = {
    "event_id": "evt-1",
    "occurred_at": AT,
    "customer_ids": ["cust-1", "cust-2", "cust-1"],
    "account_id": "acc-1",
    "account_number": "IT60X0542811101000000123456",
    "account_kind": "SAVINGS",
    "account_currency": "EUR",
    "account_sequence": None,
}
TRANSACTION: Mapping[str, Any] = {
    **HAPPENED,
    "transaction_id": "tx-1",
    "original_transaction_id": None,
    "amount": Decimal("12.5000"),
    "currency": "USD",
    "direction": "DEBIT",
    "status": "AUTHORISED",
    "channel": "ECOMMERCE",
    "card_last_four": "4242",
    "counterparty_name": "Libreria",
    "merchant_category": "5942",
    "counterparty_country": "IT",
    "balance_after": Decimal("800.0000"),
}
BALANCE: Mapping[str, Any] = {
    **HAPPENED,
    "available": Decimal("-3.0000"),
    "currency": "EUR",
    "booked": None,
    "previous_available": Decimal("9.0000"),
    "reason": "END_OF_DAY",
}
TRANSACTION_NAME, BALANCE_NAME = "bank.events.v1.TransactionPosted", "bank.events.v1.BalanceChanged"


def refusal(full_name: str, fields: Mapping[str, Any]) -> str:
    with pytest.raises(InvalidEvent) as refused:
        event_from_fields(full_name, fields)
    return str(refused.value)


def test_a_transaction_is_read_whole() -> None:
    event = event_from_fields(TRANSACTION_NAME, TRANSACTION)

    assert isinstance(event, TransactionPosted)
    assert event.customer_ids == ("cust-1", "cust-2")
    assert event.amount == Money(amount=Decimal("12.5000"), currency="USD")
    assert event.balance_after == Money(amount=Decimal("800.0000"), currency="EUR")
    assert (event.direction, event.status) == (Direction.DEBIT, TransactionStatus.AUTHORISED)
    assert (event.channel, event.account.kind) == (Channel.ECOMMERCE, AccountKind.SAVINGS)
    assert (event.counterparty.mcc, event.counterparty.country) == ("5942", "IT")


def test_a_transaction_may_leave_the_balance_out() -> None:
    event = event_from_fields(TRANSACTION_NAME, {**TRANSACTION, "balance_after": None})

    assert isinstance(event, TransactionPosted)
    assert event.balance_after is None


def test_a_balance_is_read_whole() -> None:
    event = event_from_fields(BALANCE_NAME, BALANCE)

    assert isinstance(event, BalanceChanged)
    assert event.available == euros("-3.0000")
    assert (event.booked, event.previous_available) == (None, euros("9.0000"))
    assert event.reason is BalanceReason.END_OF_DAY


@pytest.mark.parametrize("field", ["channel", "account_kind"])
def test_a_symbol_newer_than_this_version_is_other(field: str) -> None:
    event = event_from_fields(TRANSACTION_NAME, {**TRANSACTION, field: "TELEPATHY"})

    assert isinstance(event, TransactionPosted)
    assert (event.channel is Channel.OTHER) is (field == "channel")
    assert (event.account.kind is AccountKind.OTHER) is (field == "account_kind")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"event_id": ""}, "event_id is empty"),
        ({"account_id": ""}, "account_id is empty"),
        ({"transaction_id": ""}, "transaction_id is empty"),
        ({"customer_ids": []}, "customer_ids is empty: nobody is entitled to hear of it"),
        ({"customer_ids": [f"cust-{number}" for number in range(101)]}, "customer_ids names more than 100 customers"),
        ({"customer_ids": ["cust-1", ""]}, "one of customer_ids is empty"),
        ({"event_id": "e" * 512}, "event_id is longer than 511 characters"),
        ({"account_id": "a" * 512}, "account_id is longer than 511 characters"),
        ({"transaction_id": "t" * 512}, "transaction_id is longer than 511 characters"),
        ({"original_transaction_id": "t" * 512}, "original_transaction_id is longer than 511 characters"),
        ({"customer_ids": ["cust-1", "c" * 512]}, "one of customer_ids is longer than 511 characters"),
        ({"occurred_at": AT.replace(tzinfo=None)}, "occurred_at has no time zone"),
        ({"occurred_at": datetime(1969, 12, 31, tzinfo=UTC)}, "occurred_at lies before 1970"),
        ({"amount": Decimal(-1)}, "amount is negative; direction tells which way the money goes"),
        ({"amount": Decimal("Infinity")}, "amount is not a finite number"),
        ({"currency": "eur"}, "currency is not a three-letter ISO 4217 code"),
        ({"currency": "EUR\n"}, "currency is not a three-letter ISO 4217 code"),
        ({"card_last_four": "4242424242424242"}, "card_last_four is not four digits"),
        ({"card_last_four": "٤٢٤٢"}, "card_last_four is not four digits"),
        ({"direction": "SIDEWAYS"}, "a field has a value or a type that its schema does not allow"),
        ({"status": "GUESSED"}, "a field has a value or a type that its schema does not allow"),
        ({"customer_ids": None}, "a field has a value or a type that its schema does not allow"),
        ({"channel": 7}, "a field has a value or a type that its schema does not allow"),
    ],
)
def test_what_is_no_possible_transaction_is_refused_by_its_rule(change: Mapping[str, Any], problem: str) -> None:
    assert refusal(TRANSACTION_NAME, {**TRANSACTION, **change}) == problem


@pytest.mark.parametrize("field", ["event_id", "account_id", "transaction_id", "original_transaction_id"])
def test_an_id_of_511_characters_is_one(field: str) -> None:
    event_from_fields(TRANSACTION_NAME, {**TRANSACTION, field: "x" * 511})


def test_a_field_that_is_missing_is_named() -> None:
    without = {name: value for name, value in TRANSACTION.items() if name != "status"}

    assert refusal(TRANSACTION_NAME, without) == "field status is missing"


def test_a_schema_that_names_no_event_type_is_refused() -> None:
    assert "no event type" in refusal("bank.events.v1.LoanGranted", TRANSACTION)


def test_an_event_type_is_called_by_its_short_name() -> None:
    assert [event_type(transaction()), event_type(balance())] == ["TransactionPosted", "BalanceChanged"]
    assert {name.rpartition(".")[2] for name in EVENT_TYPES} == {"TransactionPosted", "BalanceChanged"}


def test_events_are_ordered_by_their_number_else_by_the_exact_microsecond() -> None:
    numbered = balance(account_sequence=9)
    instants = [balance(account_sequence=None, occurred_at=AT + timedelta(microseconds=step)) for step in range(1000)]

    assert numbered.order == 9
    assert [event.order - instants[0].order for event in instants] == list(range(1000))


def test_nothing_private_is_printed() -> None:
    event = transaction(event_id="evt-7")

    assert repr(event) == "TransactionPosted(event_id='evt-7')"
    assert repr(event.amount) == "Money(currency='EUR')"
    assert repr(event.counterparty) == "Counterparty()"
    assert repr(account()) == "Account(kind='current')"
