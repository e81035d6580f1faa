"""From what a writer's schema says to what ours says: worked out once per schema, applied to every record."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import Any

import msgspec

from consumer.adapters.avro.types import (
    NULL,
    ArrayType,
    DecimalType,
    EnumType,
    Field,
    FixedType,
    MapType,
    Primitive,
    RecordType,
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
_INSTANTS = {"timestamp-millis": 1000, "timestamp-micros": 1}
"""Microseconds in one unit, of the instants that can be read exactly."""
_PROMOTIONS: Mapping[str, Mapping[str, Change | None]] = {
    "long": {"int": None},
    "float": {"int": float, "long": float},
    "double": {"int": float, "long": float, "float": None},
    "string": {"bytes": bytes.decode},
    "bytes": {"string": str.encode},
}


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


def plan(writer: RecordType, reader: RecordType) -> Change:
    """How a record that was read by `writer`, logical types left aside, becomes what `reader` describes.

    Decimals become Decimal, by the writer's scale; instants aware UTC datetimes, by the writer's unit; fields that the
    writer lacks get the reader's default. The dictionary is changed in place, and may keep fields that only the writer has.
    Raises SchemaRefused, naming the field, where the two do not go together.
    """
    return _record(writer, reader, ())


def _record(writer: RecordType, reader: RecordType, path: tuple[str, ...]) -> Change:
    changes: list[tuple[str, Change]] = []
    never_null: list[str] = []
    renamed: list[tuple[str, str]] = []
    defaults: dict[str, Any] = {}
    written = {field.name: field for field in writer.fields}
    for field in reader.fields:
        here = (*path, field.name)
        source = _source(field, written)
        if source is None:
            defaults[field.name] = _default(field, here)
            continue
        if source.name != field.name:
            renamed.append((source.name, field.name))
        change = _value(source.type, field.type, here)
        if change is not None:
            changes.append((field.name, change))
        if _may_be_null(source.type) and not _may_be_null(field.type):
            never_null.append(field.name)
    return _applied(tuple(renamed), tuple(never_null), tuple(changes), defaults)


def _applied(
    renamed: tuple[tuple[str, str], ...],
    never_null: tuple[str, ...],
    changes: tuple[tuple[str, Change], ...],
    defaults: Mapping[str, Any],
) -> Change:
    def apply(read: dict[str, Any]) -> dict[str, Any]:
        for old, new in renamed:
            read[new] = read.pop(old)
        for name in never_null:
            if read[name] is None:
                raise Unreadable("is null", name)
        name = ""
        try:
            for name, change in changes:
                value = read[name]
                if value is not None:
                    read[name] = change(value)
        except Unreadable as problem:
            raise problem.inside(name) from None
        if defaults:
            read.update(defaults)
        return read

    return apply


def _source(field: Field, written: Mapping[str, Field]) -> Field | None:
    """The writer's field: of the same name, else of one that the field had before."""
    return next((written[name] for name in (field.name, *field.aliases) if name in written), None)


def _value(writer: Type, reader: Type, path: tuple[str, ...]) -> Change | None:
    """The change for values that are not null; None where they stay as they are."""
    writer, reader = _only(writer, path), _only(reader, path)
    if NULL in (writer, reader):
        return None
    match writer, reader:
        case Primitive(), Primitive() if reader.logical in _INSTANTS:
            return _instant(writer, path)
        case DecimalType(), DecimalType():
            return _decimal(writer, path)
        case Primitive(), Primitive():
            return _promotion(writer, reader, path)
        case EnumType(), EnumType():
            return _symbol(writer, reader)
        case ArrayType(), ArrayType():
            return _items(_element(writer.items, reader.items, path))
        case MapType(), MapType():
            return _values(_element(writer.values, reader.values, path))
        case RecordType(), RecordType():
            return _record(writer, reader, path)
        case FixedType(), FixedType() if writer.size == reader.size:
            return None
        case _:
            raise _mismatch(path, reader)


def _only(of: Type, path: tuple[str, ...]) -> Type:
    """The type that stands there when it is not null."""
    if not isinstance(of, UnionType):
        return of
    match of.others:
        case ():
            return NULL
        case (one,):
            return one
        case _:
            raise SchemaRefused(f"field {'.'.join(path)}: may be of several types; only one beside null can be read")


