import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consumer.adapters.avro import Library, check
from consumer.core.event_fields import EVENT_TYPES
from consumer.core.preferences import FULL_NAME
from consumer.errors import Broken
from tests.avro import SCHEMAS, Schema, schema

NAME = "TransactionPosted"


def test_our_schemas_keep_every_rule() -> None:
    assert check(SCHEMAS) == []


def test_there_is_a_schema_for_everything_that_is_read_and_for_nothing_else() -> None:
    assert set(Library(SCHEMAS).readers) == {*EVENT_TYPES, FULL_NAME}


def test_what_the_screen_needs_comes_first() -> None:
    first = [[field["name"] for field in schema(name)["fields"][:6]] for name in (NAME, "BalanceChanged")]

    assert first[0] == ["customer_ids", "amount", "currency", "direction", "status", "channel"]
    assert first[1][:3] == ["customer_ids", "available", "currency"]


def _problems(tmp_path: Path, *versions: Schema | str, name: str = NAME) -> list[str]:
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    for number, version in enumerate(versions, start=1):
        text = version if isinstance(version, str) else json.dumps(version)
        (folder / f"v{number}.avsc").write_text(text, encoding="utf-8")
    return [str(problem) for problem in check(tmp_path)]


def _field(document: Schema, name: str) -> Schema:
    found: Schema = next(field for field in document["fields"] if field["name"] == name)
    return found


def _changed(**changes: Any) -> Callable[[Schema], None]:
    """Changes one field: `name__key=value`, with `name__type__key=value` one level deeper."""

    def change(document: Schema) -> None:
        for path, value in changes.items():
            name, *keys = path.split("__")
            place = _field(document, name)
            for key in keys[:-1]:
                place = place[key]
            place[keys[-1]] = value

    return change


def _added(**field: Any) -> Callable[[Schema], None]:
    return lambda document: document["fields"].append({"doc": "Something new."} | field)


def _removed(name: str) -> Callable[[Schema], None]:
    return lambda document: document["fields"].remove(_field(document, name))


@pytest.mark.parametrize(
    "change",
    [
        _added(name="branch_office", type=["null", "string"], default=None),
        _removed("counterparty_name"),
        _changed(channel__type__symbols=["ATM", "PIGEON", "OTHER"]),
        _changed(amount__doc="Said better."),
        lambda document: document["fields"].reverse(),
        lambda document: None,
    ],
    ids=["optional field", "optional field gone", "symbols with a default", "another doc", "another order", "nothing"],
)
def test_a_version_that_all_understand_is_taken(tmp_path: Path, change: Callable[[Schema], None]) -> None:
    newer = schema()
    change(newer)

    assert _problems(tmp_path, schema(), newer) == []


_DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 4}


@pytest.mark.parametrize(
    ("change", "field", "what"),
    [
        (_added(name="branch_office", type="string"), "branch_office", "is missing on one side"),
        (_removed("event_id"), "event_id", "is missing on one side"),
        (_changed(event_id__name="uid"), "event_id", "is missing on one side"),
        (_changed(amount__type__scale=2), "amount", "2 of them after the point is not"),
        (_changed(amount__type__precision=18), "amount", "decimal of 18 digits"),
        (_changed(amount__type="bytes"), "amount", "bytes is not decimal"),
        (
            _changed(amount__type=_DECIMAL | {"type": "fixed", "name": "F", "size": 9}),
            "amount",
            "stored in another way",
        ),
        (_changed(occurred_at__type__logicalType="timestamp-millis"), "occurred_at", "long (timestamp-millis) is not"),
        (_changed(occurred_at__type="long"), "occurred_at", "long is not long (timestamp-micros)"),
        (_changed(amount__type=["null", _DECIMAL]), "amount", "may be null on one side only"),
        (_changed(account_sequence__type=["null", "int"]), "account_sequence", "int is not long"),
        (_changed(account_sequence__type=["null", "long", "string"]), "account_sequence", "may be of several types"),
        (_changed(direction__type__symbols=["DEBIT", "CREDIT", "BOTH"]), "direction", "symbol BOTH is unknown"),
        (_changed(direction__type__symbols=["DEBIT"]), "direction", "symbol CREDIT is unknown"),
        (_changed(channel__type__name="Way"), "channel", "bank.events.v1.Way is not bank.events.v1.Channel"),
        (_changed(customer_ids__type__items="long"), "customer_ids", "long is not string"),
        (_changed(customer_ids__type={"type": "map", "values": "string"}), "customer_ids", "map is not array"),
    ],
)
def test_a_version_that_is_not_understood_both_ways_is_refused_and_its_field_named(
    tmp_path: Path, change: Callable[[Schema], None], field: str, what: str
) -> None:
    newer = schema()
    change(newer)

    problems = _problems(tmp_path, schema(), newer)

    assert any(f"field {field}" in problem and what in problem for problem in problems), problems


