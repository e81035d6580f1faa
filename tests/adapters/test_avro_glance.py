"""The leading fields of an event: read where they stand first and mean what they mean in ours, else left alone."""

import json
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from consumer.adapters.avro import AvroDecoder, confluent
from consumer.adapters.avro.decoder import VALUE_BYTES_MAX
from consumer.adapters.avro.density import VALUES_MAX
from consumer.adapters.avro.framing import SCHEMA_HEADER, confluent_header, guid_header
from consumer.core.record import Fetched, Record
from consumer.core.screen import LEADING, Glance, Heading, heading
from tests.avro import (
    ID,
    Listed,
    Schema,
    balance_fields,
    decoder,
    experienced,
    our_bytes,
    preferences_fields,
    schema,
    transaction_fields,
    with_field,
)
from tests.builders import record, transaction


def begun(event_type: str, *symbols: str) -> Heading:
    found = heading(event_type, "EUR", symbols)
    assert found is not None
    return found


ABOUT_A_PAYMENT = begun("TransactionPosted", "DEBIT", "POSTED", "CARD_PRESENT")
ABOUT_A_BALANCE = begun("BalanceChanged")
SEEN = Glance(ABOUT_A_PAYMENT, (b"cust-1",), 2_500_000)
DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 20}


def glance(reader: AvroDecoder, one: Record) -> Glance | None:
    return reader.glances(Fetched([one]))[0]


def glanced(writer: Schema, fields: dict[str, Any]) -> Glance | None:
    """What is seen of the second record of another schema."""
    reader = decoder(Listed({ID: writer}))
    one = record(value=confluent(ID, json.dumps(writer), fields))
    reader.decode(one)
    return glance(reader, one)


def test_the_leading_fields_are_seen_as_they_stand() -> None:
    reader = experienced()

    assert glance(reader, record(value=our_bytes("TransactionPosted", transaction_fields()))) == SEEN
    overdrawn = our_bytes("BalanceChanged", balance_fields(available=Decimal("-0.5")))
    assert glance(reader, record(value=overdrawn)) == Glance(ABOUT_A_BALANCE, (b"cust-1",), -5000)


@pytest.mark.parametrize("name", LEADING)
def test_our_own_schemas_begin_with_what_the_screen_wants(name: str) -> None:
    fields = [field["name"] for field in schema(name)["fields"]]

    assert tuple(fields[: len(LEADING[name])]) == LEADING[name]


def test_the_first_record_of_a_schema_of_ours_is_seen_as_well() -> None:
    assert glance(decoder(), record(value=our_bytes("TransactionPosted", transaction_fields()))) == SEEN


def test_the_first_record_of_another_schema_is_read_in_full() -> None:
    writer = with_field("amount", type=DECIMAL | {"scale": 2})

    unread = record(value=confluent(ID, json.dumps(writer), transaction_fields()))

    assert glance(decoder(Listed({ID: writer})), unread) is None


def test_the_amount_counts_by_the_writers_scale() -> None:
    writer = with_field("amount", type=DECIMAL | {"scale": 2})

    assert glanced(writer, transaction_fields()) == SEEN


def test_a_symbol_that_only_the_writer_knows_is_seen_as_what_it_is_read_as() -> None:
    symbols = ["PIGEON", *schema()["fields"][5]["type"]["symbols"]]
    writer = with_field("channel", type={"type": "enum", "name": "Channel", "symbols": symbols, "default": "OTHER"})

    seen = glanced(writer, transaction_fields(channel="PIGEON"))

    assert seen is not None
    assert seen.heading == heading("TransactionPosted", "EUR", ("DEBIT", "POSTED", "OTHER"))


def reordered() -> Schema:
    document = schema()
    document["fields"].reverse()
    return document


@pytest.mark.parametrize(
    ("writer", "currency"),
    [
        (reordered(), "EUR"),
        (with_field("amount", type=DECIMAL | {"scale": 5}), "EUR"),
        (with_field("amount", type=["null", schema()["fields"][1]["type"]]), "EUR"),
        (with_field("currency", type=["null", "string"]), "EUR"),
        (with_field("currency", type="bytes"), b"EUR"),
        (with_field("customer_ids", type={"type": "array", "items": ["null", "string"]}), "EUR"),
        (with_field("channel", type=["null", schema()["fields"][5]["type"]]), "EUR"),
    ],
)
def test_a_schema_that_begins_otherwise_is_read_in_full(writer: Schema, currency: str | bytes) -> None:
    assert glanced(writer, transaction_fields(currency=currency)) is None


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"neither framing",
        b"\x00\x00\x00\x00\x07unknown to the registry",
        our_bytes("TransactionPosted", transaction_fields())[:14],
        our_bytes("TransactionPosted", transaction_fields()) + bytes(262_144),
        our_bytes("TransactionPosted", transaction_fields(amount=Decimal(0))).replace(
            b"\x02\x00\x06EUR", b"\x00\x06EUR"
        ),
    ],
)
def test_what_cannot_be_read_is_left_to_decode_which_says_why(value: bytes | None) -> None:
    assert glance(experienced(), record(value=value)) is None


