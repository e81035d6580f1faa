"""What the customers of the benchmarks asked for: mostly round figures and some odd ones, as at a bank."""

import random
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar

import msgspec

SAMPLES = 65_536
"""People who were asked; everybody wants what one of them wants. Popular wishes are those of many."""
_ROUND = {
    "large_debit": {
        20: 2,
        50: 8,
        100: 30,
        150: 4,
        200: 14,
        250: 6,
        300: 6,
        500: 16,
        750: 1,
        1000: 10,
        2000: 2,
        5000: 1,
    },
    "low_balance": {10: 2, 20: 4, 50: 25, 100: 28, 150: 4, 200: 12, 250: 4, 300: 6, 500: 10, 1000: 4, 2000: 1},
}
"""Amounts, and how many of a hundred who chose a round one chose this one."""
_WHOLE, _WITH_CENTS = 0.08, 0.06
_ODD_MOST = 2000
_ALSO = {"card_not_present": 0.6, "atm_withdrawal": 0.3, "salary_received": 0.4, "refund_or_reversal": 0.2}
_CHANNELS: Mapping[Sequence[str], int] = {
    (): 70,
    ("CARD_PRESENT",): 15,
    ("CARD_PRESENT", "ECOMMERCE"): 10,
    ("CARD_PRESENT", "ATM"): 5,
}
_LANGUAGES = {"it": 80, "en": 14, "de": 4, "fr": 2}
_TIME_ZONES = {"Europe/Rome": 94, "Europe/London": 2, "Europe/Zurich": 2, "America/New_York": 1, "Asia/Tokyo": 1}
_DETAIL_LEVELS = {"FULL": 60, "SOME": 30, "NONE": 10}
_QUIET_MINUTES = {None: 50, (1320, 420): 25, (1380, 420): 15, (1320, 360): 5, (1410, 450): 3, (0, 480): 2}
"""From and until. Nine hours at most: with more, what occurs while they last may be stale at their end, and not be told."""

Choice = TypeVar("Choice")


class Wishes(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Those of one person.

    `also` on, beside what has a threshold; `large_debit`: of payments from here on, by these `channels` (none named: by
    any); `low_balance`: of less than this. The others change when and how it is told, not whether.
    """

    also: Sequence[str]
    large_debit: Decimal
    low_balance: Decimal
    channels: Sequence[str]
    language: str
    time_zone: str
    detail_level: str
    quiet_minutes: tuple[int, int] | None

    @property
    def heard_of(self) -> tuple[Sequence[str], Decimal, Decimal, Sequence[str]]:
        """What they want to hear of, whatever else they want: all the screen asks for."""
        return self.also, self.large_debit, self.low_balance, self.channels


@lru_cache(SAMPLES)
def wishes_of(sample: int) -> Wishes:
    """Those of this one of the SAMPLES: the same at every call."""
    chance = random.Random(sample)
    return Wishes(
        also=tuple(kind for kind, share in _ALSO.items() if chance.random() < share),
        large_debit=_amount(chance, _ROUND["large_debit"]),
        low_balance=_amount(chance, _ROUND["low_balance"]),
        channels=_one_of(chance, _CHANNELS),
        language=_one_of(chance, _LANGUAGES),
        time_zone=_one_of(chance, _TIME_ZONES),
        detail_level=_one_of(chance, _DETAIL_LEVELS),
        quiet_minutes=_one_of(chance, _QUIET_MINUTES),
    )


def _amount(chance: random.Random, usual: Mapping[int, int]) -> Decimal:
    drawn = chance.random()
    if drawn < _WITH_CENTS:
        return Decimal(chance.randrange(10_00, _ODD_MOST * 100)).scaleb(-2)
    if drawn < _WITH_CENTS + _WHOLE:
        return Decimal(chance.randrange(10, _ODD_MOST))
    return Decimal(_one_of(chance, usual))


def _one_of(chance: random.Random, shares: Mapping[Choice, int]) -> Choice:
    return chance.choices(tuple(shares), tuple(shares.values()))[0]
