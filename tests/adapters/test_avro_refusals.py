import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from consumer.adapters.avro import confluent
from consumer.adapters.avro.decoder import VALUE_BYTES_MAX
from consumer.errors import DeadLetterReason, Unavailable, Undecodable
from tests.avro import (
    ID,
    Listed,
    Schema,
    balance_fields,
    decoder,
    our_bytes,
    preferences_fields,
    refusal,
    schema,
    transaction_fields,
    with_field,
    without_field,
)
from tests.builders import NOW, record


def _refused(writer: Schema, fields: dict[str, Any]) -> Undecodable:
    return refusal(confluent(ID, json.dumps(writer), fields), Listed({ID: writer}))


@pytest.mark.parametrize("value", [None, b""])
def test_a_record_without_a_value_is_no_event(value: bytes | None) -> None:
    assert refusal(value).reason == DeadLetterReason.NO_VALUE


@pytest.mark.parametrize(
    "value",
    [
        b"\x00",
        b"\x00\x00\x00\x07",
        b"\xc3\x01",
        b"\xc3\x01" + b"x" * 7,
        b"\xc3\x02" + b"x" * 20,
        b'{"json": 1}',
        b"\x01",
    ],
)
def test_a_value_that_names_no_schema_is_refused(value: bytes) -> None:
    assert refusal(value).reason == DeadLetterReason.NO_FRAMING


def test_a_registrys_id_without_a_registry_is_refused_and_named() -> None:
    problem = refusal(confluent(ID, json.dumps(schema()), transaction_fields()))

    assert (problem.reason, problem.schema) == (DeadLetterReason.NO_REGISTRY, "7")


def test_a_fingerprint_of_no_schema_of_ours_is_refused_and_named() -> None:
    problem = refusal(b"\xc3\x01" + bytes.fromhex("8f5c393f1ad57572"))

    assert (problem.reason, problem.schema) == (DeadLetterReason.UNKNOWN_SCHEMA, "7275d51a3f395c8f")


def test_an_id_that_was_unknown_is_asked_for_again() -> None:
    registry = Listed({})
    avro = decoder(registry)
    value = confluent(ID, json.dumps(schema()), transaction_fields())
    with pytest.raises(Undecodable):
        avro.decode(record(value=value))

    registry.schemas[ID] = schema()

    assert avro.decode(record(value=value)).event_id == "evt-1"


def test_a_registry_that_is_away_is_no_dead_letter() -> None:
    class Away(Listed):
        def by_id(self, schema_id: int | UUID) -> str:
            raise Unavailable("registry", "timeout")

    avro = decoder(Away({}))

    with pytest.raises(Unavailable):
        avro.decode(record(value=b"\x00\x00\x00\x00\x07\x00"))


def test_a_schema_with_a_name_that_is_none_of_ours_is_refused() -> None:
    problem = _refused(schema() | {"name": "LoanGranted"}, transaction_fields())

    assert problem.reason == DeadLetterReason.WRONG_TYPE


def test_preferences_are_no_event_and_an_event_no_preferences() -> None:
    asked, happened = our_bytes("AlertPreferences", preferences_fields()), our_bytes("BalanceChanged", balance_fields())

    assert refusal(asked).reason == DeadLetterReason.WRONG_TYPE
    with pytest.raises(Undecodable) as problem:
        decoder().preferences(record(value=happened))
    assert problem.value.reason == DeadLetterReason.WRONG_TYPE


_DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 4}


@pytest.mark.parametrize(
    ("field", "kind", "value"),
    [
        ("occurred_at", {"type": "long", "logicalType": "local-timestamp-micros"}, NOW.replace(tzinfo=None)),
        ("occurred_at", {"type": "long", "logicalType": "timestamp-nanos"}, 0),
        ("occurred_at", {"type": "int", "logicalType": "date"}, NOW.date()),
        ("occurred_at", "long", 0),
        ("amount", "double", 1.0),
        ("amount", "bytes", b"\x01"),
        ("amount", {"type": "fixed", "name": "F", "size": 17, "logicalType": "decimal", "precision": 20}, Decimal(1)),
        ("amount", _DECIMAL | {"precision": 60, "scale": 50}, Decimal(0)),
        ("amount", ["null", _DECIMAL, "long"], None),
        ("account_sequence", {"type": "long", "logicalType": "timestamp-micros"}, NOW),
        ("account_sequence", ["null", "string"], None),
        ("customer_ids", "string", "cust-1"),
        ("customer_ids", {"type": "array", "items": "long"}, [1]),
        ("direction", "string", "DEBIT"),
        ("event_id", "long", 1),
        ("event_id", {"type": "enum", "name": "Ids", "symbols": ["A"]}, "A"),
    ],
)
def test_a_field_that_cannot_be_read_as_ours_refuses_the_schema_and_is_named(field: str, kind: Any, value: Any) -> None:
    writer = with_field(field, type=kind)
    next(one for one in writer["fields"] if one["name"] == field).pop("default", None)

    problem = _refused(writer, transaction_fields(**{field: value}))

    assert problem.reason == DeadLetterReason.SCHEMA_REFUSED
    assert problem.detail.startswith(f"field {field}: ")


def test_a_field_without_default_that_the_writer_lacks_refuses_the_schema() -> None:
    problem = _refused(without_field("transaction_id"), transaction_fields())

    assert problem.reason == DeadLetterReason.SCHEMA_REFUSED
    assert problem.detail == "field transaction_id: is missing, and has no default"


