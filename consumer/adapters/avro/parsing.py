"""A schema's JSON as a tree of types: limits kept, nothing recursive."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

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
    bytes_min,
    levels,
    nodes,
)
from consumer.adapters.avro.values import DECIMAL_BYTES_MAX

DEPTH_MAX = 32
NODES_MAX = 5000
PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
_LOGICAL = {
    "int": {"date", "time-millis"},
    "long": {
        "time-micros",
        *(f"{local}timestamp-{unit}" for local in ("", "local-") for unit in ("millis", "micros", "nanos")),
    },
}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}\Z", re.ASCII)
_FULL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*\Z", re.ASCII)
_FULL_NAME_CHARACTERS_MAX = 500


def read_schema(text: str | bytes, *, strict: bool = False) -> RecordType:
    """The record that a schema in JSON describes.

    Raises SchemaRefused where it is no valid Avro schema of a record, recursive, deeper than DEPTH_MAX, of more than
    NODES_MAX types, or with arrays whose items take no space. `strict`: also where a logical type would be ignored, as Avro
    asks of readers, because it is not known here or not described as it must be.
    """
    try:
        document = msgspec.json.decode(text)
        schema = _Reading(strict=strict).type(document, "", (), 0)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise SchemaRefused("the schema is not JSON") from None
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        if isinstance(problem, SchemaRefused):
            raise
        raise SchemaRefused("the schema is not valid Avro") from None
    if not isinstance(schema, RecordType):
        raise SchemaRefused("the schema is not that of a record")
    return schema


class _Reading:
    """One pass over one schema; `named` are the types defined so far, None while they are being defined."""

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._named: dict[str, Type | None] = {}
        self._nodes = 0

    def type(self, schema: Any, namespace: str, path: tuple[str, ...], depth: int) -> Type:
        self._nodes += 1
        if depth > DEPTH_MAX:
            raise _too_deep(path)
        if self._nodes > NODES_MAX:
            raise SchemaRefused(f"the schema has more than {NODES_MAX} types")
        if isinstance(schema, str):
            return Primitive(schema) if schema in PRIMITIVES else self._reference(schema, namespace, path, depth)
        if isinstance(schema, list):
            return self._union(schema, namespace, path, depth)
        made = self._complex(schema, namespace, path, depth)
        ignored = not _is_logical(made) or not isinstance(schema["type"], str)
        if self._strict and "logicalType" in schema and ignored:
            raise SchemaRefused(f"{_at(path)}its logical type is not known here, or is not described as Avro wants it")
        return made

    def _complex(self, schema: Mapping[str, Any], namespace: str, path: tuple[str, ...], depth: int) -> Type:
        kind = schema["type"]
        match kind:
            case "record" | "error":
                return self._record(schema, namespace, path, depth)
            case "enum":
                return self._define(schema, namespace, path, _enum(schema, _full_name(schema, namespace), path))
            case "fixed":
                return self._define(schema, namespace, path, _fixed(schema, _full_name(schema, namespace), path))
            case "array":
                items = self.type(schema["items"], namespace, path, depth + 1)
                if bytes_min(items) == 0:
                    raise SchemaRefused(f"{_at(path)}the items of an array take no space: any number fits anywhere")
                return ArrayType(items)
            case "map":
                return MapType(self.type(schema["values"], namespace, path, depth + 1))
            case "bytes":
                return _decimal(schema, None) or Primitive("bytes")
            case str() if kind in PRIMITIVES:
                logical = schema.get("logicalType", "")
                return Primitive(kind, logical if logical in _LOGICAL.get(kind, ()) else "")
            case _:
                return self.type(kind, namespace, path, depth + 1)

    def _record(self, schema: Mapping[str, Any], namespace: str, path: tuple[str, ...], depth: int) -> RecordType:
        name = _full_name(schema, namespace)
        self._reserve(name, path)
        inside = name.rpartition(".")[0]
        fields = tuple(self._field(field, inside, path, depth) for field in schema["fields"])
        if len({field.name for field in fields}) < len(fields):
            raise SchemaRefused(f"{_at(path)}two fields of a record have one name")
        record = RecordType(
            name=name,
            fields=fields,
            aliases=tuple(_qualified(alias, inside) for alias in _aliases(schema, path)),
            doc=schema.get("doc", ""),
        )
        self._named[name] = record
        return record

    def _field(self, field: Mapping[str, Any], namespace: str, path: tuple[str, ...], depth: int) -> Field:
        name = field["name"]
        if not _NAME.match(name):
            raise SchemaRefused(f"{_at(path)}a field's name is not allowed")
        if self._strict and "logicalType" in field:
            raise SchemaRefused(
                f"{_at((*path, name))}its logical type stands beside its type, not in it: nobody sees it"
            )
        return Field(
            name=name,
            type=self.type(field["type"], namespace, (*path, name), depth + 1),
            default=field.get("default", msgspec.UNSET),
            aliases=_aliases(field, (*path, name)),
            doc=field.get("doc", ""),
        )

    def _union(self, branches: Sequence[Any], namespace: str, path: tuple[str, ...], depth: int) -> UnionType:
        types = tuple(self.type(branch, namespace, path, depth + 1) for branch in branches)
        if not types or any(isinstance(branch, UnionType) for branch in types):
            raise SchemaRefused(f"{_at(path)}a union is empty, or directly within another")
        if self._strict and len(set(map(_sort, types))) < len(types):
            raise SchemaRefused(f"{_at(path)}a union has two branches of one sort: nobody could tell which is meant")
        return UnionType(types)

    def _reference(self, name: str, namespace: str, path: tuple[str, ...], depth: int) -> Type:
        full_name = _qualified(name, namespace)
        full_name = full_name if full_name in self._named else name
        if full_name not in self._named:
            raise SchemaRefused(f"{_at(path)}a type is named that the schema does not define")
        found = self._named[full_name]
        if found is None:
            raise SchemaRefused(f"{_at(path)}the schema is recursive")
        self._nodes += nodes(found)  # it is decoded here once more: many small references make one huge schema
        if depth + levels(found) > DEPTH_MAX:
            raise _too_deep(path)
        return found

    def _define(self, schema: Mapping[str, Any], namespace: str, path: tuple[str, ...], made: Type) -> Type:
        name = _full_name(schema, namespace)
        self._reserve(name, path)
        self._named[name] = made
        return made

    def _reserve(self, name: str, path: tuple[str, ...]) -> None:
        if name in self._named:
            raise SchemaRefused(f"{_at(path)}a type is defined twice")
        self._named[name] = None


def _too_deep(path: tuple[str, ...]) -> SchemaRefused:
    return SchemaRefused(f"{_at(path)}the schema is deeper than {DEPTH_MAX} levels")


def _at(path: tuple[str, ...]) -> str:
    return f"field {'.'.join(path)}: " if path else ""


def _full_name(schema: Mapping[str, Any], namespace: str) -> str:
    return _qualified(schema["name"], schema.get("namespace", namespace))


def _qualified(name: str, namespace: str) -> str:
    full_name = name if "." in name or not namespace else f"{namespace}.{name}"
    if not _FULL_NAME.match(full_name) or len(full_name) > _FULL_NAME_CHARACTERS_MAX:
        raise SchemaRefused("a type's name is not allowed")
    return full_name


def _aliases(of: Mapping[str, Any], path: tuple[str, ...]) -> tuple[str, ...]:
    aliases = of.get("aliases", [])
    if not isinstance(aliases, list) or not all(isinstance(alias, str) for alias in aliases):
        raise SchemaRefused(f"{_at(path)}its aliases are no list of names")
    return tuple(aliases)


def _sort(branch: Type) -> str:
    """What no two branches of a union may have in common."""
    match branch:
        case RecordType(name=name) | EnumType(name=name) | FixedType(name=name):
            return name
        case Primitive(kind=kind):
            return kind
        case DecimalType(size=None):
            return "bytes"
        case _:
            return type(branch).__name__


def _is_logical(of: Type) -> bool:
    return isinstance(of, DecimalType) or (isinstance(of, Primitive) and of.logical != "")


def _enum(schema: Mapping[str, Any], name: str, path: tuple[str, ...]) -> EnumType:
    symbols = tuple(schema["symbols"])
    default = schema.get("default")
    if not symbols or len(set(symbols)) < len(symbols) or not all(_NAME.match(symbol) for symbol in symbols):
        raise SchemaRefused(f"{_at(path)}an enum's symbols are empty, twice the same or not allowed")
    if default is not None and default not in symbols:
        raise SchemaRefused(f"{_at(path)}an enum's default is none of its symbols")
    return EnumType(name=name, symbols=symbols, default=default)


def _fixed(schema: Mapping[str, Any], name: str, path: tuple[str, ...]) -> FixedType | DecimalType:
    size = schema["size"]
    if type(size) is not int or size < 0:
        raise SchemaRefused(f"{_at(path)}the size of a fixed is no whole number from 0 on")
    return _decimal(schema, size) or FixedType(name=name, size=size)


def _decimal(schema: Mapping[str, Any], size: int | None) -> DecimalType | None:
    """The decimal; None where it is none, or is not described as Avro wants it: then its bytes stand for themselves."""
    precision, scale = schema.get("precision"), schema.get("scale", 0)
    if schema.get("logicalType") != "decimal" or type(precision) is not int or type(scale) is not int:
        return None
    if not 0 <= scale <= precision or precision == 0:
        return None
    if size is not None and size <= DECIMAL_BYTES_MAX and precision > _digits_of(size):
        return None
    return DecimalType(size=size, precision=precision, scale=scale)


def _digits_of(size: int) -> int:
    """How many digits always fit into so many bytes: few, as whoever claims a billion would keep us busy."""
    return len(str(2 ** (8 * size - 1) - 1)) - 1 if size else 0
