"""What a value of an Avro schema may be: a tree of types, names resolved."""

from collections.abc import Sequence
from typing import Any

import msgspec


class SchemaRefused(ValueError):
    """A schema that is not valid, or that could harm whoever decodes with it. `args[0]` says where and why."""


class Primitive(msgspec.Struct, frozen=True):
    """A type without parts. `logical`: the logical type that a whole number stands for, or empty."""

    kind: str
    logical: str = ""


class DecimalType(msgspec.Struct, frozen=True, kw_only=True):
    """A decimal in bytes, or in `size` bytes where it is fixed; digits in all, and those after the point."""

    size: int | None
    precision: int
    scale: int


class FixedType(msgspec.Struct, frozen=True, kw_only=True):
    """A fixed number of bytes that stand for nothing else."""

    name: str
    size: int


class EnumType(msgspec.Struct, frozen=True, kw_only=True):
    """One of `symbols`; `default` is what a reader takes a symbol for that it does not know."""

    name: str
    symbols: tuple[str, ...]
    default: str | None


class ArrayType(msgspec.Struct, frozen=True):
    """Any number of items."""

    items: "Type"


class MapType(msgspec.Struct, frozen=True):
    """Any number of values by name."""

    values: "Type"


class UnionType(msgspec.Struct, frozen=True):
    """One of several types."""

    branches: tuple["Type", ...]

    @property
    def others(self) -> tuple["Type", ...]:
        """All but null."""
        return tuple(branch for branch in self.branches if branch != NULL)


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a record. `default`: as it stands in the schema; UNSET where there is none."""

    name: str
    type: "Type"
    default: Any = msgspec.UNSET
    aliases: tuple[str, ...] = ()
    doc: str = ""


class RecordType(msgspec.Struct, frozen=True, kw_only=True):
    """Fields in their order. `name` and `aliases` are full names."""

    name: str
    fields: tuple[Field, ...]
    aliases: tuple[str, ...] = ()
    doc: str = ""


Type = Primitive | DecimalType | FixedType | EnumType | ArrayType | MapType | UnionType | RecordType
NULL = Primitive("null")


def may_be_null(of: Type) -> bool:
    """Whether null is a value of it."""
    return of == NULL or (isinstance(of, UnionType) and NULL in of.branches)


def bytes_min(of: Type) -> int:
    """How many bytes a value takes at least."""
    match of:
        case Primitive(kind="null"):
            return 0
        case FixedType(size=size) | DecimalType(size=int(size)):
            return size
        case RecordType(fields=fields):
            return sum(bytes_min(field.type) for field in fields)
        case _:
            return 1


def nodes(of: Type) -> int:
    """How many types it is made of."""
    return 1 + sum(map(nodes, _parts(of)))


def levels(of: Type) -> int:
    """How many types lie within each other below it."""
    return 1 + max(map(levels, _parts(of)), default=-1)


def _parts(of: Type) -> Sequence[Type]:
    match of:
        case RecordType(fields=fields):
            return [field.type for field in fields]
        case ArrayType(items=inner) | MapType(values=inner):
            return [inner]
        case UnionType(branches=branches):
            return branches
        case _:
            return ()
