"""Records in Avro to test with: our schemas, variations of them, and fields that fit."""

import copy
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from consumer.adapters import resources
from consumer.adapters.avro import AvroDecoder, confluent, single_object
from consumer.core.event import BalanceChanged, Event
from consumer.errors import DeadLetterReason, Undecodable
from consumer.ports import SchemaVersions, WriterSchemas
from tests.builders import IBAN, NOW, PHONE, record

SCHEMAS = resources.schemas()
ID = 7
Schema = dict[str, Any]


def schema(name: str = "TransactionPosted") -> Schema:
    """One of our schemas, to be changed at will."""
    document: Schema = json.loads((SCHEMAS / name / "v1.avsc").read_text(encoding="utf-8"))
    return document


def with_field(changed: str, /, name: str = "TransactionPosted", **changes: Any) -> Schema:
    """One of our schemas with a field changed: `type`, `name`, ..."""
    document = schema(name)
    next(field for field in document["fields"] if field["name"] == changed).update(copy.deepcopy(changes))
    return document


def without_field(absent: str, name: str = "TransactionPosted") -> Schema:
    document = schema(name)
    document["fields"] = [field for field in document["fields"] if field["name"] != absent]
    return document


def transaction_fields(**changes: Any) -> dict[str, Any]:
    return {
        "customer_ids": ["cust-1"],
        "amount": Decimal("250.00"),
        "currency": "EUR",
        "direction": "DEBIT",
        "status": "POSTED",
        "channel": "CARD_PRESENT",
        "event_id": "evt-1",
        "occurred_at": NOW - timedelta(seconds=5),
        "transaction_id": "tx-1",
        "original_transaction_id": None,
        "account_id": "acc-1",
        "account_number": IBAN,
        "account_kind": "CURRENT",
        "account_currency": "EUR",
        "account_sequence": None,
        "card_last_four": "4242",
        "counterparty_name": "Libreria Manzoni",
        "merchant_category": "5942",
        "counterparty_country": "IT",
        "balance_after": Decimal("1200.00"),
    } | changes


def balance_fields(**changes: Any) -> dict[str, Any]:
    return {
        "customer_ids": ["cust-1"],
        "available": Decimal("40.00"),
        "currency": "EUR",
        "event_id": "evt-2",
        "occurred_at": NOW - timedelta(seconds=5),
        "account_id": "acc-1",
        "account_number": IBAN,
        "account_kind": "CURRENT",
        "account_currency": "EUR",
        "account_sequence": 7,
        "booked": Decimal("45.00"),
        "previous_available": None,
        "reason": "MOVEMENT",
    } | changes


def preferences_fields(**changes: Any) -> dict[str, Any]:
    return {
        "customer_id": "cust-1",
        "language": "en",
        "time_zone": "Europe/Rome",
        "phone": PHONE,
        "phone_verified": True,
        "detail_level": "FULL",
        "quiet_from_minute": None,
        "quiet_until_minute": None,
        "consents": {},
        "alerts": [],
    } | changes


def alert_fields(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "large_debit",
        "enabled": True,
        "threshold": None,
        "threshold_currency": None,
        "repeat": None,
        "filters": {
            "directions": [],
            "channels": [],
            "merchant_categories": [],
            "countries": [],
            "account_ids": [],
        },
    } | changes


def fields_of(event: Event) -> dict[str, Any]:
    """What a core system would write of this event."""
    happened = {
        "customer_ids": list(event.customer_ids),
        "event_id": event.event_id,
        "occurred_at": event.occurred_at,
        "account_id": event.account.id,
        "account_number": event.account.number,
        "account_kind": event.account.kind.upper(),
        "account_currency": event.account.currency,
        "account_sequence": event.account_sequence,
    }
    if isinstance(event, BalanceChanged):
        previous = event.previous_available
        return happened | {
            "available": event.available.amount,
            "currency": event.available.currency,
            "booked": None if event.booked is None else event.booked.amount,
            "previous_available": None if previous is None else previous.amount,
            "reason": event.reason.upper(),
        }
    return happened | {
        "amount": event.amount.amount,
        "currency": event.amount.currency,
        "direction": event.direction.upper(),
        "status": event.status.upper(),
        "channel": event.channel.upper(),
        "transaction_id": event.transaction_id,
        "original_transaction_id": event.original_transaction_id,
        "card_last_four": event.card_last_four,
        "counterparty_name": event.counterparty.name,
        "merchant_category": event.counterparty.mcc,
        "counterparty_country": event.counterparty.country,
        "balance_after": None if event.balance_after is None else event.balance_after.amount,
    }


class Listed:
    """What a registry knows, from a dictionary; counts what it was asked."""

    def __init__(self, schemas: Mapping[Any, Schema | str]) -> None:
        self.schemas = dict(schemas)
        self.asked: list[int | UUID] = []

    def by_id(self, schema_id: int | UUID) -> str:
        self.asked.append(schema_id)
        if schema_id not in self.schemas:
            raise Undecodable(DeadLetterReason.UNKNOWN_SCHEMA, "not listed", schema=str(schema_id))
        found = self.schemas[schema_id]
        return found if isinstance(found, str) else json.dumps(found)

    def by_guid(self, guid: UUID) -> str:
        return self.by_id(guid)

    def by_version(self, version: UUID) -> str:
        return self.by_id(version)


def decoder(
    registry: WriterSchemas | None = None,
    now: Callable[[], datetime] = lambda: NOW,
    glue: SchemaVersions | None = None,
) -> AvroDecoder:
    return AvroDecoder(schemas=SCHEMAS, registry=registry, glue=glue, now=now)


def our_bytes(name: str, fields: Mapping[str, Any]) -> bytes:
    """A single object by our own schema."""
    return single_object(json.dumps(schema(name)), fields)


def experienced() -> AvroDecoder:
    """A decoder that has seen one record of each of our schemas of events: from the next one on it glances."""
    made = decoder()
    for name, fields in (("TransactionPosted", transaction_fields()), ("BalanceChanged", balance_fields())):
        made.decode(record(value=our_bytes(name, fields)))
    return made


def decoded(writer: Schema, fields: Mapping[str, Any]) -> Event:
    """The event, written by another schema that a registry knows."""
    value = confluent(ID, json.dumps(writer), fields)
    return decoder(Listed({ID: writer})).decode(record(value=value))


def refusal(value: bytes | None, registry: WriterSchemas | None = None) -> Undecodable:
    """Why the value is no event."""
    try:
        decoder(registry).decode(record(value=value))
    except Undecodable as problem:
        return problem
    raise AssertionError("it was decoded")
