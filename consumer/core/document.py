"""Reading a parsed configuration document key by key, so that every mistake in it is named at once."""

import enum
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

_DURATION = re.compile(r"([1-9][0-9]{0,5}) ?(s|min|h|d)\Z")
_UNITS = {"s": "seconds", "min": "minutes", "h": "hours", "d": "days"}
_Value = TypeVar("_Value")
_Choice = TypeVar("_Choice", bound=enum.StrEnum)
MISSING: Any = object()
"""Stands where a value should be while the rest of the document is read; a document with one is never used."""
_NO_DEFAULT: Any = object()


class Refused(ValueError):
    """One value that cannot stand: what to write instead."""


class Section:
    """One mapping of a document. `problems` gathers a line for each mistake, and reading goes on."""

    def __init__(self, content: Any, where: str, problems: list[str]) -> None:
        """`where`: the dotted path of the mapping; empty for the whole document."""
        self._where = where
        self._problems = problems
        self._asked: set[Any] = set()
        self.given = isinstance(content, Mapping)
        self._content: Mapping[Any, Any] = content if self.given else {}
        if not self.given and content is not MISSING:
            self.problem("", "write keys with values here")

    @property
    def keys(self) -> tuple[Any, ...]:
        """All keys, in the order of the document."""
        return tuple(self._content)

    def problem(self, key: Any, what: str) -> None:
        """Note a mistake at `key`, or in the mapping itself where `key` is empty."""
        self._problems.append(f"{self._path(key) or 'the document'}: {what}")

    def get(self, key: Any, parse: Callable[[Any], _Value], default: _Value = _NO_DEFAULT) -> _Value:
        """The parsed value; `default` where the key is absent; MISSING, and a problem, where neither will do."""
        self._asked.add(key)
        if key not in self._content:
            if default is not _NO_DEFAULT:
                return default
            self.problem(key, "is missing")
            return MISSING  # type: ignore[no-any-return]
        try:
            return parse(self._content[key])
        except Refused as refused:
            self.problem(key, str(refused))
            return MISSING  # type: ignore[no-any-return]

    def section(self, key: Any) -> "Section":
        """The mapping at `key`; an empty one, and a problem, where there is none."""
        self._asked.add(key)
        if key in self._content:
            return Section(self._content[key], self._path(key), self._problems)
        self.problem(key, "is missing")
        return Section(MISSING, self._path(key), self._problems)

    def has(self, key: str) -> bool:
        """Whether the key stands there."""
        return key in self._content

    def close(self) -> None:
        """Every key that nobody asked for is a mistake."""
        for key in self._content:
            if key not in self._asked:
                self.problem(key, f"there is no such key; there are {', '.join(sorted(map(str, self._asked)))}")

    def _path(self, key: Any) -> str:
        return ".".join(part for part in (self._where, str(key)) if part)


def text(value: Any) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value:
        raise Refused("write a text in quotes")
    return value


def flag(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise Refused("write true or false")
    return value


def whole_number(value: Any) -> int:
    """A whole number from 0 on."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Refused("write a whole number from 0 on")
    return value


def decimal(value: Any) -> Decimal:
    """An exact number: a whole one, or a decimal in quotes. A float is refused: it has already lost what was written."""
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite():
            return number
    raise Refused('write a whole number, or a decimal in quotes, as "12.50"')


def duration(value: Any) -> timedelta:
    """A number and its unit: `90 s`, `30 min`, `12 h`, `2 d`."""
    written = _DURATION.match(value) if isinstance(value, str) else None
    if written is None:
        raise Refused("write a duration with its unit, as 90 s, 30 min, 12 h or 2 d")
    return timedelta(**{_UNITS[written[2]]: int(written[1])})


def one_of(choices: type[_Choice]) -> Callable[[Any], _Choice]:
    """One of a closed list of symbols."""

    def parse(value: Any) -> _Choice:
        try:
            return choices(value)
        except ValueError:
            raise Refused(f"write one of {', '.join(choices)}") from None

    return parse


def named_in(known: Mapping[str, _Value]) -> Callable[[Any], _Value]:
    """What is known under the name that stands there."""

    def parse(value: Any) -> _Value:
        if not isinstance(value, str) or value not in known:
            raise Refused(f"write one of {', '.join(known) or '(none is described)'}")
        return known[value]

    return parse