def test_every_version_is_held_against_every_other(tmp_path: Path) -> None:
    first, second, third = schema(), schema(), schema()
    _removed("counterparty_name")(second)
    _changed(counterparty_name__type=["null", "bytes"])(third)

    problems = _problems(tmp_path, first, second, third)

    assert problems == [
        "TransactionPosted v3 reading v1, field counterparty_name: string is not bytes",
        "TransactionPosted v1 reading v3, field counterparty_name: bytes is not string",
    ]


_FIXED = {"type": "fixed", "name": "Digest", "size": 16}


@pytest.mark.parametrize(
    ("older", "newer", "what"),
    [
        (_FIXED, _FIXED | {"size": 20}, "is fixed of 20 bytes (bank.events.v1.Digest), was fixed of 16 bytes"),
        (_FIXED, _FIXED | {"name": "Hash"}, "(bank.events.v1.Hash), was fixed of 16 bytes (bank.events.v1.Digest)"),
        (["null", "string"], "null", "string is not null"),
        (["null", "string"], ["null"], "null or string is not null"),
        ({"type": "map", "values": "string"}, {"type": "map", "values": "bytes"}, "bytes is not string"),
        (
            {"type": "record", "name": "Office", "doc": "Where.", "fields": []},
            {"type": "record", "name": "Branch", "doc": "Where.", "fields": []},
            "bank.events.v1.Branch is not bank.events.v1.Office",
        ),
    ],
)
def test_a_type_that_changes_under_its_field_is_refused(tmp_path: Path, older: Any, newer: Any, what: str) -> None:
    first, second = schema(), schema()
    _added(name="extra", type=older)(first)
    _added(name="extra", type=newer)(second)

    problems = _problems(tmp_path, first, second)

    assert any("field extra" in problem and what in problem for problem in problems), problems


@pytest.mark.parametrize(
    "extra",
    [
        {"type": _DECIMAL, "default": "\u20ac"},
        {"type": _DECIMAL, "default": ""},
        {"type": _DECIMAL, "default": "\0" * 17},
        {"type": _DECIMAL | {"precision": 2, "scale": 1}, "default": "\x7f\x7f"},
        {"type": {"type": "long", "logicalType": "timestamp-millis"}, "default": 2**62},
    ],
)
def test_a_default_that_older_records_could_not_be_read_with_is_refused(tmp_path: Path, extra: Schema) -> None:
    newer = schema()
    _added(name="extra", **extra)(newer)

    assert _problems(tmp_path, schema(), newer) == [
        "TransactionPosted v2 reading v1: field extra: its default is no value of its type"
    ]


def test_two_fields_that_would_be_read_from_one_are_refused(tmp_path: Path) -> None:
    split, doubled = schema(), schema()
    _removed("counterparty_name")(split)
    for name in ("payer", "payee"):
        _added(name=name, type=["null", "string"], default=None, aliases=["counterparty_name"])(split)
    _added(name="extra", type="string", default="", aliases=["event_id"])(doubled)

    problems = [*_problems(tmp_path, schema(), split), *_problems(tmp_path, schema(), doubled)]

    rule = "and so is another one: see its aliases"
    assert problems == [
        f"TransactionPosted v2 reading v1: field payee: is read from counterparty_name, {rule}",
        f"TransactionPosted v2 reading v1: field extra: is read from event_id, {rule}",
    ]


