"""How each alert kind looks at an event: what concerns it, and which amount it compares."""

import enum
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any

import msgspec

from consumer.core.event import (
    AccountKind,
    BalanceChanged,
    Channel,
    Direction,
    Event,
    Money,
    TransactionPosted,
    TransactionStatus,
)
from consumer.core.preferences import NO_FILTERS, Filters
from consumer.core.reason import Reason

_PAID = frozenset({TransactionStatus.AUTHORISED, TransactionStatus.POSTED})
_BOOKED = frozenset({TransactionStatus.POSTED})
_PAID_OR_UNDONE = _PAID | {TransactionStatus.REVERSED}


class Compared(enum.StrEnum):
    """What the amount of an event is held against. BELOW_* have two sides, so they have a standing."""

    NOTHING = "nothing"
    FROM_THRESHOLD = "from_threshold"
    BELOW_THRESHOLD = "below_threshold"
    BELOW_ZERO = "below_zero"


class Rule(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """What a kind looks for. `concerns` tells whether an event of `event_type` is of the sort that it speaks of at all.

    `stages`: the transaction's statuses at which it is told; empty for events that have none.
    """

    event_type: str
    concerns: Callable[[Any], bool]
    compared: Compared
    stages: frozenset[TransactionStatus] = frozenset()

    @cached_property
    def compares(self) -> bool:
        """Whether an amount decides at all."""
        return self.compared is not Compared.NOTHING

    @cached_property
    def has_threshold(self) -> bool:
        """Whether the catalogue must, and a customer may, name an amount."""
        return self.compared in {Compared.FROM_THRESHOLD, Compared.BELOW_THRESHOLD}

    @cached_property
    def has_standing(self) -> bool:
        """Whether it is about which side of a threshold an account is on, and so can be told until recovered."""
        return self.compared in {Compared.BELOW_THRESHOLD, Compared.BELOW_ZERO}


class Threshold(msgspec.Struct, frozen=True, kw_only=True):
    """What an event's amount is compared with, in the event's currency. `source`: customer, catalogue or rule."""

    amount: Decimal
    source: str

    def __repr__(self) -> str:
        """The source only: a customer's own threshold is their affair."""
        return f"Threshold(source={self.source!r})"


_ZERO = Threshold(amount=Decimal(0), source="rule")
RULES: dict[str, Rule] = {}
"""Every rule by the name that the catalogue calls it by: the name of its function."""


def _transactions(
    stages: frozenset[TransactionStatus], compared: Compared = Compared.NOTHING
) -> Callable[[Callable[[TransactionPosted], bool]], Callable[[TransactionPosted], bool]]:
    def register(concerns: Callable[[TransactionPosted], bool]) -> Callable[[TransactionPosted], bool]:
        RULES[concerns.__name__] = Rule(
            event_type=TransactionPosted.__name__, concerns=concerns, compared=compared, stages=stages
        )
        return concerns

    return register


def _balances(
    compared: Compared,
) -> Callable[[Callable[[BalanceChanged], bool]], Callable[[BalanceChanged], bool]]:
    def register(concerns: Callable[[BalanceChanged], bool]) -> Callable[[BalanceChanged], bool]:
        RULES[concerns.__name__] = Rule(event_type=BalanceChanged.__name__, concerns=concerns, compared=compared)
        return concerns

    return register


@_transactions(_PAID, Compared.FROM_THRESHOLD)
def debit_from_threshold(event: TransactionPosted) -> bool:
    """Money that leaves the account, from the threshold on."""
    return event.direction is Direction.DEBIT


@_transactions(_PAID)
def card_not_present(event: TransactionPosted) -> bool:
    """A card used at a distance, whatever the amount."""
    return event.channel is Channel.ECOMMERCE and event.direction is Direction.DEBIT


@_transactions(_PAID)
def atm_withdrawal(event: TransactionPosted) -> bool:
    """Cash from a machine."""
    return event.channel is Channel.ATM and event.direction is Direction.DEBIT


@_transactions(_BOOKED)
def salary(event: TransactionPosted) -> bool:
    """Pay that has arrived; not before it is booked."""
    return event.channel is Channel.SALARY and event.direction is Direction.CREDIT


@_transactions(_PAID_OR_UNDONE)
def refund_or_reversal(event: TransactionPosted) -> bool:
    """Money given back by a merchant, or a transaction that was undone."""
    if event.status is TransactionStatus.REVERSED:
        return True
    return event.channel is Channel.REFUND and event.direction is Direction.CREDIT


@_balances(Compared.BELOW_THRESHOLD)
def balance_below_threshold(event: BalanceChanged) -> bool:
    """Less to spend than the threshold. Of a loan there is nothing to spend."""
    return event.account.kind is not AccountKind.LOAN


@_balances(Compared.BELOW_ZERO)
def overdrawn(event: BalanceChanged) -> bool:
    """Less than nothing to spend. A loan always stands below zero."""
    return event.account.kind is not AccountKind.LOAN


def compared_money(event: Event) -> Money:
    """What of the event is held against a threshold: a transaction's amount, or what may be spent."""
    return event.amount if isinstance(event, TransactionPosted) else event.available


def threshold_of(
    rule: Rule, currency: str, catalogue: Mapping[str, Decimal], customer: Money | None, *, widest: bool
) -> Threshold | None:
    """What `rule` compares an amount of `currency` with; None if nobody named an amount in it.

    The customer's own, else the catalogue's: a threshold says nothing of other currencies. `widest`: whichever tells more.
    """
    if rule.compared is Compared.BELOW_ZERO:
        return _ZERO
    shipped = catalogue.get(currency)
    if customer is None or customer.currency != currency:
        return None if shipped is None else Threshold(amount=shipped, source="catalogue")
    tells_more = min if rule.compared is Compared.FROM_THRESHOLD else max
    if widest and shipped is not None and tells_more(shipped, customer.amount) != customer.amount:
        return Threshold(amount=shipped, source="catalogue")
    return Threshold(amount=customer.amount, source="customer")


def stage_missed(rule: Rule, event: Event) -> bool:
    """Whether the transaction stands at a stage at which this rule is silent. Balances have no stages."""
    return isinstance(event, TransactionPosted) and event.status not in rule.stages


def passes(event: Event, filters: Filters) -> bool:
    """Whether the event is among those that the customer limited the alert to; what an event lacks cannot be listed.

    Of a balance only the account can be: it has neither direction nor merchant.
    """
    if filters is NO_FILTERS or filters == NO_FILTERS:
        return True
    if filters.account_ids and event.account.id not in filters.account_ids:
        return False
    if isinstance(event, BalanceChanged):
        return True
    listed = (
        (filters.directions, event.direction),
        (filters.channels, event.channel),
        (filters.merchant_categories, event.counterparty.mcc),
        (filters.countries, event.counterparty.country),
    )
    return all(not limit or value in limit for limit, value in listed)


def amount_missed(rule: Rule, amount: Decimal, threshold: Threshold) -> Reason | None:
    """Why the amount is not on the side that `rule` tells of, or None if it is."""
    if rule.compared is Compared.FROM_THRESHOLD:
        return Reason.BELOW_THRESHOLD if amount < threshold.amount else None
    return Reason.ABOVE_THRESHOLD if amount >= threshold.amount else None
