"""A bank that talks: customers who asked for alerts, and a day at their accounts told in half a minute."""

import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from consumer.core.catalogue import Catalogue

TRANSACTION, BALANCE, PREFERENCES = "TransactionPosted", "BalanceChanged", "AlertPreferences"
ROME = "Europe/Rome"
UNLUCKY_PHONE = "+393331234008"
"""The phone whose first text the network swallows the answer to."""


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    """Someone at the bank. `on`: alert kinds asked for, with a threshold in EUR where one was set; None: all, as shipped."""

    id: str
    language: str
    phone: str | None
    account: str
    iban: str
    detail: str = "FULL"
    verified: bool = True
    quiet: bool = False
    on: Mapping[str, str | None] | None = None


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the bank publishes `at_s` seconds after the start: fields of a schema, or bytes that are none."""

    at_s: float
    schema: str
    key: str
    fields: Mapping[str, Any] | None
    raw: bytes = b""
    note: str = ""


ANNA = Customer(id="anna", language="it", phone="+393331234001", account="a-1", iban="IT60X0542811101000000123456")
JOHN = Customer(
    id="john", language="en", phone="+447700900102", account="a-2", iban="GB29NWBK60161331926819", detail="SOME"
)
GIULIA = Customer(id="giulia", language="it", phone="+393331234003", account="a-3", iban="IT40S0542811101000000654321")
MARCO = Customer(
    id="marco", language="en", phone="+393331234004", account="a-3", iban="IT40S0542811101000000654321", detail="NONE"
)
NORA = Customer(
    id="nora", language="it", phone="+393331234005", account="a-5", iban="IT02L1234512345123456789012", quiet=True
)
LUCA = Customer(
    id="luca", language="it", phone="+393331234006", account="a-6", iban="IT73O0300203280232231424145", on={}
)
EMMA = Customer(
    id="emma",
    language="en",
    phone="+447700900107",
    account="a-7",
    iban="GB33BUKB20201555555555",
    verified=False,
)
SVEN = Customer(
    id="sven",
    language="en",
    phone=UNLUCKY_PHONE,
    account="a-8",
    iban="DE89370400440532013000",
    on={"large_debit": "50.00"},
)
CUSTOMERS = (ANNA, JOHN, GIULIA, MARCO, NORA, LUCA, EMMA, SVEN)
_STRANGER = Customer(id="stranger", language="en", phone=None, account="a-9", iban="FR1420041010050500013M02606")

_SHOPS = (
    ("Libreria Manzoni", "5942", "IT"),
    ("Caffè Florian", "5814", "IT"),
    ("Fahrrad Müller", "5940", "DE"),
    ("Trattoria da Gino", "5812", "IT"),
    ("Northern Rail", "4112", "GB"),
    ("Panificio Così", "5462", "IT"),
)


class Bank:
    """Everything it publishes follows from `seed` and `start` (aware UTC): the same day every time."""

    def __init__(self, *, seed: int, start: datetime, catalogue: Catalogue) -> None:
        self._random = random.Random(seed)
        self._start = start
        self._kinds = tuple(kind.name for kind in catalogue.kinds)
        self._serial = 0
        self._sequence = 0

    def preferences(self) -> Iterator[Happening]:
        """What every customer asked for, one record each."""
        for customer in CUSTOMERS:
            yield Happening(at_s=0, schema=PREFERENCES, key=customer.id, fields=self._asked(customer))

    def day(self, start: datetime, duration_s: float, silent_per_s: float) -> list[Happening]:
        """The events of `duration_s` seconds from `start` in their order: what must be told, among what must stay silent."""
        self._start = start
        told = self._highlights(duration_s)
        silent = [self._silent(self._random.uniform(0, duration_s)) for _ in range(round(duration_s * silent_per_s))]
        return sorted((*told, *silent), key=lambda happening: happening.at_s)

    def _highlights(self, duration_s: float) -> list[Happening]:
        at = (duration_s * share for share in _shares(0.04, 0.94, 24))
        purchase = self._transaction(next(at), ANNA, "420.00", note="large card payment")
        pending = self._transaction(next(at), NORA, "310.00", status="AUTHORISED", note="large payment in quiet hours")
        assert purchase.fields is not None
        assert pending.fields is not None
        authorised = self._transaction(next(at), JOHN, "275.50", status="AUTHORISED", note="authorisation")
        assert authorised.fields is not None
        return [
            purchase,
            pending,
            authorised,
            self._transaction(next(at), ANNA, "89.90", channel="ECOMMERCE", note="card not present"),
            self._transaction(next(at), SVEN, "120.00", note="large payment of the unlucky phone"),
            self._transaction(next(at), JOHN, "200.00", channel="ATM", note="cash withdrawal"),
            self._transaction(next(at), (GIULIA, MARCO), "1450.00", channel="TRANSFER", note="joint account"),
            self._transaction(next(at), ANNA, "2150.00", channel="SALARY", direction="CREDIT", note="salary"),
            self._transaction(
                next(at),
                JOHN,
                "275.50",
                id=authorised.fields["transaction_id"],
                note="posting of what was told: silent",
            ),
            self._transaction(next(at), ANNA, "35.00", channel="REFUND", direction="CREDIT", note="refund"),
            self._again(next(at), purchase),
            Happening(at_s=next(at), schema=TRANSACTION, key="a-1", fields=None, raw=b"\x00?", note="not Avro at all"),
            self._transaction(
                next(at),
                NORA,
                "310.00",
                id=pending.fields["transaction_id"],
                status="REVERSED",
                direction="CREDIT",
                note="reversal before it was told: silent",
            ),
            self._balance(next(at), ANNA, "640.00", note="balance, comfortable"),
            self._balance(next(at), ANNA, "38.00", note="low balance"),
            self._balance(next(at), ANNA, "21.00", note="still low: silent"),
            self._balance(next(at), ANNA, "-12.40", note="overdrawn"),
            self._balance(next(at), ANNA, "900.00", note="recovered: silent"),
            self._balance(next(at), ANNA, "15.00", note="low again"),
            self._balance(next(at), GIULIA, "9.00", note="low balance"),
            self._transaction(next(at), NORA, "64.00", channel="ECOMMERCE", note="security, told in quiet hours"),
            self._transaction(next(at), EMMA, "900.00", note="no verified phone: silent"),
            self._transaction(next(at), LUCA, "5000.00", note="everything switched off: silent"),
            self._transaction(next(at), JOHN, "999.00", currency="SEK", note="a currency without a threshold: silent"),
        ]

    def _silent(self, at_s: float) -> Happening:
        customer = self._random.choice((ANNA, JOHN, GIULIA, MARCO, NORA, LUCA, EMMA, SVEN, _STRANGER))
        if self._random.random() < 0.3:  # noqa: PLR2004 - three of ten
            return self._balance(at_s, LUCA, f"{self._random.randrange(50_000, 400_000) / 100:.2f}")
        channel = self._random.choice(("CARD_PRESENT", "TRANSFER", "DIRECT_DEBIT", "FEE"))
        return self._transaction(at_s, customer, f"{self._random.randrange(100, 4_000) / 100:.2f}", channel=channel)

    def _transaction(
        self,
        at_s: float,
        of: Customer | tuple[Customer, ...],
        amount: str,
        *,
        id: str | None = None,  # noqa: A002 - the name it has in the schema
        status: str = "POSTED",
        channel: str = "CARD_PRESENT",
        direction: str = "DEBIT",
        currency: str = "EUR",
        note: str = "",
    ) -> Happening:
        holders = of if isinstance(of, tuple) else (of,)
        name, category, country = self._random.choice(_SHOPS)
        serial = self._next()
        fields = self._account(holders, serial, at_s) | {
            "transaction_id": id or f"tx-{serial}",
            "original_transaction_id": id if status == "REVERSED" else None,
            "amount": Decimal(amount),
            "currency": currency,
            "direction": direction,
            "status": status,
            "channel": channel,
            "card_last_four": "4242" if channel in {"CARD_PRESENT", "ECOMMERCE", "ATM"} else None,
            "counterparty_name": name,
            "merchant_category": category,
            "counterparty_country": country,
            "balance_after": None,
        }
        return Happening(at_s=at_s, schema=TRANSACTION, key=holders[0].account, fields=fields, note=note)

    def _balance(self, at_s: float, of: Customer, available: str, *, note: str = "") -> Happening:
        self._sequence += 1
        holders = tuple(customer for customer in CUSTOMERS if customer.account == of.account)
        fields = self._account(holders, self._next(), at_s) | {
            "available": Decimal(available),
            "currency": "EUR",
            "booked": None,
            "previous_available": None,
            "reason": "MOVEMENT",
        }
        return Happening(at_s=at_s, schema=BALANCE, key=of.account, fields=fields, note=note)

    def _account(self, holders: tuple[Customer, ...], serial: int, at_s: float) -> dict[str, Any]:
        return {
            "event_id": f"evt-{serial}",
            "occurred_at": self._start + timedelta(seconds=at_s),
            "customer_ids": [holder.id for holder in holders],
            "account_id": holders[0].account,
            "account_number": holders[0].iban,
            "account_kind": "CURRENT",
            "account_currency": "EUR",
            "account_sequence": None,
        }

    def _again(self, at_s: float, happening: Happening) -> Happening:
        return msgspec.structs.replace(happening, at_s=at_s, note="redelivered: silent")

    def _asked(self, customer: Customer) -> Mapping[str, Any]:
        minute = _minute_of_day(self._start, ROME)
        asked = dict.fromkeys(self._kinds) if customer.on is None else customer.on
        return {
            "customer_id": customer.id,
            "language": customer.language,
            "time_zone": ROME,
            "phone": customer.phone,
            "phone_verified": customer.verified,
            "detail_level": customer.detail,
            "quiet_from_minute": (minute - 60) % 1440 if customer.quiet else None,
            "quiet_until_minute": (minute + 480) % 1440 if customer.quiet else None,
            "consents": {},
            "alerts": [_alert(kind, threshold) for kind, threshold in asked.items()],
        }

    def _next(self) -> int:
        self._serial += 1
        return self._serial


def _alert(kind: str, threshold: str | None) -> Mapping[str, Any]:
    nothing: list[str] = []
    return {
        "kind": kind,
        "enabled": True,
        "threshold": None if threshold is None else Decimal(threshold),
        "threshold_currency": None if threshold is None else "EUR",
        "repeat": None,
        "filters": {
            "directions": nothing,
            "channels": nothing,
            "merchant_categories": nothing,
            "countries": nothing,
            "account_ids": nothing,
        },
    }


def _minute_of_day(at: datetime, zone: str) -> int:
    local = at.astimezone(ZoneInfo(zone))
    return local.hour * 60 + local.minute


def _shares(first: float, last: float, count: int) -> Iterator[float]:
    for index in range(count):
        yield first + (last - first) * index / (count - 1)
