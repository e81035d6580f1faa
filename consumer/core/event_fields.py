"""The events that decoded fields tell of."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar

from consumer.core.event import (
    NAMESPACE,
    Account,
    AccountKind,
    BalanceChanged,
    BalanceReason,
    Channel,
    Counterparty,
    Direction,
    Event,
    InvalidEvent,
    Money,
    TransactionPosted,
    TransactionStatus,
)

Fields = Mapping[str, Any]


def _transaction_posted(fields: Fields) -> TransactionPosted:
    return TransactionPosted(
        event_id=fields["event_id"],
        occurred_at=fields["occurred_at"],
        customer_ids=_each_once(fields["customer_ids"]),
        account=_account(fields),
        account_sequence=fields["account_sequence"],
        transaction_id=fields["transaction_id"],
        direction=_member(Direction, fields["direction"]),
        status=_member(TransactionStatus, fields["status"]),
        channel=known(Channel, fields["channel"]),
        amount=Money(amount=fields["amount"], currency=fields["currency"]),
        original_transaction_id=fields["original_transaction_id"],
        card_last_four=fields["card_last_four"],
        counterparty=Counterparty(
            name=fields["counterparty_name"], mcc=fields["merchant_category"], country=fields["counterparty_country"]
        ),
        balance_after=_money(fields["balance_after"], fields["account_currency"]),
    )


def _balance_changed(fields: Fields) -> BalanceChanged:
    currency = fields["currency"]
    return BalanceChanged(
        event_id=fields["event_id"],
        occurred_at=fields["occurred_at"],
        customer_ids=_each_once(fields["customer_ids"]),
        account=_account(fields),
        account_sequence=fields["account_sequence"],
        available=Money(amount=fields["available"], currency=currency),
        booked=_money(fields["booked"], currency),
        previous_available=_money(fields["previous_available"], currency),
        reason=known(BalanceReason, fields["reason"]),
    )


def _each_once(customer_ids: list[str]) -> tuple[str, ...]:
    return tuple(customer_ids) if len(customer_ids) == 1 else tuple(dict.fromkeys(customer_ids))


def _account(fields: Fields) -> Account:
    return Account(
        id=fields["account_id"],
        number=fields["account_number"],
        kind=known(AccountKind, fields["account_kind"]),
        currency=fields["account_currency"],
    )


def _money(amount: Decimal | None, currency: str) -> Money | None:
    return None if amount is None else Money(amount=amount, currency=currency)


_SYMBOLS_MAX = 256
"""Remembered of each: asking an enumeration costs ten times as much, and every event asks four times."""
_Member = TypeVar("_Member", Direction, TransactionStatus)
_Known = TypeVar("_Known", Channel, BalanceReason, AccountKind)


@lru_cache(_SYMBOLS_MAX)
def _member(kind: type[_Member], symbol: str) -> _Member:
    """The member that a schema's symbol names; raises ValueError where there is none: nothing stands in for it."""
    return kind(symbol.lower())


@lru_cache(_SYMBOLS_MAX)
def known(kind: type[_Known], symbol: str) -> _Known:
    """The member that a schema's symbol names, or OTHER: a symbol may be newer than this version."""
    try:
        return kind(symbol.lower())
    except ValueError:
        return kind.OTHER


EVENT_TYPES: Mapping[str, Callable[[Fields], Event]] = {
    f"{NAMESPACE}.TransactionPosted": _transaction_posted,
    f"{NAMESPACE}.BalanceChanged": _balance_changed,
}


def event_from_fields(full_name: str, fields: Fields) -> Event:
    """The event that the decoded `fields` of a writer schema called `full_name` tell of.

    `fields` carry the names of `schemas/<Name>/v<N>.avsc`: decimals as Decimal, instants as aware datetimes, symbols as they
    stand in the schema, absent optional ones as None. Raises InvalidEvent, naming the field and the rule, never the value.
    """
    try:
        build = EVENT_TYPES[full_name]
    except KeyError:
        raise InvalidEvent("the schema's full name is no event type that this version knows") from None
    try:
        return build(fields)
    except KeyError as missing:
        raise InvalidEvent(f"field {missing.args[0]} is missing") from None
    except InvalidEvent:
        raise
    except (ValueError, TypeError, AttributeError):
        raise InvalidEvent("a field has a value or a type that its schema does not allow") from None
