import json
import time
import tracemalloc
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from consumer.adapters.avro.framing import confluent_header
from consumer.ports import DeadLetterReason
from tests.avro import ID, Listed, Schema, our_bytes, refusal, schema, transaction_fields

ROWS: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parents[1] / "data" / "avro" / "hostile.yaml").read_text(encoding="utf-8")
)
SECONDS_MAX = 2.0  # of this thread: other processes do not count
BYTES_MAX = 64 * 2**20
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


def _schema(row: dict[str, Any]) -> str:
    if "schema" in row:
        return "".join(part if isinstance(part, str) else part["text"] * part["times"] for part in row["schema"])
    extra = row.get("extra", [])
    if extra == "@doubling":
        extra = _doubling()
    document = schema()
    document["fields"][:0] = [field | {"type": _deep(40)} if field["type"] == "@deep" else field for field in extra]
    return json.dumps(document)


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_what_was_made_to_harm_is_a_dead_letter_in_little_time_and_memory(row: dict[str, Any]) -> None:
    value = confluent_header(ID) + b"".join(map(_part, row["value"]))
    registry = Listed({ID: _schema(row)})
    tracemalloc.start()
    started_s = time.thread_time()

    problem = refusal(value, registry)

    elapsed_s = time.thread_time() - started_s
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert problem.reason == DeadLetterReason(row["reason"])
    assert problem.detail.startswith(row["detail"])
    assert problem.schema == str(ID)
    assert elapsed_s < SECONDS_MAX
    assert peak_bytes < BYTES_MAX


def test_the_corpus_is_all_there() -> None:
    assert len(ROWS) == len({row["name"] for row in ROWS}) == 52
