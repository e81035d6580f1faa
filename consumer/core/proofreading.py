"""Filling every text in, in every way that an event can ask for, before the first customer sees one."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from zoneinfo import ZoneInfo

from consumer.core.catalogue import AlertKind
from consumer.core.egress import refusal
from consumer.core.event import TransactionPosted
from consumer.core.ftl import SYMBOLS, Source
from consumer.core.gsm7 import fits
from consumer.core.masking import Masked, MaskedDigits, MaskedInstant, MaskedMoney, MaskedName, MaskedSymbol, at_level
from consumer.core.names import NAME_CHARACTERS_MAX, CleanName
from consumer.core.preferences import DetailLevel
from consumer.core.text import Text
from consumer.core.wording import Unformable, Wording

_ZONE = ZoneInfo("UTC")
_MONTHS = [datetime(2026, month, 28, 22, 58, tzinfo=UTC) for month in range(1, 13)]
_MONEY = MaskedMoney(amount=Decimal("-9999999.99"), currency="EUR")
_DIGITS = MaskedDigits(last_four="0000")
_NAME = MaskedName(name=CleanName("W" * NAME_CHARACTERS_MAX))

Choices = Mapping[str, tuple[Masked | None, ...]]


def proofread(source: Source, kinds: tuple[AlertKind, ...], parts_max: int) -> Iterator[str]:
    """A line for each text that is missing, cannot be formed, is too long or would not pass the guard."""
    for kind in kinds:
        for level in DetailLevel:
            problem = _problem(source, kind, level, parts_max)
            if problem is not None:
                yield problem


def _problem(source: Source, kind: AlertKind, level: DetailLevel, parts_max: int) -> str | None:
    """The first, as the others mostly are the same one again."""
    place = f"{kind.name}.{level.value}"
    if place not in source.uses:
        return f"{source.wording.language}: {place} is missing"
    used = source.uses[place]
    choices = _choices(kind.event_type, source.wording)
    places = [name for name in choices if name in used or f"has_{name}" in used or name == "occurred_at"]
    unused = {name: options[0] for name, options in choices.items() if name not in places}
    for chosen in product(*(choices[name] for name in places)):
        filled = {**unused, **dict(zip(places, chosen, strict=True))}
        values = at_level({name: value for name, value in filled.items() if value is not None}, level)
        try:
            text = source.wording.text(kind.name, level, values, _ZONE)
        except Unformable as problem:
            return f"{problem}{_where(values)}"
        fault = _fault(text, source.wording, values, parts_max)
        if fault is not None:
            return f"{source.wording.language}: {place}: {fault}{_where(values)}"
    return None


def _fault(text: Text, wording: Wording, values: Mapping[str, Masked], parts_max: int) -> str | None:
    told = {text.body[start:end] for start, end in text.spans}
    occurred = values["occurred_at"]
    assert isinstance(occurred, MaskedInstant)
    if not {wording.formats.date(occurred.at, _ZONE), wording.formats.time(occurred.at, _ZONE)} <= told:
        return "does not tell when it happened: $date and $time"
    if text.parts > parts_max or not fits(text.body):
        return f"takes {text.parts} parts at worst; at most {parts_max} are allowed"
    refused = refusal(text)
    return None if refused is None else f"would be refused by the guard: {refused}"


def _choices(event_type: str, wording: Wording) -> Choices:
    """For each value what it can be, the longest it can be; None where it can be absent."""
    at = max(_MONTHS, key=lambda month: len(wording.formats.date(month, _ZONE)))
    always: Choices = {"occurred_at": (MaskedInstant(at=at),), "account": (_DIGITS, None)}
    if event_type == TransactionPosted.__name__:
        symbols = {name: _symbols(name) for name in ("status", "channel", "direction")}
        optional: Choices = {"card": (_DIGITS, None), "counterparty": (_NAME, None), "balance": (_MONEY, None)}
        return {**always, **symbols, **optional, "amount": (_MONEY,)}
    return {**always, "reason": _symbols("reason"), "balance": (_MONEY,)}


def _symbols(name: str) -> tuple[Masked | None, ...]:
    return tuple(MaskedSymbol(symbol=symbol) for symbol in SYMBOLS[name])


def _where(values: Mapping[str, Masked]) -> str:
    """Which of an event's symbols it was, and what it had."""
    symbols = [f"{name} {value.symbol}" for name, value in values.items() if isinstance(value, MaskedSymbol)]
    shown = [f"${name}" for name, value in values.items() if not isinstance(value, MaskedSymbol | MaskedInstant)]
    return f" (of an event with {', '.join((*symbols, *shown))})"
