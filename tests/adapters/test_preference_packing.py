"""Preferences as the table keeps them: whole, small, and understood once for all who asked for the same."""

from datetime import time
from decimal import Decimal

import pytest

from consumer.adapters.preference_table.packing import Packing, Wishes
from consumer.core.event import Channel, Direction, Money
from consumer.core.preferences import AlertPreference, Filters, Preferences, QuietHours, Repeat
from consumer.core.screen import Screen, Word
from tests.builders import preferences
from tests.deciding import CATALOGUE, only

WORD = Screen(CATALOGUE).word
FULL = preferences(
    quiet_hours=QuietHours(start=time(22, 30), end=time(7)),
    consents={"marketing": True, "balance": False},
    alerts={
        "large_debit": AlertPreference(
            enabled=True,
            threshold=Money(amount=Decimal("100.0000"), currency="EUR"),
            repeat=Repeat.ONCE_A_DAY,
            filters=Filters(
                directions=frozenset({Direction.DEBIT}),
                channels=frozenset({Channel.ATM, Channel.ECOMMERCE}),
                merchant_categories=frozenset({"5942"}),
                countries=frozenset({"IT"}),
                account_ids=frozenset({"acc-1"}),
            ),
        ),
        "low_balance": AlertPreference(enabled=False),
    },
)
BARE = preferences(phone=None, phone_verified=False, consents={}, alerts={})


class Making:
    """Makes words, and counts them."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, asked: Preferences | None) -> Word:
        self.made += 1
        return WORD(asked)


@pytest.mark.parametrize("asked", [FULL, BARE])
def test_what_is_packed_comes_back_whole_the_second_time_too(asked: Preferences) -> None:
    packing = Packing(WORD)

    packed = packing.pack(asked)

    assert [packing.unpack(packed), packing.unpack(packed)] == [asked, asked]
    assert Packing(WORD).unpack(packed) == asked


def test_the_word_is_made_of_what_was_packed() -> None:
    packing = Packing(WORD)

    assert [packing.word(packing.pack(asked)) for asked in (FULL, BARE)] == [WORD(FULL), WORD(BARE)]
    assert packing.stranger == WORD(None)


def test_customers_who_ask_for_the_same_share_what_is_remembered() -> None:
    making = Making()
    packing = Packing(making)
    packed = [packing.pack(only("large_debit", customer_id=f"cust-{number}")) for number in range(3)]

    words = [packing.word(one) for one in packed]
    alerts = [packing.unpack(one).alerts for one in packed]

    assert making.made == 1 + 1  # of the stranger, and of these three
    assert words[0] is words[1] is words[2]
    assert alerts[0] is alerts[1] is alerts[2]
    assert packing.word(packing.pack(only("low_balance"))) == WORD(only("low_balance")) != words[0]


def test_no_more_is_remembered_than_allowed_and_nothing_is_mistaken_for_it() -> None:
    making = Making()
    packing = Packing(making, known_max=2)
    asked = [only(), only("large_debit"), only("low_balance"), only()]

    assert [packing.word(packing.pack(one)) for one in asked] == [WORD(one) for one in asked]
    assert making.made == 1 + 4  # the first was forgotten when the third came


@pytest.mark.parametrize("cut", [0, 3, 4, 20, -1])
def test_what_is_no_longer_whole_is_refused(cut: int) -> None:
    packing = Packing(WORD)

    with pytest.raises(ValueError, match=r".+"):
        packing.unpack(packing.pack(FULL)[:cut])


def test_nothing_of_what_is_packed_is_shown() -> None:
    shown = [repr(Wishes(FULL.consents, FULL.alerts, suspended=False)), repr(Packing(WORD)._rest_of(rest_of(FULL)))]

    assert shown == ["Wishes()", "Rest()"]


def rest_of(asked: Preferences) -> bytes:
    packed = Packing(WORD).pack(asked)
    return packed[4 + int.from_bytes(packed[:4], "little") :]


def test_most_of_what_is_as_by_default_takes_little_room() -> None:
    assert len(Packing(WORD).pack(only("large_debit"))) < 400
