"""The texts of one language: what its translator wrote, and how values are put into it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from zoneinfo import ZoneInfo

from fluent.runtime import FluentBundle
from fluent.runtime.errors import FluentReferenceError

from consumer.core.formats import Formats
from consumer.core.gsm7 import parts, plain, to_gsm7
from consumer.core.masking import Masked, MaskedDigits, MaskedInstant, MaskedMoney, MaskedName, MaskedSymbol
from consumer.core.names import cleaned
from consumer.core.preferences import DetailLevel
from consumer.core.text import Text

OPTIONAL = ("amount", "account", "card", "counterparty", "balance")
"""What an event, or a level, may lack: each has a flag beside it (`$has_card`), `yes` or `no`."""
_OURS = "\ue000{}\ue001"
_NAME = "\ue002{}\ue003"
_MARKED = re.compile("\ue000([^\ue001]*)\ue001|\ue002([^\ue003]*)\ue003")


class Unformable(Exception):
    """A text that cannot be formed: a kind told of an event that it was never checked with. `why` holds no value."""

    def __init__(self, place: str, why: str) -> None:
        """`place`: language, kind and level."""
        super().__init__(f"{place}: {why}")
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One language. `gsm7`: its own words need no UCS-2, so names are not to cost it either."""

    language: str
    bundle: FluentBundle
    formats: Formats
    bank: str
    gsm7: bool

    def text(self, kind: str, level: DetailLevel, values: Mapping[str, Masked], zone: ZoneInfo) -> Text:
        """The text of `kind` as written for `level`. Raises Unformable, which names the text and not what was to fill it."""
        place = f"{self.language}: {kind}.{level.value}"
        try:
            pattern = self.bundle.get_message(kind).attributes[level.value]
        except LookupError:
            raise Unformable(place, "is not written") from None
        marked, errors = self.bundle.format_pattern(pattern, self._arguments(values, zone))
        if errors or not isinstance(marked, str):
            raise Unformable(place, "; ".join(map(_unprivate, errors)))
        return _assembled(marked, self.language)

    def _arguments(self, values: Mapping[str, Masked], zone: ZoneInfo) -> dict[str, str]:
        """Everything that a text may refer to: strings only, so that Fluent formats nothing by itself."""
        arguments = {"bank": to_gsm7(self.bank) if self.gsm7 else self.bank}
        for name, value in values.items():
            arguments |= self._written(name, value, zone)
        return arguments | {f"has_{name}": "yes" if name in arguments else "no" for name in OPTIONAL}

    def _written(self, name: str, value: Masked, zone: ZoneInfo) -> dict[str, str]:
        match value:
            case MaskedMoney():
                return {name: _OURS.format(self.formats.money(value))}
            case MaskedDigits(last_four=last_four):
                return {name: _OURS.format(last_four)}
            case MaskedName(name=shown):
                shown_here = self._readable(shown)
                return {name: _NAME.format(shown_here)} if shown_here else {}
            case MaskedInstant(at=at):
                return self._instant(at, zone)
            case MaskedSymbol(symbol=symbol):
                return {name: symbol}
            case _:
                assert_never(value)

    def _instant(self, at: datetime, zone: ZoneInfo) -> dict[str, str]:
        """There is one instant only: when it occurred."""
        written = {"date": self.formats.date(at, zone), "time": self.formats.time(at, zone)}
        return {name: _OURS.format(to_gsm7(one) if self.gsm7 else one) for name, one in written.items()}

    def _readable(self, name: str) -> str | None:
        """The name in this language's characters; what it turns into has to be as clean as it was."""
        near = to_gsm7(name) if self.gsm7 else name
        return name if near == name else cleaned(near)


def _unprivate(error: Exception) -> str:
    """What Fluent says of a missing name; of anything else only the type, as its words may hold a value."""
    return str(error) if isinstance(error, FluentReferenceError) else type(error).__name__


def _assembled(marked: str, language: str) -> Text:
    """The text without its marks, and the places where those of our own were."""
    body, spans, done = "", [], 0
    for mark in _MARKED.finditer(marked):
        body += plain(marked[done : mark.start()])
        start = len(body)
        body += mark[1] or mark[2] or ""
        if mark[1] is not None:
            spans.append((start, len(body)))
        done = mark.end()
    body += plain(marked[done:])
    return Text(body=body, parts=parts(body), language=language, spans=tuple(spans))
