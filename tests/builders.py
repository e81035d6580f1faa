"""Values for tests: complete and ordinary, with a keyword for whatever an example is about."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from consumer.core.catalogue import InDoubtPolicy
from consumer.core.event import (
    Account,
    AccountKind,
    BalanceChanged,
    Channel,
    Counterparty,
    Direction,
    Money,
    TransactionPosted,
    TransactionStatus,
)
from consumer.core.masking import MaskedDigits, MaskedInstant, MaskedMoney
from consumer.core.notice import EventKey, Notice
from consumer.core.preferences import AlertPreference, DetailLevel, Phone, Preferences
from consumer.core.pseudonym import Pseudonyms
from consumer.core.record import Position, Record

NOW = datetime(2026, 11, 22, 13, 30, tzinfo=UTC)
PREFERENCES_TOPIC = "bank.alert-preferences.v1"
PSEUDONYMS = Pseudonyms(b"a key that only the tests use")
IBAN = "IT60X0542811101000000123456"
PHONE = "+393401234567"


def euros(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


def account(**changes: Any) -> Account:
    ordinary = Account(id="acc-1", number=IBAN, kind=AccountKind.CURRENT, currency="EUR")
    return msgspec.structs.replace(ordinary, **changes)


def transaction(**changes: Any) -> TransactionPosted:
    ordinary = TransactionPosted(
        event_id="evt-1",
        occurred_at=NOW - timedelta(seconds=5),
        customer_ids=("cust-1",),
        account=account(),
        transaction_id="tx-1",
        direction=Direction.DEBIT,
        status=TransactionStatus.POSTED,
        channel=Channel.CARD_PRESENT,
        amount=euros("250.00"),
        card_last_four="4242",
        counterparty=Counterparty(name="Libreria Manzoni", mcc="5942", country="IT"),
        balance_after=euros("1200.00"),
    )
    return msgspec.structs.replace(ordinary, **changes)


def balance(**changes: Any) -> BalanceChanged:
    ordinary = BalanceChanged(
        event_id="evt-2",
        occurred_at=NOW - timedelta(seconds=5),
        customer_ids=("cust-1",),
        account=account(),
        account_sequence=7,
        available=euros("40.00"),
        booked=euros("45.00"),
    )
    return msgspec.structs.replace(ordinary, **changes)


def preferences(**changes: Any) -> Preferences:
    ordinary = Preferences(
        customer_id="cust-1",
        language="en",
        time_zone="Europe/Rome",
        detail_level=DetailLevel.FULL,
        phone=Phone(PHONE),
        phone_verified=True,
        alerts={
            name: AlertPreference(enabled=True)
            for name in (
                "large_debit",
                "card_not_present",
                "atm_withdrawal",
                "salary_received",
                "refund_or_reversal",
                "low_balance",
                "overdrawn",
            )
        },
        position=Position(topic=PREFERENCES_TOPIC, partition=0, offset=3),
    )
    return msgspec.structs.replace(ordinary, **changes)


def record(**changes: Any) -> Record:
    ordinary = Record(
        position=Position(topic="bank.transactions.v1", partition=0, offset=12),
        key=b"acc-1",
        value=b"",
        timestamp_ms=int((NOW - timedelta(seconds=4)).timestamp() * 1000),
    )
    return msgspec.structs.replace(ordinary, **changes)


def notice(**changes: Any) -> Notice:
    ordinary = Notice(
        key=EventKey(tenant="default", event_type="TransactionPosted", event_id="evt-1", customer_id="cust-1"),
        kind="large_debit",
        also=(),
        alert_class="transaction",
        rank=1,
        in_doubt=InDoubtPolicy.HOLD,
        detail_level=DetailLevel.FULL,
        values={
            "amount": MaskedMoney(amount=Decimal("250.00"), currency="EUR"),
            "account": MaskedDigits(last_four="3456"),
            "occurred_at": MaskedInstant(at=NOW - timedelta(seconds=5)),
        },
        facts={"amount": "250.00 EUR", "threshold": "100.00 EUR"},
        catalogue_version="1",
        occurred_at=NOW - timedelta(seconds=5),
        recorded_at=NOW,
        stale_at=NOW + timedelta(hours=12),
        not_before=NOW,
        record=Position(topic="bank.transactions.v1", partition=0, offset=12),
        record_timestamp=NOW - timedelta(seconds=4),
        preferences=Position(topic=PREFERENCES_TOPIC, partition=0, offset=3),
        traceparent=None,
        transaction_id="tx-1",
        occurrences=(),
    )
    return msgspec.structs.replace(ordinary, **changes)
