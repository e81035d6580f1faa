"""What can happen at a bank, as typed facts."""

import enum
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec

CUSTOMERS_MAX = 100
"""Of one event: each is decided on by themselves, and a batch of events is decided on at once."""
ID_CHARACTERS_MAX = 511
"""No bank's are longer; those that are would fill the outbox. No customer whose id takes more bytes has preferences."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FOUR_DIGITS = re.compile(r"[0-9]{4}\Z")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")


class InvalidEvent(ValueError):
    """A decoded record that is no possible event. `args[0]` names field and rule, never the value."""


class Direction(enum.StrEnum):
    """Which way the money goes, seen from the account."""

    DEBIT = "debit"
    CREDIT = "credit"


class TransactionStatus(enum.StrEnum):
    """The stage a transaction has reached."""

    AUTHORISED = "authorised"
    POSTED = "posted"
    DECLINED = "declined"
    REVERSED = "reversed"


class Channel(enum.StrEnum):
    """How a transaction came about. OTHER stands for every symbol that this version does not know."""

    CARD_PRESENT = "card_present"
    ECOMMERCE = "ecommerce"
    ATM = "atm"
    TRANSFER = "transfer"
    DIRECT_DEBIT = "direct_debit"
    CHEQUE = "cheque"
    FEE = "fee"
    SALARY = "salary"
    REFUND = "refund"
    OTHER = "other"


class BalanceReason(enum.StrEnum):
    """Why a balance event was published. OTHER stands for every symbol that this version does not know."""

    MOVEMENT = "movement"
    HOLD = "hold"
    END_OF_DAY = "end_of_day"
    CORRECTION = "correction"
    OTHER = "other"


class AccountKind(enum.StrEnum):
    """What sort of account it is. OTHER stands for every symbol that this version does not know."""

    CURRENT = "current"
    SAVINGS = "savings"
    CARD = "card"
    LOAN = "loan"
    OTHER = "other"


class Money(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An exact amount with its ISO 4217 code. Never printed: an amount is the customer's own affair."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        """Refuse what is no amount of money."""
        if not _CURRENCY.match(self.currency):
            raise InvalidEvent("currency is not a three-letter ISO 4217 code")
        if not self.amount.is_finite():
            raise InvalidEvent("amount is not a finite number")

    def __repr__(self) -> str:
        """The currency only."""
        return f"Money(currency={self.currency!r})"


class Account(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An account. `id` is the core system's key; `number` is what the customer knows it by (IBAN or account number)."""

    id: str
    number: str
    kind: AccountKind
    currency: str

    def __repr__(self) -> str:
        """The kind only."""
        return f"Account(kind={self.kind.value!r})"


class Counterparty(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The other side of a transaction. `mcc`: four-digit merchant category; `country`: ISO 3166-1 alpha-2."""

    name: str | None = None
    mcc: str | None = None
    country: str | None = None

    def __repr__(self) -> str:
        """Nothing of it."""
        return "Counterparty()"


def _check_id(name: str, value: str) -> None:
    if not value:
        raise InvalidEvent(f"{name} is empty")
    if len(value) > ID_CHARACTERS_MAX:
        raise InvalidEvent(f"{name} is longer than {ID_CHARACTERS_MAX} characters")


class _Happened(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    event_id: str
    occurred_at: datetime
    customer_ids: tuple[str, ...]
    account: Account
    account_sequence: int | None = None

    def __post_init__(self) -> None:
        _check_id("event_id", self.event_id)
        _check_id("account_id", self.account.id)
        if self.occurred_at.tzinfo is None:
            raise InvalidEvent("occurred_at has no time zone")
        if self.occurred_at < _EPOCH:
            raise InvalidEvent("occurred_at lies before 1970")
        if not self.customer_ids:
            raise InvalidEvent("customer_ids is empty: nobody is entitled to hear of it")
        if len(self.customer_ids) > CUSTOMERS_MAX:
            raise InvalidEvent(f"customer_ids names more than {CUSTOMERS_MAX} customers")
        for customer_id in self.customer_ids:
            _check_id("one of customer_ids", customer_id)

    @property
    def order(self) -> int:
        """What orders the events of one account: its sequence, else the microsecond at which it occurred."""
        if self.account_sequence is not None:
            return self.account_sequence
        return (self.occurred_at - _EPOCH) // _MICROSECOND

    def __repr__(self) -> str:
        return f"{type(self).__name__}(event_id={self.event_id!r})"


class TransactionPosted(_Happened, frozen=True, kw_only=True, gc=False):
    """Money was authorised, moved, refused or given back on an account.

    `amount` is positive; `direction` says which way. `original_transaction_id` names the transaction that a reversal or a
    refund undoes. Source: `schemas/TransactionPosted`.
    """

    transaction_id: str
    direction: Direction
    status: TransactionStatus
    channel: Channel
    amount: Money
    original_transaction_id: str | None = None
    card_last_four: str | None = None
    counterparty: Counterparty = Counterparty()
    balance_after: Money | None = None

    def __post_init__(self) -> None:
        """Refuse what is no possible transaction."""
        super().__post_init__()
        _check_id("transaction_id", self.transaction_id)
        if self.original_transaction_id:
            _check_id("original_transaction_id", self.original_transaction_id)
        if self.amount.amount < 0:
            raise InvalidEvent("amount is negative; direction tells which way the money goes")
        if self.card_last_four is not None and not _FOUR_DIGITS.match(self.card_last_four):
            raise InvalidEvent("card_last_four is not four digits")


class BalanceChanged(_Happened, frozen=True, kw_only=True, gc=False):
    """The balance of an account as of now. `available` is what may be spent, `booked` what the ledger holds."""

    available: Money
    booked: Money | None = None
    previous_available: Money | None = None
    reason: BalanceReason = BalanceReason.OTHER


Event = TransactionPosted | BalanceChanged

NAMESPACE = "bank.events.v1"


def event_type(event: Event) -> str:
    """The short name of an event's type, as the catalogue and the event key use it."""
    return type(event).__name__
