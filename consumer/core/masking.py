"""Masking by rule: only what comes out of here can reach a text."""

from datetime import datetime
from decimal import Decimal

import msgspec


class MaskedDigits(msgspec.Struct, frozen=True, kw_only=True, tag="digits"):
    """The last four characters of a card, account or IBAN."""

    last_four: str


class MaskedMoney(msgspec.Struct, frozen=True, kw_only=True, tag="money"):
    """An amount that the detail level lets through."""

    amount: Decimal
    currency: str


class MaskedName(msgspec.Struct, frozen=True, kw_only=True, tag="name"):
    """A counterparty's name that the detail level lets through, cleaned of card numbers, links and control characters."""

    name: str


class MaskedInstant(msgspec.Struct, frozen=True, kw_only=True, tag="instant"):
    """When the event occurred, an aware UTC datetime."""

    at: datetime


class MaskedSymbol(msgspec.Struct, frozen=True, kw_only=True, tag="symbol"):
    """A symbol of one of our own closed lists (status, channel): a text selects its wording by it, and never shows it."""

    symbol: str


Masked = MaskedDigits | MaskedMoney | MaskedName | MaskedInstant | MaskedSymbol