@pytest.mark.parametrize(
    "odd",
    [
        {"customer_ids": []},
        {"customer_ids": ["cust-1", ""]},
        {"customer_ids": [f"cust-{number}" for number in range(101)]},
        {"amount": Decimal(-1)},
        {"currency": "euro"},
    ],
)
def test_what_no_event_begins_with_is_left_to_decode(odd: dict[str, Any]) -> None:
    assert glance(experienced(), record(value=our_bytes("TransactionPosted", transaction_fields(**odd)))) is None


def test_a_reversal_is_read_in_full_whatever_anybody_asked_for() -> None:
    reversal = our_bytes("TransactionPosted", transaction_fields(status="REVERSED"))

    assert glance(experienced(), record(value=reversal)) is None


def test_several_customers_and_one_whose_id_is_not_ascii_are_seen() -> None:
    reader = experienced()
    joint = our_bytes("TransactionPosted", transaction_fields(customer_ids=["cust-1", "cust-2"]))
    accented = our_bytes("TransactionPosted", transaction_fields(customer_ids=["è"]))

    assert glance(reader, record(value=joint)) == Glance(SEEN.heading, (b"cust-1", b"cust-2"), SEEN.amount)
    assert glance(reader, record(value=accented)) == Glance(SEEN.heading, ("è".encode(),), SEEN.amount)


def test_of_a_row_of_records_each_is_seen_as_it_would_be_alone() -> None:
    writer = json.dumps(schema("TransactionPosted"))
    reader = decoder(Listed({ID: writer}))
    ours, theirs = our_bytes("TransactionPosted", transaction_fields()), confluent(ID, writer, transaction_fields())
    reader.decode(record(value=theirs))
    guid = (SCHEMA_HEADER, guid_header(UUID(int=7)))
    row = [
        record(value=value, headers=headers)
        for value in (ours, theirs, None, b"", b"\x00", ours + bytes(262_144), ours, ours, theirs)
        for headers in ((), (guid,), (("traceparent", b"00"),))
    ]

    seen = reader.glances(Fetched(row))

    assert seen == [glance(reader, one) for one in row]
    assert seen.count(SEEN) == 10


@pytest.mark.parametrize("longer", [0, 1])
def test_a_value_that_is_too_large_is_left_to_decode_whatever_came_before(longer: int) -> None:
    value = our_bytes("TransactionPosted", transaction_fields())
    filled = value + bytes(VALUE_BYTES_MAX - len(value) + longer)

    seen = experienced().glances(Fetched([record(value=value), record(value=filled), record(value=value)]))

    assert seen == [SEEN, None if longer else SEEN, SEEN]


def test_a_value_that_could_become_too_many_values_is_left_to_decode_whatever_came_before() -> None:
    writer = with_field("amount", type=DECIMAL | {"scale": 2})
    nothing = [{"name": f"nothing_{number}", "type": "null"} for number in range(9)]
    note = {"type": "record", "name": "Note", "fields": [{"name": "number", "type": "int"}, *nothing]}
    writer["fields"].append({"name": "notes", "type": {"type": "array", "items": note}, "default": []})
    reader = decoder(Listed({ID: writer}))
    value = confluent(ID, json.dumps(writer), transaction_fields(notes=[]))
    reader.decode(record(value=value))
    dense = value + bytes(VALUES_MAX // 10)

    assert reader.glances(Fetched([record(value=value), record(value=dense)])) == [SEEN, None]
    assert reader.glances(Fetched([record(value=dense), record(value=dense)])) == [None, None]


def test_an_amount_beyond_its_precision_is_left_to_decode() -> None:
    ours = our_bytes("TransactionPosted", transaction_fields(amount=Decimal(0)))
    beyond = ours.replace(b"\x02\x00\x06EUR", b"\x14" + b"\x7f" * 10 + b"\x06EUR")
    too_long = ours.replace(b"\x02\x00\x06EUR", b"\x22" + b"\x00" * 17 + b"\x06EUR")

    assert beyond != ours != too_long
    assert glance(experienced(), record(value=beyond)) is None
    assert glance(experienced(), record(value=too_long)) is None


def test_preferences_are_no_event() -> None:
    reader = decoder()
    one = record(value=our_bytes("AlertPreferences", preferences_fields()))
    reader.preferences(one)

    assert glance(reader, one) is None


def test_what_stands_behind_the_leading_fields_is_not_looked_at() -> None:
    cut = our_bytes("TransactionPosted", transaction_fields())[:60]

    assert glance(experienced(), record(value=cut)) == SEEN


def test_a_precision_beyond_all_reason_costs_nothing() -> None:
    """Its power of ten would fill any memory."""
    writer = with_field("amount", type=DECIMAL | {"precision": 10**18, "scale": 4})
    arrived = record(value=confluent_header(ID) + our_bytes("TransactionPosted", transaction_fields())[10:])
    reader = decoder(Listed({ID: writer}))

    assert reader.decode(arrived) == transaction()
    assert glance(reader, arrived) == SEEN
