"""From single values as fastavro reads them to what they stand for."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import Any

from consumer.adapters.avro.types import (
    DecimalType,
    EnumType,
    FixedType,
    Primitive,
    SchemaRefused,
    Type,
    UnionType,
)

Change = Callable[[Any], Any]
"""From a value as it was read to the value that is meant. Raises Unreadable."""

DECIMAL_BYTES_MAX = 16
DIGITS_MAX = 38
"""As many as DECIMAL_BYTES_MAX bytes hold whatever the digits are."""
_EXACT = Context(prec=DIGITS_MAX + 1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INSTANTS = {"timestamp-millis": 1000, "timestamp-micros": 1}
"""Microseconds in one unit, of the instants that can be read exactly."""


class Unreadable(ValueError):
    """A value that breaks a rule of its schema. `path`: the field; `rule`: what it breaks, never the value."""

    def __init__(self, rule: str, path: str = "") -> None:
        """Say which rule; the field is added on the way up."""
        super().__init__(rule)
        self.rule = rule
        self.path = path

    def inside(self, name: str) -> "Unreadable":
        """The same, seen from the record or list that holds it."""
        return Unreadable(self.rule, f"{name}.{self.path}" if self.path else name)


def decimal(writer: DecimalType, path: tuple[str, ...]) -> Change:
    """Exact, by the writer's scale and within its precision: converting more bytes would take a Decimal seconds."""
    if writer.size is not None and writer.size > DECIMAL_BYTES_MAX:
        raise SchemaRefused(f"field {'.'.join(path)}: is a decimal of more than {DECIMAL_BYTES_MAX} bytes")
    if writer.scale > DIGITS_MAX:
        raise SchemaRefused(f"field {'.'.join(path)}: is a decimal with more than {DIGITS_MAX} digits after the point")
    bound, exponent = 10 ** min(writer.precision, DIGITS_MAX), -writer.scale
    integer, scaled = int.from_bytes, _EXACT.scaleb

    def change(unscaled: bytes) -> Decimal:
        if not 0 < len(unscaled) <= DECIMAL_BYTES_MAX:
            raise Unreadable(f"is a decimal of no or of more than {DECIMAL_BYTES_MAX} bytes")
        number = integer(unscaled, "big", signed=True)
        if not -bound < number < bound:
            raise Unreadable("has more digits than its schema's precision")
        return scaled(number, exponent)

    return change


def instant(writer: Primitive, path: tuple[str, ...]) -> Change:
    """An aware UTC datetime, by the writer's unit; what is local, a day or finer than a microsecond is refused."""
    unit = INSTANTS.get(writer.logical)
    if unit is None:
        what = f"{writer.kind} {writer.logical}".strip()
        raise SchemaRefused(f"field {'.'.join(path)}: is {what}, which is no exact instant; write timestamp-micros")

    def change(ticks: int) -> datetime:
        try:
            return _EPOCH + timedelta(0, 0, ticks * unit)
        except OverflowError:
            raise Unreadable("is an instant outside of the years 1 to 9999") from None

    return change


def symbol(writer: EnumType, reader: EnumType) -> Change | None:
    """What a symbol stands for that only the writer knows: the reader's default, if it has one."""
    if set(writer.symbols) <= set(reader.symbols):
        return None
    known, default = frozenset(reader.symbols), reader.default

    def change(symbol: str) -> str:
        if symbol in known:
            return symbol
        if default is None:
            raise Unreadable("is a symbol that this version does not know")
        return default

    return change


def promotion(writer: Primitive, reader: Primitive, path: tuple[str, ...]) -> Change | None:
    """As Avro promotes one plain type to another; None where nothing changes."""
    if writer.logical or reader.logical:
        raise mismatch(path, reader)
    if writer == reader:
        return _EXACTLY.get(writer.kind)
    promotions = _PROMOTIONS.get(reader.kind, {})
    if writer.kind not in promotions:
        raise mismatch(path, reader)
    return promotions[writer.kind]


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Unreadable("is no text in UTF-8") from None


def _floating(value: int) -> float:
    """Avro would round it; an amount that was rounded is another amount."""
    widened = float(value)
    if widened != value:
        raise Unreadable("is a whole number that would be rounded")
    return widened


def _boolean(value: bytes) -> bool:
    """Read as its one byte: libraries take any but 0 for true, or any but 1 for false."""
    if value not in _BOOLEANS:
        raise Unreadable("is no boolean: its byte is neither 0 nor 1")
    return _BOOLEANS[value]


def _whole(value: int) -> int:
    if not -_INT_BOUND <= value < _INT_BOUND:
        raise Unreadable("is a number of more than 32 bits")
    return value


_BOOLEANS = {b"\x00": False, b"\x01": True}
_INT_BOUND = 2**31
_EXACTLY: Mapping[str, Change] = {"boolean": _boolean, "int": _whole}
_PROMOTIONS: Mapping[str, Mapping[str, Change | None]] = {
    "long": {"int": _whole},
    "float": {"int": _floating, "long": _floating},
    "double": {"int": _floating, "long": _floating, "float": None},
    "string": {"bytes": _text},
    "bytes": {"string": str.encode},
}


def mismatch(path: tuple[str, ...], reader: Type) -> SchemaRefused:
    """The writer has something else where the reader wants this."""
    return SchemaRefused(f"field {'.'.join(path)}: cannot be read as {describe(reader)}")


def describe(of: Type) -> str:
    """A type in a few words, for whoever mends a schema."""
    match of:
        case Primitive():
            return f"{of.kind} ({of.logical})" if of.logical else of.kind
        case DecimalType():
            return f"decimal of {of.precision} digits, {of.scale} of them after the point"
        case FixedType():
            return f"fixed of {of.size} bytes"
        case UnionType():
            return " or ".join(map(describe, of.branches))
        case _:
            return type(of).__name__.removesuffix("Type").lower()
