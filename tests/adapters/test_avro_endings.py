"""Preferences whose alerts many customers share: read once, and never as somebody else's."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from consumer.adapters.avro import AvroDecoder, confluent, endings
from consumer.core.preferences import Preferences
from consumer.errors import DeadLetterReason, Undecodable
from tests.avro import ID, Listed, Schema, alert_fields, decoder, our_bytes, preferences_fields, schema
from tests.builders import record

NAME = "AlertPreferences"
ALERTS = [alert_fields(), alert_fields(kind="low_balance", enabled=False)]


def read(avro: AvroDecoder, value: bytes) -> Preferences:
    return avro.preferences(record(value=value))


def written(**changes: Any) -> bytes:
    return our_bytes(NAME, preferences_fields(**{"alerts": ALERTS} | changes))


def test_customers_with_the_same_alerts_share_them_and_nothing_else() -> None:
    avro = decoder()

    first, second = (
        read(avro, written(customer_id=who, phone=phone))
        for who, phone in (("cust-1", "+393401234567"), ("cust-2", "+447700900123"))
    )

    assert first.alerts is second.alerts
    assert set(first.alerts) == {"large_debit", "low_balance"}
    assert [(one.customer_id, one.phone and one.phone.e164) for one in (first, second)] == [
        ("cust-1", "+393401234567"),
        ("cust-2", "+447700900123"),
    ]


@pytest.mark.parametrize(
    "alerts",
    [[], ALERTS[:1], ALERTS[::-1], [alert_fields(enabled=False), ALERTS[1]], [alert_fields(repeat="ONCE_A_DAY")]],
)
def test_other_alerts_are_read_anew(alerts: list[Mapping[str, Any]]) -> None:
    avro = decoder()
    read(avro, written())

    assert read(avro, written(alerts=alerts)) == read(decoder(), written(alerts=alerts))


@pytest.mark.parametrize("changes", [{"language": "it"}, {"consents": {"marketing": True}}, {"phone": None}])
def test_what_stands_before_known_alerts_is_read_as_ever(changes: Mapping[str, Any]) -> None:
    avro = decoder()
    read(avro, written())

    assert read(avro, written(**changes)) == read(decoder(), written(**changes))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda value: value + b"\x00", DeadLetterReason.TRAILING_BYTES),
        (lambda value: value[:-1], DeadLetterReason.UNDECODABLE),
        (lambda value: value[:14], DeadLetterReason.UNDECODABLE),
        (lambda value: value.replace(b"Europe/Rome", b"Europe/Nome"), DeadLetterReason.INVALID_PREFERENCES),
        (lambda value: value.replace(b"+393401234567", b"0393401234567"), DeadLetterReason.INVALID_PREFERENCES),
    ],
)
def test_what_is_wrong_is_wrong_with_known_alerts_too(spoil: Any, reason: DeadLetterReason) -> None:
    avro = decoder()
    read(avro, written())

    with pytest.raises(Undecodable) as refused:
        read(avro, spoil(written()))

    assert refused.value.reason == reason


def test_alerts_that_are_refused_are_refused_each_time() -> None:
    avro = decoder()
    value = written(alerts=[alert_fields(threshold_currency="EUR")])

    for _ in range(2):
        with pytest.raises(Undecodable) as refused:
            read(avro, value)
        assert refused.value.reason == DeadLetterReason.INVALID_PREFERENCES


def reordered(*first: str) -> Schema:
    document = schema(NAME)
    document["fields"].sort(key=lambda field: field["name"] not in first)
    return document


def test_a_writer_whose_alerts_do_not_stand_last_is_read_whole() -> None:
    writer = reordered("alerts")
    avro = decoder(Listed({ID: writer}))
    value = confluent(ID, json.dumps(writer), preferences_fields(alerts=ALERTS))

    first, second = read(avro, value), read(avro, value)

    assert first == second == read(decoder(), written())
    assert first.alerts is not second.alerts


def test_a_writer_without_alerts_is_refused_as_ours_want_them() -> None:
    writer = schema(NAME)
    writer["fields"] = [field for field in writer["fields"] if field["name"] != "alerts"]
    fields = {name: value for name, value in preferences_fields().items() if name != "alerts"}

    with pytest.raises(Undecodable) as refused:
        read(decoder(Listed({ID: writer})), confluent(ID, json.dumps(writer), fields))

    assert refused.value.reason == DeadLetterReason.SCHEMA_REFUSED


def test_long_endings_and_more_than_the_limit_are_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endings, "ENDINGS_MAX", 1)
    avro = decoder()
    long = [alert_fields(kind=f"kind-{number}-{'x' * 100}") for number in range(50)]

    assert read(avro, written(alerts=long)).alerts is not read(avro, written(alerts=long)).alerts
    first = read(avro, written())
    read(avro, written(alerts=[]))
    assert first.alerts is not read(avro, written()).alerts
