"""What happens at the bank of the benchmarks: streams of events, mixed of those that are told and those that are not."""

import random
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum, auto
from typing import Any

import msgspec

from consumer.adapters import resources
from consumer.sandbox.encoding import SingleObjects
from tests.acceptance.stage import transaction_fields
from tests.benchmarks.customers import Customers, account_id, customer_id, wishes
from tests.benchmarks.publishing import Told

TRANSACTIONS, BALANCES = "TransactionPosted", "BalanceChanged"
RECORD_BYTES = 400
"""At most, as the brokers count an event."""


class Sort(Enum):
    """What becomes of an event."""

    NOTHING_ON = auto()  # of customers with nothing on
    MISSED = auto()  # below the threshold or filtered out, of customers with alerts on
    COMFORTABLE = auto()  # a balance above the threshold of who wants to hear of low ones: tells nothing, is remembered
    TOLD = auto()


class Mixture(msgspec.Struct, frozen=True, kw_only=True):
    """`told` of a thousand events are told.

    Of the others ten in nineteen are silent because nothing is on, nine by threshold or filter; a fifth of these nine are
    balances that are told until recovered.
    """

    told: int

    @property
    def name(self) -> str:
        return f"{self.told / 10:g} % told"

    def deck(self) -> list[Sort]:
        """A thousand events, in order of their sorts."""
        quiet = 1000 - self.told
        silent = round(quiet * 45 / 95)
        comfortable = round(silent / 5)
        counts = {
            Sort.NOTHING_ON: quiet - silent,
            Sort.MISSED: silent - comfortable,
            Sort.COMFORTABLE: comfortable,
            Sort.TOLD: self.told,
        }
        return [sort for sort, count in counts.items() for _ in range(count)]

    def shares(self) -> Mapping[str, str | int | float]:
        """For the report: what the stream is made of."""
        deck = self.deck()
        shares = {sort: f"{deck.count(sort) / 10:g} %" for sort in Sort}
        return {
            "told": shares[Sort.TOLD],
            "of customers with nothing on": shares[Sort.NOTHING_ON],
            "below the threshold or filtered out": shares[Sort.MISSED],
            "balances whose standing is kept": shares[Sort.COMFORTABLE],
        }

    def sorts(self, count: int) -> list[Sort]:
        """So many events, each thousand of them shuffled; the same at every call."""
        chance, drawn = random.Random(self.told), list[Sort]()
        while len(drawn) < count:
            deck = self.deck()
            chance.shuffle(deck)
            drawn += deck
        return drawn[:count]

    def told_of(self, count: int) -> int:
        """How many of so many events make a notice."""
        return self.sorts(count).count(Sort.TOLD)


ORDINARY = Mixture(told=50)


def events(mixture: Mixture, count: int, customers: Customers, topics: Mapping[str, str]) -> Iterator[Told]:
    """That many, a minute old; customers are drawn from all there are. `topics` by the schema's name."""
    encode = SingleObjects(resources.schemas())
    chance, start = random.Random(count), datetime.now(UTC) - timedelta(minutes=1)
    for number, sort in enumerate(mixture.sorts(count)):
        who = customers.without_alerts(chance) if sort is Sort.NOTHING_ON else customers.with_alerts(chance)
        at = start + timedelta(microseconds=number)
        if sort is Sort.COMFORTABLE:
            schema, fields = BALANCES, _balance(number, who, at, chance)
        else:
            schema, fields = TRANSACTIONS, _transaction(number, who, at, sort, chance)
        yield Told(topic=topics[schema], key=account_id(who), value=encode(schema, fields))


def _transaction(number: int, who: int, at: datetime, sort: Sort, chance: random.Random) -> dict[str, Any]:
    asked = wishes(who)
    filtered = sort is Sort.MISSED and bool(asked.channels)
    by_card = sort is not Sort.NOTHING_ON or number % 2 == 0
    is_large = sort is Sort.TOLD or filtered or (sort is Sort.NOTHING_ON and number % 4 < 2)
    return transaction_fields(
        number,
        event_id=_identity(chance),
        transaction_id=_identity(chance),
        customer_ids=[customer_id(who)],
        account_id=account_id(who),
        amount=_amount(asked.large_debit, chance, is_large=is_large),
        occurred_at=at,
        channel="CARD_PRESENT" if by_card and not filtered else "TRANSFER",
    )


def _amount(threshold: Decimal, chance: random.Random, *, is_large: bool) -> Decimal:
    """From the threshold up to as much again and 5,000 more, or anything below it."""
    cents = int(threshold * 100)
    return Decimal(chance.randrange(cents, 2 * cents + 5_000_00) if is_large else chance.randrange(1, cents)).scaleb(-2)


def _balance(number: int, who: int, at: datetime, chance: random.Random) -> dict[str, Any]:
    return {
        "customer_ids": [customer_id(who)],
        "available": wishes(who).low_balance + Decimal(number % 977_00).scaleb(-2),
        "currency": "EUR",
        "event_id": _identity(chance),
        "occurred_at": at,
        "account_id": account_id(who),
        "account_number": "IT60X0542811101000000123456",
        "account_kind": "CURRENT",
        "account_currency": "EUR",
        "account_sequence": number,
        "booked": None,
        "previous_available": None,
        "reason": "MOVEMENT",
    }


def _identity(chance: random.Random) -> str:
    """As long as most banks' are, and in no order."""
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))
