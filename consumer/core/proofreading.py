"""Filling every text in, in every way that an event can ask for, before the first customer sees one."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import product
from zoneinfo import ZoneInfo

from consumer.core.catalogue import AlertKind
from consumer.core.egress import refusal
from consumer.core.event import (
    Account,
    AccountKind,
    BalanceChanged,
    BalanceReason,
    Channel,
    Counterparty,
    Direction,
    Event,
    Money,
    TransactionPosted,
)
from consumer.core.ftl import Source
from consumer.core.gsm7 import fits
from consumer.core.masking import Masked, MaskedInstant, MaskedSymbol, at_level, masked_values
from consumer.core.names import NAME_CHARACTERS_MAX
from consumer.core.preferences import DetailLevel
from consumer.core.rules import RULES, Rule
from consumer.core.text import Text
from consumer.core.wording import Unformable, Wording

_ZONE = ZoneInfo("UTC")
_MONTHS = [datetime(2026, month, 28, 22, 58, tzinfo=UTC) for month in range(1, 13)]
_AMOUNT = Money(amount=Decimal("9999999.99"), currency="EUR")
_BALANCE = Money(amount=-_AMOUNT.amount, currency="EUR")
_NAMED = Counterparty(name="W" * NAME_CHARACTERS_MAX)
_CARD = "0000"
_NUMBERS = ("00000000", "")

Values = Mapping[str, Masked]


def proofread(source: Source, kinds: Iterable[AlertKind], parts_max: int) -> Iterator[str]:
    """A line for each text that is missing, cannot be formed, is too long or would not pass the guard."""
    at = _longest(source.wording)
    for kind in kinds:
        for level in DetailLevel:
            place = f"{kind.name}.{level.value}"
            problem = _problem(source, kind, level, at, parts_max) if place in source.uses else "is missing"
            if problem is not None:
                yield f"{source.wording.language}: {place}: {problem}"


def _problem(source: Source, kind: AlertKind, level: DetailLevel, at: datetime, parts_max: int) -> str | None:
    """The first, as the others mostly are the same one again."""
    wording = source.wording
    occurred = {wording.formats.date(at, _ZONE), wording.formats.time(at, _ZONE)}
    for values in _fillings(kind, level, at, source.uses[f"{kind.name}.{level.value}"]):
        try:
            text = wording.text(kind.name, level, values, _ZONE)
        except Unformable as problem:
            return f"{problem.why}{_of_event(values)}"
        fault = _fault(text, occurred, parts_max)
        if fault is not None:
            return f"{fault}{_of_event(values)}"
    return None


def _fault(text: Text, occurred: set[str], parts_max: int) -> str | None:
    if not occurred <= {text.body[start:end] for start, end in text.spans}:
        return "does not tell when it happened: $date and $time"
    if text.parts > parts_max or not fits(text.body):
        return f"takes {text.parts} parts at worst; at most {parts_max} are allowed"
    refused = refusal(text)
    return None if refused is None else f"would be refused by the guard: {refused}"


def _fillings(kind: AlertKind, level: DetailLevel, at: datetime, used: frozenset[str]) -> Iterator[Values]:
    """The values of every event that the kind is told of, as far as this text can tell them apart."""
    occurred = {"occurred_at": MaskedInstant(at=at)}
    seen = set()
    for full in _full_values(kind.rule):
        values = at_level({**full, **occurred}, level)
        seen_as = frozenset((name, values[name]) for name in values if not used.isdisjoint((name, f"has_{name}")))
        if seen_as not in seen:
            seen.add(seen_as)
            yield values


@lru_cache(maxsize=len(RULES))
def _full_values(rule_name: str) -> tuple[Values, ...]:
    rule = RULES[rule_name]
    events = _EVERY[rule.event_type](rule)
    return tuple(masked_values(event, DetailLevel.FULL) for event in events if rule.concerns(event))


def _transactions(rule: Rule) -> Iterator[Event]:
    """With everything as long as can be, or absent where that may be."""
    for status, channel, direction, number, card, counterparty, balance in product(
        rule.stages, Channel, Direction, _NUMBERS, (_CARD, None), (_NAMED, Counterparty()), (_BALANCE, None)
    ):
        yield TransactionPosted(
            event_id="-",
            occurred_at=_MONTHS[0],
            customer_ids=("-",),
            account=_account(number),
            transaction_id="-",
            direction=direction,
            status=status,
            channel=channel,
            amount=_AMOUNT,
            card_last_four=card,
            counterparty=counterparty,
            balance_after=balance,
        )


def _balances(_rule: Rule) -> Iterator[Event]:
    for number, reason in product(_NUMBERS, BalanceReason):
        yield BalanceChanged(
            event_id="-",
            occurred_at=_MONTHS[0],
            customer_ids=("-",),
            account=_account(number),
            available=_BALANCE,
            reason=reason,
        )


_EVERY: Mapping[str, Callable[[Rule], Iterator[Event]]] = {
    TransactionPosted.__name__: _transactions,
    BalanceChanged.__name__: _balances,
}
"""For each event type, every event of it that a text could tell from the others."""


def _account(number: str) -> Account:
    return Account(id="-", number=number, kind=AccountKind.CURRENT, currency="EUR")


def _longest(wording: Wording) -> datetime:
    """The instant of the year that takes this language the most characters to tell."""
    return max(_MONTHS, key=lambda at: len(wording.formats.date(at, _ZONE)))


def _of_event(values: Values) -> str:
    """Which of an event's symbols it was, and what it had."""
    symbols = [f"{name} {value.symbol}" for name, value in values.items() if isinstance(value, MaskedSymbol)]
    shown = [f"${name}" for name, value in values.items() if not isinstance(value, MaskedSymbol | MaskedInstant)]
    return f" (of an event with {', '.join((*symbols, *shown))})"
