"""Reading bytes by a writer's schema: fastavro's reader, kept from what it would let pass."""

import io
from collections.abc import Sequence
from itertools import count
from typing import Any

from fastavro import parse_schema, schemaless_reader

from consumer.adapters.avro.types import (
    ArrayType,
    DecimalType,
    EnumType,
    FixedType,
    MapType,
    Primitive,
    RecordType,
    Type,
    UnionType,
)


class Wire:
    """Reads records of one schema, logical types left aside: decimals and booleans as bytes, instants as numbers."""

    def __init__(self, schema: RecordType) -> None:
        """Prepare it once: it is used for every record."""
        names = (f"n{number}" for number in count())
        self._schema: Any = parse_schema(_plain(schema, names))
        _guard(self._schema)

    def read(self, stream: io.BytesIO) -> Any:
        """The fields; the stream stands behind them. Raises anything where the bytes are not what the schema says."""
        return schemaless_reader(stream, self._schema, None)

    def unreadable_field(self, stream: io.BytesIO) -> str:
        """The name of the first field that cannot be read; empty where all can."""
        for field in self._schema["fields"]:
            try:
                schemaless_reader(stream, {**self._schema, "fields": [field]}, None)
            except Exception:  # noqa: BLE001 - as above
                return str(field["name"])
        return ""


def _plain(of: Type, names: Any) -> Any:
    """The schema as fastavro wants it: every type written out, under a name of its own."""
    match of:
        case Primitive(kind="boolean"):
            return {"type": "fixed", "name": next(names), "size": 1}
        case Primitive():
            return of.kind
        case DecimalType(size=None):
            return "bytes"
        case DecimalType() | FixedType():
            return {"type": "fixed", "name": next(names), "size": of.size}
        case EnumType():
            return {"type": "enum", "name": next(names), "symbols": list(of.symbols)}
        case ArrayType():
            return {"type": "array", "items": _plain(of.items, names)}
        case MapType():
            return {"type": "map", "values": _plain(of.values, names)}
        case UnionType():
            return [_plain(branch, names) for branch in of.branches]
        case RecordType():
            fields = [{"name": field.name, "type": _plain(field.type, names)} for field in of.fields]
            return {"type": "record", "name": next(names), "fields": fields}


def _guard(schema: Any) -> Any:
    """Put a list that counts from the front only wherever an index from the bytes picks an item.

    fastavro takes an index as Python does: -1 is the last branch of a union, and garbage would be read as something.
    """
    match schema:
        case list():
            return _from_the_front([_guard(branch) for branch in schema])
        case {"type": "record", "fields": fields}:
            for field in fields:
                field["type"] = _guard(field["type"])
        case {"type": "array"}:
            schema["items"] = _guard(schema["items"])
        case {"type": "map"}:
            schema["values"] = _guard(schema["values"])
        case {"type": "enum"}:
            schema["symbols"] = _from_the_front(schema["symbols"])
        case _:
            pass
    return schema


def _from_the_front(items: Sequence[Any]) -> list[Any]:
    """A list whose items are found by a dictionary's own look-up, in C as before, and whose length is told to nobody.

    Compiled code adds the length to a negative index before it asks; without one, -1 stays -1 and is not found.
    """
    lookup = dict(enumerate(items))
    nothing: dict[int, Any] = {}
    guarded: list[Any] = type("Items", (list,), {"__getitem__": lookup.__getitem__, "__len__": nothing.__len__})(items)
    return guarded
