"""Whether what one version of a schema writes is exactly what another one reads."""

from collections.abc import Iterator

import msgspec

from consumer.adapters.avro.plans import source_of
from consumer.adapters.avro.types import (
    ArrayType,
    DecimalType,
    EnumType,
    FixedType,
    MapType,
    RecordType,
    Type,
    UnionType,
    may_be_null,
)
from consumer.adapters.avro.values import describe

Path = tuple[str, ...]
Breach = tuple[Path, str]
"""The field, from the outermost record on, and what is wrong with it."""


def breaches(writer: Type, reader: Type, path: Path = ()) -> Iterator[Breach]:
    """Every reason why `reader` does not understand, or would misunderstand, what `writer` writes.

    Stricter than Avro: no promotions, and logical type, precision, scale and unit must be the same.
    """
    if isinstance(writer, UnionType) or isinstance(reader, UnionType):
        yield from _unions(writer, reader, path)
        return
    match writer, reader:
        case RecordType(), RecordType():
            yield from _records(writer, reader, path)
        case EnumType(), EnumType():
            yield from _enums(writer, reader, path)
        case ArrayType(), ArrayType():
            yield from breaches(writer.items, reader.items, path)
        case MapType(), MapType():
            yield from breaches(writer.values, reader.values, path)
        case FixedType(), FixedType():
            if writer != reader:
                yield path, f"is {describe(writer)} ({writer.name}), was {describe(reader)} ({reader.name})"
        case DecimalType(), DecimalType() if writer.size != reader.size:
            yield path, "its decimal is stored in another way"
        case _ if writer != reader:
            yield path, f"{describe(writer)} is not {describe(reader)}"
        case _:
            pass


def _unions(writer: Type, reader: Type, path: Path) -> Iterator[Breach]:
    if may_be_null(writer) and not may_be_null(reader):
        yield path, "may be null on one side only"
    written, read = _others(writer), _others(reader)
    if len(written) != len(read):
        yield path, f"{describe(writer)} is not {describe(reader)}"
        return
    for one, other in zip(written, read, strict=True):
        yield from breaches(one, other, path)


def _others(of: Type) -> tuple[Type, ...]:
    return of.others if isinstance(of, UnionType) else (of,)


def _records(writer: RecordType, reader: RecordType, path: Path) -> Iterator[Breach]:
    if writer.name != reader.name:
        yield path, f"{writer.name} is not {reader.name}"
    written = {field.name: field for field in writer.fields}
    for field in reader.fields:
        here = (*path, field.name)
        source = source_of(field, written)
        if source is not None:
            yield from breaches(source.type, field.type, here)
        elif field.default is msgspec.UNSET:
            yield here, "is missing on one side, and has no default on the other"


def _enums(writer: EnumType, reader: EnumType, path: Path) -> Iterator[Breach]:
    if writer.name != reader.name:
        yield path, f"{writer.name} is not {reader.name}"
    unknown = [symbol for symbol in writer.symbols if symbol not in reader.symbols]
    if unknown and reader.default is None:
        yield path, f"symbol {', '.join(unknown)} is unknown on one side, and that enum has no default"