def _may_be_null(of: Type) -> bool:
    return of == NULL or (isinstance(of, UnionType) and of.nullable)


def _decimal(writer: DecimalType, path: tuple[str, ...]) -> Change:
    if writer.size is not None and writer.size > DECIMAL_BYTES_MAX:
        raise SchemaRefused(f"field {'.'.join(path)}: is a decimal of more than {DECIMAL_BYTES_MAX} bytes")
    if writer.scale > DIGITS_MAX:
        raise SchemaRefused(f"field {'.'.join(path)}: is a decimal with more than {DIGITS_MAX} digits after the point")
    bound, exponent = 10 ** min(writer.precision, DIGITS_MAX), -writer.scale

    def change(unscaled: bytes) -> Decimal:
        if not 0 < len(unscaled) <= DECIMAL_BYTES_MAX:
            raise Unreadable(f"is a decimal of no or of more than {DECIMAL_BYTES_MAX} bytes")
        number = int.from_bytes(unscaled, "big", signed=True)
        if not -bound < number < bound:
            raise Unreadable("has more digits than its schema's precision")
        return Decimal(number).scaleb(exponent, _EXACT)

    return change


def _instant(writer: Primitive, path: tuple[str, ...]) -> Change:
    unit = _INSTANTS.get(writer.logical)
    if unit is None:
        what = f"{writer.kind} {writer.logical}".strip()
        raise SchemaRefused(f"field {'.'.join(path)}: is {what}, which is no exact instant; write timestamp-micros")

    def change(ticks: int) -> datetime:
        try:
            return _EPOCH + timedelta(0, 0, ticks * unit)
        except OverflowError:
            raise Unreadable("is an instant outside of the years 1 to 9999") from None

    return change


def _symbol(writer: EnumType, reader: EnumType) -> Change | None:
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


def _promotion(writer: Primitive, reader: Primitive, path: tuple[str, ...]) -> Change | None:
    if writer == reader:
        return None
    promotions = _PROMOTIONS.get(reader.kind, {})
    if writer.logical or reader.logical or writer.kind not in promotions:
        raise _mismatch(path, reader)
    change = promotions[writer.kind]
    return _text if change is bytes.decode else change


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Unreadable("is no text in UTF-8") from None


def _element(writer: Type, reader: Type, path: tuple[str, ...]) -> Change | None:
    """The change for an item of an array or a value of a map, null or not."""
    change = _value(writer, reader, path)
    if not _may_be_null(writer):
        return change
    refused = not _may_be_null(reader)

    def nullable(value: Any) -> Any:
        if value is None:
            if refused:
                raise Unreadable("is null")
            return None
        return value if change is None else change(value)

    return None if change is None and not refused else nullable


def _items(element: Change | None) -> Change | None:
    if element is None:
        return None
    return lambda values: [element(value) for value in values]


def _values(element: Change | None) -> Change | None:
    if element is None:
        return None
    return lambda values: {key: element(value) for key, value in values.items()}


def _mismatch(path: tuple[str, ...], reader: Type) -> SchemaRefused:
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


def _default(field: Field, path: tuple[str, ...]) -> Any:
    """The reader's default as a decoded value."""
    if field.default is msgspec.UNSET:
        raise SchemaRefused(f"field {'.'.join(path)}: is missing, and has no default")
    return _meant(field.default, field.type, path)


def _meant(value: Any, of: Type, path: tuple[str, ...]) -> Any:
    """A value that stands in a schema's JSON, as a decoded one."""
    if isinstance(of, UnionType):
        return None if value is None else _meant(value, _only(of, path), path)
    match of:
        case DecimalType():
            return _decimal(of, path)(value.encode("latin-1"))
        case Primitive(kind="bytes") | FixedType():
            return value.encode("latin-1")
        case Primitive() if of.logical in _INSTANTS:
            return _instant(of, path)(value)
        case ArrayType():
            return [_meant(item, of.items, path) for item in value]
        case MapType():
            return {key: _meant(one, of.values, path) for key, one in value.items()}
        case RecordType():
            return {
                field.name: _meant(value[field.name], field.type, (*path, field.name))
                if field.name in value
                else _default(field, (*path, field.name))
                for field in of.fields
            }
        case _:
            return value