def test_a_refused_schema_is_fetched_and_judged_once() -> None:
    registry = Listed({ID: without_field("transaction_id")})
    avro = decoder(registry)

    for _ in range(3):
        with pytest.raises(Undecodable):
            avro.decode(record(value=confluent(ID, json.dumps(schema()), transaction_fields())))

    assert registry.asked == [ID]


@pytest.mark.parametrize(
    ("limit", "most"), [("_SCHEMAS_MAX", 3), ("_CHARACTERS_MAX", 3 * len(json.dumps(schema())))], ids=["many", "long"]
)
def test_only_so_many_schemas_are_remembered_and_the_others_learnt_anew(
    limit: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"consumer.adapters.avro.decoder.{limit}", most)
    registry = Listed(dict.fromkeys(range(1, 5), schema()))
    avro = decoder(registry)

    for schema_id in (1, 2, 3, 4, 4, 3, 2, 1):
        avro.decode(record(value=confluent(schema_id, json.dumps(schema()), transaction_fields())))

    assert registry.asked == [1, 2, 3, 4, 1]


def test_a_schema_that_cannot_be_worked_with_for_whatever_reason_is_refused_white_box(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("consumer.adapters.avro.decoder.plan", broken)

    assert _refused(schema(), transaction_fields()).reason == DeadLetterReason.SCHEMA_REFUSED


def test_a_null_where_ours_has_none_is_refused_and_named() -> None:
    problem = _refused(with_field("amount", type=["null", _DECIMAL]), transaction_fields(amount=None))

    assert (problem.reason, problem.detail) == (DeadLetterReason.UNDECODABLE, "field amount: is null")


def test_a_null_among_the_customers_is_refused_and_named() -> None:
    writer = with_field("customer_ids", type={"type": "array", "items": ["null", "string"]})

    problem = _refused(writer, transaction_fields(customer_ids=["cust-1", None]))

    assert (problem.reason, problem.detail) == (DeadLetterReason.UNDECODABLE, "field customer_ids: is null")


def test_bytes_that_are_no_text_where_ours_has_one_are_refused_and_named() -> None:
    problem = _refused(with_field("event_id", type="bytes"), transaction_fields(event_id=b"\xff"))

    assert (problem.reason, problem.detail) == (DeadLetterReason.UNDECODABLE, "field event_id: is no text in UTF-8")


def test_a_symbol_that_decides_which_way_money_goes_is_never_guessed() -> None:
    direction = {"type": "enum", "name": "Direction", "symbols": ["DEBIT", "CREDIT", "SIDEWAYS"]}

    problem = _refused(with_field("direction", type=direction), transaction_fields(direction="SIDEWAYS"))

    assert problem.reason == DeadLetterReason.UNDECODABLE
    assert problem.detail == "field direction: is a symbol that this version does not know"


def test_what_is_decoded_and_impossible_is_refused_by_the_events_own_rule() -> None:
    problem = refusal(our_bytes("TransactionPosted", transaction_fields(card_last_four="42424")))

    assert problem.reason == DeadLetterReason.INVALID_EVENT
    assert problem.detail == "card_last_four is not four digits"


@pytest.mark.parametrize("at", [datetime(1, 1, 1, tzinfo=UTC), datetime(1969, 12, 31, 23, 59, 59, 999999, UTC)])
def test_an_event_before_there_were_computers_at_the_bank_is_refused(at: datetime) -> None:
    problem = refusal(our_bytes("TransactionPosted", transaction_fields(occurred_at=at)))

    assert (problem.reason, problem.detail) == (DeadLetterReason.INVALID_EVENT, "occurred_at lies before 1970")


def test_impossible_preferences_are_refused_by_their_own_rule() -> None:
    value = our_bytes("AlertPreferences", preferences_fields(phone="0340 1234567"))

    with pytest.raises(Undecodable) as problem:
        decoder().preferences(record(value=value))

    assert problem.value.reason == DeadLetterReason.INVALID_PREFERENCES
    assert "0340" not in str(problem.value)


def test_an_event_from_the_future_is_refused() -> None:
    late = NOW + timedelta(minutes=5, microseconds=1)

    problem = refusal(our_bytes("TransactionPosted", transaction_fields(occurred_at=late)))

    assert problem.reason == DeadLetterReason.FROM_FUTURE


def test_a_value_larger_than_any_event_is_not_looked_into() -> None:
    value = our_bytes("TransactionPosted", transaction_fields())

    assert refusal(value.ljust(VALUE_BYTES_MAX, b"\0")).reason == DeadLetterReason.TRAILING_BYTES
    assert refusal(value.ljust(VALUE_BYTES_MAX + 1, b"\0")).reason == DeadLetterReason.TOO_LARGE


def test_an_event_cut_anywhere_is_refused_and_names_the_field() -> None:
    value = our_bytes("TransactionPosted", transaction_fields())

    problems = [refusal(value[:end]) for end in range(10, len(value))]

    assert {problem.reason for problem in problems} == {DeadLetterReason.UNDECODABLE}
    names = [problem.detail.removeprefix("field ").partition(":")[0] for problem in problems]
    assert list(dict.fromkeys(names)) == [field["name"] for field in schema()["fields"]]
    assert not any("cust-1" in str(problem) or "Manzoni" in str(problem) for problem in problems)
