"""The customers of the benchmarks: who they are, and what they asked for."""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from consumer.adapters import resources
from consumer.sandbox.encoding import SingleObjects
from tests.acceptance.stage import alert_fields, preference_fields
from tests.benchmarks.publishing import Told

PREFERENCES = "AlertPreferences"
RECORD_BYTES = 400
"""At most, as the brokers count a record of preferences."""
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
_FILTER = ["CARD_PRESENT"]
_SCATTER, _IDS = 2_654_435_761, 2**32
_NOBODY, _NO_PHONE = "cust-nnnnnnnnnn", "+39340nnnnnnn"


class Customers(msgspec.Struct, frozen=True, kw_only=True):
    """They have numbers: those below `count` have preferences, half as many more never said a word.

    Of those with preferences the even ones switched all off. The odd ones have two alerts on, and half of these want to hear
    of large payments only where they are by card.
    """

    count: int

    def with_alerts(self, chance: random.Random) -> int:
        """Anyone who has alerts on."""
        return 2 * chance.randrange(self.count // 2) + 1

    def without_alerts(self, chance: random.Random) -> int:
        """Anyone who has nothing on, whether they switched it off or never said a word."""
        drawn = chance.randrange(self.count)
        return drawn if drawn % 2 == 0 else self.count + drawn // 2

    def records(self, topic: str) -> Iterator[Told]:
        """Their preferences; written like that because millions of them take fastavro hours."""
        templates = [_template(number) for number in range(4)]
        for number in range(self.count):
            head, middle, tail = templates[number % 4]
            who = customer_id(number)
            value = b"".join((head, who.encode(), middle, phone(number).encode(), tail))
            yield Told(topic=topic, key=who, value=value)


def customer_id(number: int) -> str:
    """Scattered: a real topic is in the order of last changes, so neighbours there are no neighbours in the table."""
    return f"cust-{number * _SCATTER % _IDS:010d}"


def account_id(number: int) -> str:
    """Each customer has one account."""
    return f"acc-{number * _SCATTER % _IDS:010d}"


def phone(number: int) -> str:
    return f"+39340{number % 10_000_000:07d}"


def has_filter(number: int) -> bool:
    """Whether large payments by other means than cards are of no interest to this customer, who has alerts on."""
    return number % 4 == 3


def fields(number: int, **changes: Any) -> Mapping[str, Any]:
    """What a customer asked for, as the schema has it."""
    alerts = [alert_fields(kind, ON.get(kind)) | {"enabled": kind in ON and number % 2 == 1} for kind in KINDS]
    if has_filter(number):
        alerts[KINDS.index("large_debit")]["filters"]["channels"] = _FILTER
    return preference_fields(customer_id=customer_id(number), phone=phone(number), alerts=alerts) | changes


def _template(number: int) -> Sequence[bytes]:
    """The record of everybody who asked for the same as this one: what stands before, between and after id and phone."""
    encode = SingleObjects(resources.schemas())
    whole = encode(PREFERENCES, fields(number, customer_id=_NOBODY, phone=_NO_PHONE))
    head, rest = whole.split(_NOBODY.encode())
    middle, tail = rest.split(_NO_PHONE.encode())
    return head, middle, tail
