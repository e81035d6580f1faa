import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.adapters.avro import confluent, single_object
from consumer.adapters.avro.parsing import read_schema
from consumer.adapters.avro.types import SchemaRefused
from consumer.core.event import BalanceChanged, TransactionPosted
from consumer.core.event_fields import event_from_fields as event_from
from consumer.errors import Undecodable
from tests.avro import ID, Listed, Schema, balance_fields, decoder, our_bytes, schema, transaction_fields
from tests.builders import NOW, record

EXAMPLES = settings(max_examples=150, deadline=None)
DECODER = decoder()
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
_CURRENCIES = st.sampled_from(["EUR", "GBP", "JPY"])
_INSTANTS = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    max_value=NOW.replace(tzinfo=None),
    timezones=st.just(UTC),
)
_AMOUNTS = st.decimals(min_value=-(10**15), max_value=10**15, places=4)
_SEQUENCES = st.none() | st.integers(-(2**63), 2**63 - 1)


def _symbols(name: str, field: str) -> st.SearchStrategy[str]:
    found = next(one["type"]["symbols"] for one in schema(name)["fields"] if one["name"] == field)
    return st.sampled_from(found)


_HAPPENED = {
    "customer_ids": st.lists(_TEXTS, min_size=1, max_size=4, unique=True),
    "event_id": _TEXTS,
    "occurred_at": _INSTANTS,
    "account_id": _TEXTS,
    "account_number": _TEXTS,
    "account_kind": _symbols("BalanceChanged", "account_kind"),
    "account_currency": _CURRENCIES,
    "account_sequence": _SEQUENCES,
    "currency": _CURRENCIES,
}
TRANSACTIONS = st.fixed_dictionaries(
    _HAPPENED
    | {
        "amount": _AMOUNTS.map(abs),
        "direction": _symbols("TransactionPosted", "direction"),
        "status": _symbols("TransactionPosted", "status"),
        "channel": _symbols("TransactionPosted", "channel"),
        "transaction_id": _TEXTS,
        "original_transaction_id": st.none() | _TEXTS,
        "card_last_four": st.none() | st.from_regex("[0-9]{4}", fullmatch=True, alphabet="0123456789"),
        "counterparty_name": st.none() | _TEXTS,
        "merchant_category": st.none() | _TEXTS,
        "counterparty_country": st.none() | _TEXTS,
        "balance_after": st.none() | _AMOUNTS,
    }
)
BALANCES = st.fixed_dictionaries(
    _HAPPENED
    | {
        "available": _AMOUNTS,
        "booked": st.none() | _AMOUNTS,
        "previous_available": st.none() | _AMOUNTS,
        "reason": _symbols("BalanceChanged", "reason"),
    }
)


@EXAMPLES
@given(TRANSACTIONS)
def test_every_transaction_is_read_as_it_was_written(fields: dict[str, Any]) -> None:
    event = DECODER.decode(record(value=our_bytes("TransactionPosted", fields)))

    assert event == event_from("bank.events.v1.TransactionPosted", fields)


@EXAMPLES
@given(BALANCES)
def test_every_balance_is_read_as_it_was_written(fields: dict[str, Any]) -> None:
    event = DECODER.decode(record(value=our_bytes("BalanceChanged", fields)))

    assert event == event_from("bank.events.v1.BalanceChanged", fields)


@EXAMPLES
@given(
    st.permutations(schema()["fields"]),
    st.sampled_from([0, 1, 2, 4, 8]),
    st.sampled_from(["timestamp-millis", "timestamp-micros"]),
    st.integers(0, 10**11),
)
def test_order_scale_and_unit_are_the_writers_own_affair(
    fields: list[Schema], scale: int, unit: str, unscaled: int
) -> None:
    amount, at = Decimal(unscaled).scaleb(-scale), NOW - timedelta(milliseconds=unscaled % 10**9)
    writer = schema() | {"fields": [dict(field) for field in fields]}
    for field in writer["fields"]:
        if field["name"] == "amount":
            field["type"] = {"type": "bytes", "logicalType": "decimal", "precision": 30, "scale": scale}
        if field["name"] == "occurred_at":
            field["type"] = {"type": "long", "logicalType": unit}
    value = confluent(ID, json.dumps(writer), transaction_fields(amount=amount, occurred_at=at))

    event = decoder(Listed({ID: writer})).decode(record(value=value))

    assert isinstance(event, TransactionPosted)
    assert (event.amount.amount, event.occurred_at) == (amount, at)
    assert event.amount.amount.as_tuple().exponent == -scale


def _decoded_or_refused(value: bytes) -> bool:
    try:
        event = DECODER.decode(record(value=value))
    except Undecodable as problem:
        return bool(problem.detail)
    return isinstance(event, (TransactionPosted, BalanceChanged))


_HEADERS = [
    our_bytes("TransactionPosted", transaction_fields())[:10],
    our_bytes("BalanceChanged", balance_fields())[:10],
]


@EXAMPLES
@given(st.sampled_from([*_HEADERS, b"", b"\x00"]), st.binary(max_size=200))
def test_any_bytes_are_an_event_or_a_dead_letter(header: bytes, content: bytes) -> None:
    assert _decoded_or_refused(header + content)


@EXAMPLES
@given(st.integers(10, 130), st.integers(0, 255))
def test_an_event_with_any_byte_changed_is_an_event_or_a_dead_letter(place: int, byte: int) -> None:
    value = bytearray(our_bytes("TransactionPosted", transaction_fields()))
    value[place % len(value)] = byte

    assert _decoded_or_refused(bytes(value))


_WORDS = [
    "record",
    "enum",
    "fixed",
    "array",
    "map",
    "bytes",
    "long",
    "null",
    "string",
    "decimal",
    "TransactionPosted",
    "",
]
_KEYS = [
    "type",
    "name",
    "namespace",
    "fields",
    "items",
    "values",
    "symbols",
    "size",
    "default",
    "aliases",
    "logicalType",
]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 40) | st.sampled_from(_WORDS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*_KEYS, "precision"]), inner, max_size=5)
    ),
    max_leaves=25,
)


@EXAMPLES
@given(_JSON, st.sampled_from([field["name"] for field in schema()["fields"]]))
def test_any_json_is_a_schema_or_refused(document: Any, changed: str) -> None:
    whole = schema()
    for field in whole["fields"]:
        if field["name"] == changed:
            field["type"] = document

    for text in (json.dumps(document), json.dumps(whole)):
        try:
            read_schema(text)
        except SchemaRefused as problem:
            assert str(problem)  # noqa: PT017 - refused with a word, or not at all


@EXAMPLES
@given(_JSON, st.binary(max_size=60))
def test_records_of_any_schema_are_an_event_or_a_dead_letter(document: Any, content: bytes) -> None:
    writer = schema()
    writer["fields"].insert(0, {"name": "x", "type": document})
    value = b"\x00\x00\x00\x00\x07" + content + single_object(json.dumps(schema()), transaction_fields())[10:]

    try:
        event = decoder(Listed({ID: writer})).decode(record(value=value))
    except Undecodable as problem:
        assert problem.detail != "the schema cannot be used"  # noqa: PT017 - we know why each schema is refused
    else:
        assert isinstance(event, TransactionPosted)
