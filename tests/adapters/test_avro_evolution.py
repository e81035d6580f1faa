import copy
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from consumer.adapters.avro import confluent
from consumer.adapters.avro.parsing import read_schema
from consumer.adapters.avro.plans import plan
from consumer.adapters.avro.values import Unreadable
from consumer.errors import DeadLetterReason
from tests.avro import ID, Listed, Schema, decoded, decoder, our_bytes, refusal, schema, transaction_fields
from tests.builders import record

ROWS: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parents[1] / "data" / "avro" / "evolution.yaml").read_text(encoding="utf-8")
)
READ = [row for row in ROWS if "reason" not in row]
REFUSED = [row for row in ROWS if "reason" in row]


def _writer(row: dict[str, Any]) -> Schema:
    document = schema()
    fields = [field for field in document["fields"] if field["name"] not in row.get("drop", ())]
    for name, change in row.get("change", {}).items():
        field = next(field for field in fields if field["name"] == name)
        field.pop("default", None)
        field.update(copy.deepcopy(change))
    fields = [*row.get("add", ()), *fields]
    return document | {"fields": fields[::-1] if row.get("reverse") else fields}


def _fields(changes: dict[str, Any]) -> dict[str, Any]:
    amount = changes.get("amount", Decimal("250.00"))
    return transaction_fields(**changes | {"amount": Decimal(amount) if isinstance(amount, str) else amount})


def _names(rows: list[dict[str, Any]]) -> list[str]:
    return [row["name"] for row in rows]


@pytest.mark.parametrize("row", READ, ids=_names(READ))
def test_a_writers_other_version_is_read_as_ours_means_it(row: dict[str, Any]) -> None:
    meant = decoder().decode(record(value=our_bytes("TransactionPosted", _fields(row.get("means", {})))))

    assert decoded(_writer(row), _fields(row.get("written", {}))) == meant


@pytest.mark.parametrize("row", REFUSED, ids=_names(REFUSED))
def test_what_cannot_be_read_exactly_is_a_dead_letter_that_names_the_field(row: dict[str, Any]) -> None:
    writer = _writer(row)

    problem = refusal(confluent(ID, json.dumps(writer), _fields(row.get("written", {}))), Listed({ID: writer}))

    assert problem.reason == DeadLetterReason(row["reason"])
    assert problem.detail.startswith(row["detail"])


@pytest.mark.parametrize("kind", ["float", "double"])
def test_a_whole_number_is_widened_only_where_nothing_is_rounded(kind: str) -> None:
    widened = plan(_record_of("long"), _record_of(kind))

    assert [widened({"x": number})["x"] for number in (0, -1, 2**53, 2**62)] == [0.0, -1.0, 2.0**53, 2.0**62]
    for number in (2**53 + 1, -(2**63) + 1):
        with pytest.raises(Unreadable, match="would be rounded") as problem:
            widened({"x": number})
        assert problem.value.path == "x"


def _record_of(kind: str) -> Any:
    return read_schema(json.dumps({"type": "record", "name": "R", "fields": [{"name": "x", "type": kind}]}))
