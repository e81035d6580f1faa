"""The bank of the benchmarks: customers, what they asked for, and events of which one in twenty is told."""

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from confluent_kafka import Producer

from consumer.adapters import resources
from consumer.sandbox.encoding import SingleObjects
from tests.acceptance.stage import alert_fields, preference_fields, transaction_fields
from tests.brokers import Kafka, fresh_topic

PREFERENCES, TRANSACTIONS, BALANCES = "AlertPreferences", "TransactionPosted", "BalanceChanged"
KINDS = (
    "card_not_present",
    "atm_withdrawal",
    "salary_received",
    "refund_or_reversal",
    "large_debit",
    "overdrawn",
    "low_balance",
)
ON = {"large_debit": "100", "low_balance": "50"}
TOLD_ONE_IN = 20
_SILENT_BELOW = 10  # of each twenty: the first is told, those before this one concern customers with alerts on
_FILTER = ["CARD_PRESENT"]  # half of the customers with alerts on want to hear of payments by card only
_FLUSH_S = 120.0


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One record to publish."""

    schema: str
    key: str
    fields: Mapping[str, Any]


def preferences(customers: int) -> Iterator[Told]:
    """A quarter of the customers never said a word, a quarter switched all off, half have two alerts on.

    Half of these want to hear of large payments only where they are by card.
    """
    for number in range(customers):
        if number % 4 == 0:
            continue
        alerts = [
            alert_fields(kind, ON.get(kind)) | {"enabled": kind in ON and _has_alerts_on(number)} for kind in KINDS
        ]
        if _has_filter(number):
            alerts[KINDS.index("large_debit")]["filters"]["channels"] = _FILTER
        fields = preference_fields(customer_id=_customer(number), alerts=alerts)
        yield Told(schema=PREFERENCES, key=_customer(number), fields=fields)


def events(count: int, customers: int, *, balances: int) -> Iterator[Told]:
    """In each hundred: 50 of customers with nothing on, 45 that are silent, 5 that are told.

    Of the silent ones `balances` are comfortable balances of customers who want to hear of low ones until they recover: they
    tell nothing, and change what must be remembered. The others are below the threshold, or past it and filtered out.
    """
    chance, now = random.Random(count), datetime.now(UTC) - timedelta(minutes=1)
    on = [number for number in range(customers) if _has_alerts_on(number)]
    off = [number for number in range(customers) if not _has_alerts_on(number)]
    for number in range(count):
        turn, silent = number % TOLD_ONE_IN, _silent(number)
        who = chance.choice(on if turn < _SILENT_BELOW else off)
        at = now + timedelta(microseconds=number)
        if silent is not None and silent < balances:
            yield Told(schema=BALANCES, key=_account(who), fields=_balance(number, who, at))
        else:
            filtered = silent is not None and _has_filter(who)
            amount = Decimal(
                chance.randrange(100_00, 5_000_00) if turn == 0 or filtered else chance.randrange(1_00, 99_99)
            )
            fields = transaction_fields(
                number,
                customer_ids=[_customer(who)],
                account_id=_account(who),
                amount=amount.scaleb(-2),
                occurred_at=at,
                channel="TRANSFER" if filtered else "CARD_PRESENT",
            )
            yield Told(schema=TRANSACTIONS, key=_account(who), fields=fields)


def published(kafka: Kafka, stream: Iterator[Told], partitions: int) -> dict[str, str]:
    """Publish it all into fresh topics, as Avro single objects; the topics by the schema's name."""
    topics = {name: fresh_topic(kafka, name, partitions) for name in (PREFERENCES, TRANSACTIONS, BALANCES)}
    encode = SingleObjects(resources.schemas())
    producer = Producer(
        {"bootstrap.servers": kafka.bootstrap_servers, "linger.ms": 20, "queue.buffering.max.messages": 0}
    )
    refusals: list[object] = []
    for number, one in enumerate(stream):
        producer.produce(
            topics[one.schema],
            key=one.key,
            value=encode(one.schema, one.fields),
            on_delivery=lambda error, _: refusals.append(error) if error else None,
        )
        if number % 1000 == 0:
            producer.poll(0)
    assert producer.flush(_FLUSH_S) == 0
    assert not refusals, refusals[0]
    return topics


def told(count: int) -> int:
    """How many of so many events make a notice."""
    return len(range(0, count, TOLD_ONE_IN))


def shares(balances: int) -> Mapping[str, str | int | float]:
    """For the report: what the stream is made of."""
    silent = f"50 % of customers with nothing on, {45 - balances} % below the threshold or filtered out"
    return {"told": "5 %", "silent": f"{silent}, {balances} % balances whose standing is kept"}


def _silent(number: int) -> int | None:
    """Which of the 45 silent ones in its hundred an event is, from 0 on; None if it is none of them."""
    twenty, turn = divmod(number % 100, TOLD_ONE_IN)
    return twenty * (_SILENT_BELOW - 1) + turn - 1 if 0 < turn < _SILENT_BELOW else None


def _has_alerts_on(number: int) -> bool:
    return number % 2 == 1


def _has_filter(number: int) -> bool:
    return number % 4 == 3


def _customer(number: int) -> str:
    return f"cust-{number:06d}"


def _account(number: int) -> str:
    return f"acc-{number:06d}"


def _balance(number: int, who: int, at: datetime) -> dict[str, Any]:
    return {
        "customer_ids": [_customer(who)],
        "available": Decimal(640_00 + number % 977).scaleb(-2),
        "currency": "EUR",
        "event_id": f"evt-{number}",
        "occurred_at": at,
        "account_id": _account(who),
        "account_number": "IT60X0542811101000000123456",
        "account_kind": "CURRENT",
        "account_currency": "EUR",
        "account_sequence": number,
        "booked": None,
        "previous_available": None,
        "reason": "MOVEMENT",
    }