def test_a_field_deep_within_is_named_by_its_whole_path(tmp_path: Path) -> None:
    newer = schema("AlertPreferences")
    _field(_field(newer, "alerts")["type"]["items"], "threshold")["type"][1]["scale"] = 2

    problems = _problems(tmp_path, schema("AlertPreferences"), newer, name="AlertPreferences")

    assert problems[0].startswith("AlertPreferences v2 reading v1, field alerts.threshold: decimal of 20 digits, 4 ")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (_changed(amount__doc=""), "TransactionPosted v1, field amount: has no doc"),
        (
            lambda document: document.pop("doc"),
            "TransactionPosted v1: record bank.events.v1.TransactionPosted has no doc",
        ),
        (
            lambda document: document.update(name="Payment"),
            "TransactionPosted v1: its full name is bank.events.v1.Payment",
        ),
        (lambda document: document.update(namespace="bank"), "TransactionPosted v1: its full name is bank.Transaction"),
        (
            _changed(card_last_four__default="0000"),
            "TransactionPosted v1, field card_last_four: its default is no value",
        ),
        (_changed(account_kind__default="GOLD"), "TransactionPosted v1, field account_kind: its default is no value"),
        (_changed(event_id__default=None), "TransactionPosted v1, field event_id: its default is no value"),
        (_changed(customer_ids__default=[1]), "TransactionPosted v1, field customer_ids: its default is no value"),
        (_changed(account_id__type="Nowhere"), "TransactionPosted v1: field account_id: a type is named that"),
        (
            _changed(occurred_at__type__logicalType="timestamp-nanos"),
            "TransactionPosted v1: field occurred_at: cannot be read as long (timestamp-nanos)",
        ),
        (
            _changed(amount__type__scale=40),
            "TransactionPosted v1: field amount: its logical type is not known here, or is not described as Avro wants",
        ),
        (
            _changed(event_id__type={"type": "string", "logicalType": "uuid"}),
            "TransactionPosted v1: field event_id: its logical type is not known here",
        ),
        (
            _added(name="extra", type={"type": "fixed", "name": "F", "size": 12, "logicalType": "duration"}),
            "TransactionPosted v1: field extra: its logical type is not known here",
        ),
        (
            _changed(event_id__type={"type": {"type": {"type": "string"}}}),
            "TransactionPosted v1: it is written in a way that not every reader of Avro takes",
        ),
        (_changed(event_id__aliases="id"), "TransactionPosted v1: field event_id: its aliases are no list of names"),
        (
            _changed(event_id__aliases=[["id"]]),
            "TransactionPosted v1: field event_id: its aliases are no list of names",
        ),
    ],
)
def test_a_schema_that_breaks_a_rule_of_its_own_is_refused(
    tmp_path: Path, change: Callable[[Schema], None], problem: str
) -> None:
    document = schema()
    change(document)

    problems = _problems(tmp_path, document)

    assert len(problems) == 1
    assert problems[0].startswith(problem)


def test_a_gap_between_versions_is_refused(tmp_path: Path) -> None:
    shutil.copytree(SCHEMAS / NAME, tmp_path / NAME)
    (tmp_path / NAME / "v1.avsc").rename(tmp_path / NAME / "v2.avsc")

    assert [str(problem) for problem in check(tmp_path)] == [f"{NAME}: its versions are not v1, v2, ... without a gap"]


def test_a_file_that_is_no_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / "v01.avsc").write_text("{}", encoding="utf-8")

    assert any(f"{NAME}/v01.avsc: call it v<N>.avsc" in problem for problem in _problems(tmp_path, schema()))


def test_a_schema_outside_a_folder_of_its_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "v1.avsc").write_text("{}", encoding="utf-8")

    assert any("v1.avsc: call it v<N>.avsc" in problem for problem in _problems(tmp_path, schema()))


def test_a_folder_without_schemas_is_refused(tmp_path: Path) -> None:
    assert len(check(tmp_path)) == 1


def test_a_file_that_is_not_json_or_not_text_is_refused(tmp_path: Path) -> None:
    assert _problems(tmp_path, "{") == [f"{NAME} v1: the schema is not JSON"]

    (tmp_path / NAME / "v1.avsc").write_bytes(b"\xff\xfe")

    assert [str(problem) for problem in check(tmp_path)] == [f"{NAME}/v1.avsc: cannot be read as text in UTF-8"]


def test_a_schema_that_not_every_reader_takes_is_refused_by_its_name_at_the_start(tmp_path: Path) -> None:
    odd = schema()
    _changed(event_id__type={"type": {"type": {"type": "string"}}})(odd)
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / "v1.avsc").write_text(json.dumps(odd), encoding="utf-8")

    with pytest.raises(Broken, match=f"schema {NAME} v1: it is written in a way that not every reader"):
        Library(tmp_path)
