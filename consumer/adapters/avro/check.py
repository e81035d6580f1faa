"""Whether the folder of schemas keeps its rules: names, docs, defaults, and FULL_TRANSITIVE compatibility."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from consumer.adapters.avro.compatibility import breaches
from consumer.adapters.avro.library import SchemaFile, fingerprint_of, schema_files
from consumer.adapters.avro.parsing import read_schema
from consumer.adapters.avro.plans import plan
from consumer.adapters.avro.types import (
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
from consumer.core.event import NAMESPACE

_WHOLE_NUMBERS = {"int": 2**31, "long": 2**63}


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One rule that a schema breaks. `where`: the schema, its version or versions, the field."""

    where: str
    what: str

    def __str__(self) -> str:
        """For whoever mends it."""
        return f"{self.where}: {self.what}"


def check(folder: Path) -> list[Problem]:
    """Everything that is wrong in `<Name>/v<N>.avsc` below the folder; an empty list if nothing is."""
    return list(_problems(folder))


def _problems(folder: Path) -> Iterator[Problem]:
    try:
        files = schema_files(folder)
    except (OSError, UnicodeError):
        yield from _unreadable(folder)
        return
    if not files:
        yield Problem(where=folder.name, what="there is no <Name>/v<N>.avsc in it")
    for stray in sorted({*folder.glob("*/*"), *folder.glob("*.avsc")} - {file.path for file in files}):
        yield Problem(where=f"{stray.parent.name}/{stray.name}", what="call it v<N>.avsc, as v1.avsc, or take it out")
    for name, versions in itertools.groupby(files, key=lambda file: file.name):
        yield from _of_one_schema(name, list(versions))


def _unreadable(folder: Path) -> Iterator[Problem]:
    for path in sorted(folder.glob("*/*.avsc")):
        try:
            path.read_text(encoding="utf-8")
        except (OSError, UnicodeError):
            yield Problem(where=f"{path.parent.name}/{path.name}", what="cannot be read as text in UTF-8")


def _of_one_schema(name: str, files: Sequence[SchemaFile]) -> Iterator[Problem]:
    if [file.version for file in files] != list(range(1, len(files) + 1)):
        yield Problem(where=name, what="its versions are not v1, v2, ... without a gap")
    read: list[tuple[int, RecordType]] = []
    for file in files:
        where = f"{name} v{file.version}"
        try:
            schema = read_schema(file.text, strict=True)
            plan(schema, schema)
        except SchemaRefused as problem:
            yield Problem(where=where, what=str(problem))
            continue
        read.append((file.version, schema))
        if schema.name != f"{NAMESPACE}.{name}":
            yield Problem(where=where, what=f"its full name is {schema.name}; its folder says {NAMESPACE}.{name}")
        found = list(_of_a_record(schema, where, ()))
        yield from found or _of_its_text(file, where)
    for (older, one), (newer, other) in itertools.combinations(read, 2):
        yield from _of_two(name, (older, one), (newer, other))
        yield from _of_two(name, (newer, other), (older, one))


def _of_its_text(file: SchemaFile, where: str) -> Iterator[Problem]:
    try:
        fingerprint_of(file.text)
    except SchemaRefused as problem:
        yield Problem(where=where, what=str(problem))


def _of_two(name: str, writer: tuple[int, RecordType], reader: tuple[int, RecordType]) -> Iterator[Problem]:
    where, found = f"{name} v{reader[0]} reading v{writer[0]}", list(breaches(writer[1], reader[1]))
    for path, what in found:
        yield Problem(where=_at(where, path), what=what)
    if not found:
        try:
            plan(writer[1], reader[1])
        except SchemaRefused as problem:
            yield Problem(where=where, what=str(problem))


def _of_a_record(record: RecordType, where: str, path: tuple[str, ...]) -> Iterator[Problem]:
    if not record.doc:
        yield Problem(where=_at(where, path), what=f"record {record.name} has no doc")
    for field in record.fields:
        here = (*path, field.name)
        if not field.doc:
            yield Problem(where=_at(where, here), what="has no doc")
        if not _default_fits(field):
            yield Problem(where=_at(where, here), what="its default is no value of its type (of a union: of its first)")
        for inner in _records_in(field.type):
            yield from _of_a_record(inner, where, here)


def _records_in(of: Type) -> Iterator[RecordType]:
    match of:
        case RecordType():
            yield of
        case ArrayType(items=inner) | MapType(values=inner):
            yield from _records_in(inner)
        case UnionType(branches=branches):
            for branch in branches:
                yield from _records_in(branch)
        case _:
            pass


def _default_fits(field: Field) -> bool:
    return field.default is msgspec.UNSET or _fits(field.default, field.type)


def _fits(value: Any, of: Type) -> bool:
    """Whether the JSON value may stand as a default; of a union only the first branch counts, as older readers have it."""
    match of:
        case UnionType(branches=branches):
            return _fits(value, branches[0])
        case Primitive(kind=kind):
            return _fits_primitive(value, kind)
        case EnumType(symbols=symbols):
            return value in symbols
        case DecimalType(size=size):
            return isinstance(value, str) and (size is None or len(value) == size)
        case FixedType(size=size):
            return isinstance(value, str) and len(value) == size
        case ArrayType(items=items):
            return isinstance(value, list) and all(_fits(item, items) for item in value)
        case MapType(values=values):
            return isinstance(value, dict) and all(_fits(one, values) for one in value.values())
        case RecordType(fields=fields):
            return isinstance(value, dict) and all(
                _fits(value[field.name], field.type) if field.name in value else field.default is not msgspec.UNSET
                for field in fields
            )


def _fits_primitive(value: Any, kind: str) -> bool:
    match kind:
        case "null":
            return value is None
        case "boolean":
            return isinstance(value, bool)
        case "int" | "long":
            bound = _WHOLE_NUMBERS[kind]
            return type(value) is int and -bound <= value < bound
        case "float" | "double":
            return type(value) in {int, float}
        case _:
            return isinstance(value, str)


def _at(where: str, path: tuple[str, ...]) -> str:
    return f"{where}, field {'.'.join(path)}" if path else where
