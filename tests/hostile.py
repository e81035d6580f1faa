"""The corpus of hostile records: what was made to harm a decoder, as bytes and as the schema that a registry tells."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from consumer.adapters.avro.framing import confluent_header
from tests.avro import ID, Schema, our_bytes, schema, transaction_fields

ROWS: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "data" / "avro" / "hostile.yaml").read_text(encoding="utf-8")
)
_HEADER_BYTES = 10


def _rest() -> bytes:
    """What follows the amount in an event of ours."""
    whole = our_bytes("TransactionPosted", transaction_fields(customer_ids=["c"], amount=Decimal("0.0001")))
    return whole[whole.index(b"\x06EUR") :]


def _with_instant(ticks: bytes) -> bytes:
    whole = our_bytes("TransactionPosted", transaction_fields())
    start = whole.index(b"evt-1") + 5
    return whole[_HEADER_BYTES:start] + ticks + whole[whole.index(b"\x08tx-1") :]


def _part(part: str | dict[str, Any]) -> bytes:
    match part:
        case {"hex": digits, "times": times}:
            return bytes.fromhex(digits) * int(times)
        case "@rest":
            return _rest()
        case "@whole":
            return our_bytes("TransactionPosted", transaction_fields())[_HEADER_BYTES:]
        case str() if part.startswith("@instant "):
            return _with_instant(bytes.fromhex(part.removeprefix("@instant ")))
        case str():
            return bytes.fromhex(part)
        case _:
            raise AssertionError(part)


def _deep(levels: int) -> Any:
    return {"type": "array", "items": _deep(levels - 1)} if levels else "string"


def _doubling() -> list[Schema]:
    """Thirty small records; written out, the last one has a billion fields."""
    first = {"name": "f0", "type": {"type": "record", "name": "R0", "fields": [{"name": "a", "type": "int"}]}}
    return [first] + [
        {
            "name": f"f{level}",
            "type": {
                "type": "record",
                "name": f"R{level}",
                "fields": [{"name": side, "type": f"R{level - 1}"} for side in "ab"],
            },
        }
        for level in range(1, 31)
    ]


def schema_of(row: dict[str, Any]) -> str:
    if "schema" in row:
        return "".join(part if isinstance(part, str) else part["text"] * part["times"] for part in row["schema"])
    extra = row.get("extra", [])
    if extra == "@doubling":
        extra = _doubling()
    document = schema()
    document["fields"][:0] = [field | {"type": _deep(40)} if field["type"] == "@deep" else field for field in extra]
    return json.dumps(document)


def value_of(row: dict[str, Any]) -> bytes:
    return confluent_header(ID) + b"".join(map(_part, row["value"]))
