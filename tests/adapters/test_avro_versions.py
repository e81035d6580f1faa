import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from consumer.adapters.avro import AvroDecoder, Library, confluent, single_object
from consumer.adapters.avro.parsing import read_schema
from consumer.adapters.avro.plans import plan
from consumer.errors import Broken, DeadLetterReason, ExitCode, Undecodable
from tests.avro import ID, Listed, Schema, balance_fields, refusal, schema, transaction_fields
from tests.builders import NOW, record, transaction


def _folder(tmp_path: Path, *versions: Schema) -> Path:
    folder = tmp_path / "TransactionPosted"
    folder.mkdir()
    for number, version in enumerate(versions, start=1):
        (folder / f"v{number}.avsc").write_text(json.dumps(version), encoding="utf-8")
    return tmp_path


def _newer() -> Schema:
    newer = schema()
    newer["fields"].append({"name": "branch", "type": "string", "default": "", "doc": "Where it happened."})
    return newer


def _decoder(folder: Path, writer: Schema | None = None) -> AvroDecoder:
    return AvroDecoder(schemas=folder, registry=None if writer is None else Listed({ID: writer}), now=lambda: NOW)


def test_every_version_of_ours_is_read_by_its_fingerprint(tmp_path: Path) -> None:
    avro = _decoder(_folder(tmp_path, schema(), _newer()))
    values = [
        single_object(json.dumps(schema()), transaction_fields()),
        single_object(json.dumps(_newer()), transaction_fields(branch="Milano")),
    ]

    assert [avro.decode(record(value=value)) for value in values] == [transaction(), transaction()]


def test_a_version_that_is_newer_than_ours_is_read_if_a_registry_knows_it(tmp_path: Path) -> None:
    folder = _folder(tmp_path, schema())
    fields = transaction_fields(branch="Milano")

    event = _decoder(folder, _newer()).decode(record(value=confluent(ID, json.dumps(_newer()), fields)))

    assert event == transaction()
    assert refusal(single_object(json.dumps(_newer()), fields)).reason == DeadLetterReason.UNKNOWN_SCHEMA


def test_a_field_is_read_under_the_name_that_it_had_before(tmp_path: Path) -> None:
    ours, writer = schema(), schema()
    next(field for field in ours["fields"] if field["name"] == "counterparty_name")["aliases"] = ["merchant"]
    next(field for field in writer["fields"] if field["name"] == "counterparty_name")["name"] = "merchant"
    fields = transaction_fields()
    fields["merchant"] = fields.pop("counterparty_name")

    event = _decoder(_folder(tmp_path, ours), writer).decode(
        record(value=confluent(ID, json.dumps(writer), fields)),
    )

    assert event == transaction()


def test_an_event_is_read_under_the_name_that_its_schema_had_before(tmp_path: Path) -> None:
    folder = _folder(tmp_path, schema() | {"aliases": ["PaymentBooked"]})
    writer = schema() | {"name": "PaymentBooked"}

    event = _decoder(folder, writer).decode(record(value=confluent(ID, json.dumps(writer), transaction_fields())))

    assert event == transaction()


def test_an_event_that_this_installation_has_no_schema_for_is_refused(tmp_path: Path) -> None:
    avro = _decoder(_folder(tmp_path, schema()), schema("BalanceChanged"))
    value = confluent(ID, json.dumps(schema("BalanceChanged")), balance_fields())

    with pytest.raises(Undecodable) as problem:
        avro.decode(record(value=value))

    assert problem.value.reason == DeadLetterReason.WRONG_TYPE


def _record_of(*fields: dict[str, Any]) -> Any:
    return read_schema(json.dumps({"type": "record", "name": "R", "fields": list(fields)}))


_DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 2}
_INNER = {
    "type": "record",
    "name": "Inner",
    "fields": [{"name": "a", "type": _DECIMAL, "default": "\u00ff"}, {"name": "b", "type": "int"}],
}


@pytest.mark.parametrize(
    ("kind", "default", "meant"),
    [
        ("string", "x", "x"),
        (["null", "string"], None, None),
        (_DECIMAL, "\u0004\u00d2", Decimal("12.34")),
        ([_DECIMAL, "null"], "\u0004\u00d2", Decimal("12.34")),
        ({"type": "fixed", "name": "F", "size": 2}, "\u00ff\u0000", b"\xff\x00"),
        ("bytes", "\u00ff", b"\xff"),
        ({"type": "long", "logicalType": "timestamp-millis"}, 1795354200000, NOW),
        ({"type": "array", "items": _DECIMAL}, ["\u0001"], [Decimal("0.01")]),
        ({"type": "map", "values": _DECIMAL}, {"k": "\u0001"}, {"k": Decimal("0.01")}),
        (_INNER, {"b": 7}, {"a": Decimal("-0.01"), "b": 7}),
        ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, "B", "B"),
    ],
)
def test_a_default_is_what_a_writer_could_have_written(kind: Any, default: Any, meant: Any) -> None:
    change = plan(_record_of(), _record_of({"name": "x", "type": kind, "default": default}))

    assert change({}) == {"x": meant}


@pytest.mark.parametrize(
    ("written", "read", "value", "meant"),
    [
        ("int", "double", 3, 3.0),
        ("float", "double", 0.5, 0.5),
        ("string", "bytes", "é", b"\xc3\xa9"),
        (
            {"type": "map", "values": _DECIMAL},
            {"type": "map", "values": _DECIMAL},
            {"k": b"\x01"},
            {"k": Decimal("0.01")},
        ),
        (
            {"type": "array", "items": ["null", _DECIMAL]},
            {"type": "array", "items": ["null", _DECIMAL]},
            [None, b"\x01"],
            [None, Decimal("0.01")],
        ),
        ({"type": "array", "items": _INNER}, {"type": "array", "items": _INNER}, [{"a": b"\x01", "b": 1}], None),
        ({"type": "fixed", "name": "F", "size": 2}, {"type": "fixed", "name": "G", "size": 2}, b"xy", b"xy"),
    ],
)
def test_a_value_is_read_as_avro_resolves_it(written: Any, read: Any, value: Any, meant: Any) -> None:
    change = plan(_record_of({"name": "x", "type": written}), _record_of({"name": "x", "type": read}))

    assert change({"x": value}) == {"x": [{"a": Decimal("0.01"), "b": 1}] if meant is None else meant}


def test_a_folder_without_schemas_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(Broken) as problem:
        Library(tmp_path)

    assert problem.value.exit_code == ExitCode.SETTINGS


def test_a_schema_that_cannot_be_used_stops_the_start_and_is_named(tmp_path: Path) -> None:
    with pytest.raises(Broken, match=r"schema TransactionPosted v1: the schema is not valid Avro"):
        Library(_folder(tmp_path, {"type": "record"}))


def test_a_file_that_is_no_text_stops_the_start(tmp_path: Path) -> None:
    (_folder(tmp_path, schema()) / "TransactionPosted" / "v1.avsc").write_bytes(b"\xff")

    with pytest.raises(Broken, match="cannot be read"):
        Library(tmp_path)
