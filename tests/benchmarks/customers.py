"""The customers of the benchmarks: who they are, and what they asked for."""

import random
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum, auto
from typing import Any

import msgspec

from consumer.adapters import resources
from consumer.sandbox.encoding import SingleObjects
from tests.acceptance.stage import alert_fields, preference_fields
from tests.benchmarks.publishing import Told
from tests.benchmarks.wishes import SAMPLES, Wishes, wishes_of

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
_SCATTER, _IDS = 2_654_435_761, 2**32
_NOBODY, _NO_PHONE = "cust-nnnnnnnnnn", "+39340nnnnnnn"


class Switches(Enum):
    """What a customer's record says of alerts."""

    ON = auto()
    OFF = auto()  # with what was asked for before they were switched off
    NEVER_ON = auto()


class Customers(msgspec.Struct, frozen=True, kw_only=True):
    """They have numbers: those below `count` have preferences, half as many more never said a word.

    Of those with preferences the odd ones have alerts on, and each asked for something of their own or for what others
    want too. The even ones have all off; a quarter of these had alerts on once, and their records still tell which.
    """

    count: int

    def with_alerts(self, chance: random.Random) -> int:
        """Anyone who has alerts on."""
        return 2 * chance.randrange(self.count // 2) + 1

    def without_alerts(self, chance: random.Random) -> int:
        """Anyone who has nothing on, whether they switched it off or never said a word."""
        drawn = chance.randrange(self.count)
        return drawn if drawn % 2 == 0 else self.count + drawn // 2

    def sets_of_wishes(self) -> int:
        """How many different things are asked for by those who have alerts on."""
        return len({wishes_of(sample).heard_of for sample in range(min(SAMPLES, self.count // 2))})

    def records(self, topic: str) -> Iterator[Told]:
        """Their preferences; written like that because millions of them take fastavro hours."""
        encode = SingleObjects(resources.schemas())
        templates: dict[tuple[int, Switches], Sequence[bytes]] = {}
        for number in range(self.count):
            same = _sample(number), switches(number)
            if same not in templates:
                templates[same] = _template(encode, number)
            head, middle, tail = templates[same]
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


def switches(number: int) -> Switches:
    if number % 2 == 1:
        return Switches.ON
    return Switches.OFF if number % 8 == 0 else Switches.NEVER_ON


def wishes(number: int) -> Wishes:
    """What this customer asked for, where alerts are on or were on once."""
    return wishes_of(_sample(number))


def fields(number: int, **changes: Any) -> Mapping[str, Any]:
    """The customer's preferences, as the schema has them."""
    asked, quiet = wishes(number), wishes(number).quiet_minutes or (None, None)
    return (
        preference_fields(
            customer_id=customer_id(number),
            phone=phone(number),
            language=asked.language,
            time_zone=asked.time_zone,
            detail_level=asked.detail_level,
            quiet_from_minute=quiet[0],
            quiet_until_minute=quiet[1],
            alerts=_alerts(asked, switches(number)),
        )
        | changes
    )


def _sample(number: int) -> int:
    return number // 2 % SAMPLES


def _alerts(asked: Wishes, switched: Switches) -> list[dict[str, Any]]:
    if switched is Switches.NEVER_ON:
        return [alert_fields(kind) | {"enabled": False} for kind in KINDS]
    thresholds = {"large_debit": str(asked.large_debit), "low_balance": str(asked.low_balance)}
    wanted = (*thresholds, *asked.also) if switched is Switches.ON else ()
    alerts = {kind: alert_fields(kind, thresholds.get(kind)) | {"enabled": kind in wanted} for kind in KINDS}
    alerts["large_debit"]["filters"]["channels"] = list(asked.channels)
    return list(alerts.values())


def _template(encode: SingleObjects, number: int) -> Sequence[bytes]:
    """The record of everybody who asked for the same as this one: what stands before, between and after id and phone."""
    whole = encode(PREFERENCES, fields(number, customer_id=_NOBODY, phone=_NO_PHONE))
    head, rest = whole.split(_NOBODY.encode())
    middle, tail = rest.split(_NO_PHONE.encode())
    return head, middle, tail
