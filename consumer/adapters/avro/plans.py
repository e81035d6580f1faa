"""From what a writer's schema says to what ours says: worked out once per schema, applied to every record."""

from collections.abc import Mapping
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
    may_be_null,
)
from consumer.adapters.avro.values import INSTANTS, Change, Unreadable, decimal, instant, mismatch, promotion, symbol


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
    taken: set[str] = set()
    defaults: dict[str, Any] = {}
    written = {field.name: field for field in writer.fields}
    for field in reader.fields:
        here = (*path, field.name)
        source = source_of(field, written)
        if source is None:
            defaults[field.name] = _default(field, here)
            continue
        if source.name in taken:
            raise SchemaRefused(
                f"field {'.'.join(here)}: is read from {source.name}, and so is another one: see its aliases"
            )
        taken.add(source.name)
        if source.name != field.name:
            renamed.append((source.name, field.name))
        change = _value(source.type, field.type, here)
        if change is not None:
            changes.append((field.name, change))
        if may_be_null(source.type) and not may_be_null(field.type):
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


def source_of(field: Field, written: Mapping[str, Field]) -> Field | None:
    """The writer's field that a reader's `field` is read from: of the same name, else of one that it had before."""
    return next((written[name] for name in (field.name, *field.aliases) if name in written), None)


def _value(writer: Type, reader: Type, path: tuple[str, ...]) -> Change | None:
    """The change for values that are not null; None where they stay as they are."""
    writer, reader = _only(writer, path), _only(reader, path)
    if NULL in (writer, reader):
        return None
    match writer, reader:
        case Primitive(), Primitive() if reader.logical in INSTANTS:
            return instant(writer, path)
        case DecimalType(), DecimalType():
            return decimal(writer, path)
        case Primitive(), Primitive():
            return promotion(writer, reader, path)
        case EnumType(), EnumType():
            return symbol(writer, reader)
        case ArrayType(), ArrayType():
            return _items(_element(writer.items, reader.items, path))
        case MapType(), MapType():
            return _values(_element(writer.values, reader.values, path))
        case RecordType(), RecordType():
            return _record(writer, reader, path)
        case FixedType(), FixedType() if writer.size == reader.size:
            return None
        case _:
            raise mismatch(path, reader)


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


def _element(writer: Type, reader: Type, path: tuple[str, ...]) -> Change | None:
    """The change for an item of an array or a value of a map, null or not."""
    change = _value(writer, reader, path)
    if not may_be_null(writer):
        return change
    refused = not may_be_null(reader)

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


def _default(field: Field, path: tuple[str, ...]) -> Any:
    """The reader's default as a decoded value."""
    if field.default is msgspec.UNSET:
        raise SchemaRefused(f"field {'.'.join(path)}: is missing, and has no default")
    try:
        return _meant(field.default, field.type, path)
    except (Unreadable, ValueError, TypeError, LookupError, AttributeError, OverflowError) as problem:
        if isinstance(problem, SchemaRefused):
            raise
        raise SchemaRefused(f"field {'.'.join(path)}: its default is no value of its type") from None


def _meant(value: Any, of: Type, path: tuple[str, ...]) -> Any:
    """A value that stands in a schema's JSON, as a decoded one."""
    if isinstance(of, UnionType):
        return None if value is None else _meant(value, _only(of, path), path)
    match of:
        case DecimalType():
            return decimal(of, path)(value.encode("latin-1"))
        case Primitive(kind="bytes") | FixedType():
            return value.encode("latin-1")
        case Primitive() if of.logical in INSTANTS:
            return instant(of, path)(value)
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
