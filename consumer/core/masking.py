"""Masking by rule: only what comes out of here can reach a text."""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from consumer.core.event import (
    BalanceChanged,
    BalanceReason,
    Channel,
    Direction,
    Event,
    Money,
    TransactionPosted,
    TransactionStatus,
)
from consumer.core.names import CleanName, cleaned
from consumer.core.preferences import DetailLevel

_SHOWN = 4
_SHORT_BELOW = 8
_SHOWN_OF_SHORT = 2


class MaskedDigits(msgspec.Struct, frozen=True, kw_only=True, tag="digits"):
    """The last four characters of a card, account or IBAN; of an account number shorter than eight, the last two."""

    last_four: str

    def __post_init__(self) -> None:
        """Refuse what is not masked."""
        if not (self.last_four.isascii() and self.last_four.isalnum() and len(self.last_four) <= _SHOWN):
            raise ValueError("last_four is not one to four letters or digits")

    def __repr__(self) -> str:
        """Nothing of it."""
        return "MaskedDigits()"


class MaskedMoney(msgspec.Struct, frozen=True, kw_only=True, tag="money"):
    """An amount that the detail level lets through."""

    amount: Decimal
    currency: str

    def __repr__(self) -> str:
        """The currency only."""
        return f"MaskedMoney(currency={self.currency!r})"


class MaskedName(msgspec.Struct, frozen=True, kw_only=True, tag="name"):
    """A counterparty's name that the detail level lets through, cleaned of card numbers, links and control characters."""

    name: CleanName

    def __repr__(self) -> str:
        """Nothing of it."""
        return "MaskedName()"


class MaskedInstant(msgspec.Struct, frozen=True, kw_only=True, tag="instant"):
    """When the event occurred, an aware UTC datetime."""

    at: datetime


class MaskedSymbol(msgspec.Struct, frozen=True, kw_only=True, tag="symbol"):
    """A symbol of one of our own closed lists (status, channel): a text selects its wording by it, and never shows it."""

    symbol: str


Masked = MaskedDigits | MaskedMoney | MaskedName | MaskedInstant | MaskedSymbol

_SEPARATORS = re.compile(r"[^0-9A-Za-z]+")
_LOWEST, _HIGHEST = DetailLevel.NONE.rank, DetailLevel.FULL.rank
_RANK_FROM = {"amount": DetailLevel.SOME.rank, "balance": _HIGHEST, "counterparty": _HIGHEST}
_REVEALING = (MaskedMoney, MaskedName)
_SYMBOLS = {
    member: MaskedSymbol(symbol=member.value)
    for members in (TransactionStatus, Channel, Direction, BalanceReason)
    for member in members
}


def masked_values(event: Event, level: DetailLevel) -> Mapping[str, Masked]:
    """All that a text about `event` may show or select by at `level`, by name; what the event lacks is absent.

    Always `occurred_at`, `account` (absent where the number is too short to hide any of it) and `card`; symbols `status`,
    `channel`, `direction` of a transaction and `reason` of a balance. From SOME on `amount`; at FULL `counterparty` and
    `balance` (available, after the event).
    """
    return at_level(_masked(event), level)


def at_level(values: Mapping[str, Masked], level: DetailLevel) -> Mapping[str, Masked]:
    """Those of `values` that `level` lets through."""
    if level is DetailLevel.FULL:
        return values
    highest = level.rank
    return {name: value for name, value in values.items() if _rank_from(name, value) <= highest}


def _rank_from(name: str, value: Masked) -> int:
    """From which level on a value may be shown; money and names that nobody ruled on, at FULL only."""
    ruled = _RANK_FROM.get(name)
    if ruled is not None:
        return ruled
    return _HIGHEST if isinstance(value, _REVEALING) else _LOWEST


def _masked(event: Event) -> Mapping[str, Masked]:
    values = {
        "occurred_at": MaskedInstant(at=event.occurred_at),
        "account": _last_of(event.account.number),
        **(_of_transaction(event) if isinstance(event, TransactionPosted) else _of_balance(event)),
    }
    return {name: value for name, value in values.items() if value is not None}


def _of_transaction(event: TransactionPosted) -> Mapping[str, Masked | None]:
    return {
        "status": _SYMBOLS[event.status],
        "channel": _SYMBOLS[event.channel],
        "direction": _SYMBOLS[event.direction],
        "amount": _money(event.amount),
        "card": None if event.card_last_four is None else MaskedDigits(last_four=event.card_last_four),
        "counterparty": _name(event.counterparty.name),
        "balance": None if event.balance_after is None else _money(event.balance_after),
    }


def _of_balance(event: BalanceChanged) -> Mapping[str, Masked | None]:
    return {"reason": _SYMBOLS[event.reason], "balance": _money(event.available)}


def _money(money: Money) -> MaskedMoney:
    return MaskedMoney(amount=money.amount, currency=money.currency)


def _name(name: str | None) -> MaskedName | None:
    clean = None if name is None else cleaned(name)
    return None if clean is None else MaskedName(name=clean)


def _last_of(number: str) -> MaskedDigits | None:
    """The last four characters, as long as at least as many stay hidden; of a shorter number two, or none at all."""
    characters = number if number.isascii() and number.isalnum() else _SEPARATORS.sub("", number)
    if len(characters) >= _SHORT_BELOW:
        return MaskedDigits(last_four=characters[-_SHOWN:])
    if len(characters) >= 2 * _SHOWN_OF_SHORT:
        return MaskedDigits(last_four=characters[-_SHOWN_OF_SHORT:])
    return None
