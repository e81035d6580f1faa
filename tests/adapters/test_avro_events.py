import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from consumer.adapters.avro import confluent
from consumer.core.event import AccountKind, BalanceReason, Channel, Counterparty, TransactionPosted
from consumer.core.preferences import DetailLevel, Repeat
from tests.avro import (
    ID,
    Listed,
    Schema,
    alert_fields,
    balance_fields,
    decoded,
    decoder,
    our_bytes,
    preferences_fields,
    schema,
    transaction_fields,
    with_field,
    without_field,
)
from tests.builders import NOW, balance, euros, preferences, record, transaction


def test_a_transaction_is_read_as_it_was_written() -> None:
    value = our_bytes("TransactionPosted", transaction_fields())

    assert decoder().decode(record(value=value)) == transaction()


def test_a_balance_is_read_as_it_was_written() -> None:
    value = our_bytes("BalanceChanged", balance_fields())

    assert decoder().decode(record(value=value)) == balance(reason=BalanceReason.MOVEMENT)


def test_preferences_are_read_as_they_were_written() -> None:
    alert = alert_fields(threshold=Decimal("99.50"), threshold_currency="EUR", repeat="ONCE_A_DAY")
    value = our_bytes("AlertPreferences", preferences_fields(consents={"marketing": False}, alerts=[alert]))
    position = preferences().position

    read = decoder().preferences(record(value=value, position=position))

    assert read == preferences(consents={"marketing": False}, alerts=read.alerts)
    assert read.alerts["large_debit"].threshold == euros("99.50")
    assert read.alerts["large_debit"].repeat is Repeat.ONCE_A_DAY


def test_a_single_object_needs_no_registry_and_asks_none() -> None:
    registry = Listed({})

    decoder(registry).decode(record(value=our_bytes("TransactionPosted", transaction_fields())))

    assert registry.asked == []


def test_a_registry_is_asked_once_for_a_schema() -> None:
    registry = Listed({ID: schema()})
    avro = decoder(registry)
    value = confluent(ID, json.dumps(schema()), transaction_fields())

    events = [avro.decode(record(value=value)) for _ in range(3)]

    assert events == [transaction()] * 3
    assert registry.asked == [ID]


def test_the_topic_does_not_tell_the_type() -> None:
    value = our_bytes("BalanceChanged", balance_fields())

    assert (
        type(decoder().decode(record(value=value))).__name__ == "BalanceChanged"
    )  # the record lies among transactions


@pytest.mark.parametrize("scale", [0, 2, 4, 9])
def test_the_scale_is_the_writers(scale: int) -> None:
    cents = {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": scale}

    event = decoded(with_field("amount", type=cents), transaction_fields(amount=Decimal("-0") + 1250))

    assert isinstance(event, TransactionPosted)
    assert event.amount.amount == 1250
    assert event.amount.amount.as_tuple().exponent == -scale


def test_a_decimal_of_sixteen_bytes_keeps_every_digit() -> None:
    wide = {"type": "fixed", "name": "Wide", "size": 16, "logicalType": "decimal", "precision": 38, "scale": 4}
    amount = Decimal("9999999999999999999999999999999999.9999")

    event = decoded(with_field("amount", type=wide), transaction_fields(amount=amount))

    assert isinstance(event, TransactionPosted)
    assert event.amount.amount == amount


@pytest.mark.parametrize(
    ("logical", "at"),
    [
        ("timestamp-micros", datetime(2026, 11, 22, 13, 29, 59, 123456, UTC)),
        ("timestamp-millis", datetime(2026, 11, 22, 13, 29, 59, 123000, UTC)),
        ("timestamp-micros", datetime(1970, 1, 1, tzinfo=UTC)),
        ("timestamp-millis", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_the_unit_of_an_instant_is_the_writers(logical: str, at: datetime) -> None:
    writer = with_field("occurred_at", type={"type": "long", "logicalType": logical})

    assert decoded(writer, transaction_fields(occurred_at=at)).occurred_at == at


def _nullable_amount() -> Schema:
    return with_field("amount", type=["null", schema()["fields"][1]["type"]])


@pytest.mark.parametrize(
    ("writer", "changes", "expected"),
    [
        (lambda: without_field("counterparty_name"), {}, {"counterparty": Counterparty(mcc="5942", country="IT")}),
        (lambda: without_field("balance_after"), {}, {"balance_after": None}),
        (lambda: without_field("account_kind"), {}, {"account": None}),
        (lambda: with_field("event_id", type="bytes"), {"event_id": b"evt-1"}, {}),
        (
            lambda: with_field("account_sequence", type=["null", "int"]),
            {"account_sequence": 3},
            {"account_sequence": 3},
        ),
        (lambda: with_field("account_sequence", type="null"), {}, {}),
        (lambda: with_field("currency", type=["string", "null"]), {}, {}),
        (_nullable_amount, {}, {}),
    ],
    ids=[
        "nullable",
        "nullable decimal",
        "enum",
        "bytes as text",
        "int as long",
        "always null",
        "null last",
        "nullable",
    ],
)
def test_what_a_writer_has_in_another_way_is_read_as_ours(
    writer: Callable[[], Schema], changes: dict[str, Any], expected: dict[str, Any]
) -> None:
    event = decoded(writer(), transaction_fields(**changes))

    if "account" in expected:
        assert event.account.kind is AccountKind.OTHER
    else:
        assert event == transaction(**expected)


def test_what_only_the_writer_has_is_left_aside() -> None:
    writer = schema()
    extra = {"type": "record", "name": "Extra", "fields": [{"name": "deep", "type": ["null", "string", "long"]}]}
    writer["fields"].insert(3, {"name": "branch_office", "type": {"type": "array", "items": extra}})

    event = decoded(writer, transaction_fields(branch_office=[{"deep": "x"}, {"deep": 3}, {"deep": None}]))

    assert event == transaction()


def test_a_symbol_that_only_the_writer_knows_is_read_as_the_default_of_ours() -> None:
    channel = {"type": "enum", "name": "Channel", "symbols": ["PIGEON", "ATM"]}
    writer = with_field("channel", type=channel)

    events = [decoded(writer, transaction_fields(channel=symbol)) for symbol in channel["symbols"]]

    assert [event.channel for event in events if isinstance(event, TransactionPosted)] == [Channel.OTHER, Channel.ATM]


def test_a_level_of_detail_that_only_the_writer_knows_tells_the_least() -> None:
    writer = schema("AlertPreferences")
    next(field for field in writer["fields"] if field["name"] == "detail_level")["type"]["symbols"] = ["FULL", "ALL"]
    writer["fields"][5].pop("default")
    writer["fields"][5]["type"].pop("default")
    value = confluent(ID, json.dumps(writer), preferences_fields(detail_level="ALL"))

    read = decoder(Listed({ID: writer})).preferences(record(value=value))

    assert read.detail_level is DetailLevel.NONE


def test_an_event_a_little_ahead_of_our_clock_is_believed() -> None:
    value = our_bytes("TransactionPosted", transaction_fields(occurred_at=NOW + timedelta(minutes=5)))

    assert decoder().decode(record(value=value)).occurred_at == NOW + timedelta(minutes=5)
