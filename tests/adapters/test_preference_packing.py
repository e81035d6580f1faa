"""Preferences as the table keeps them: whole, small, and understood once for all who asked for the same."""

from datetime import time
from decimal import Decimal

import msgspec
import pytest

from consumer.adapters.preference_table.packing import (
    NAME_BYTES,
    PACKED_MAX,
    WISHES_BYTES_MAX,
    LookUp,
    Packing,
    Wishes,
)
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


def unpacked(packing: Packing, row: bytes, look_up: LookUp, whose: Preferences = FULL) -> Preferences:
    return packing.unpack(row, look_up, whose.customer_id, whose.position.topic)


class Kept:
    """Packs, and keeps apart what is to be kept apart."""

    def __init__(self, packing: Packing) -> None:
        self._packing = packing
        self.wishes: dict[bytes, bytes] = {}

    def row(self, asked: Preferences) -> bytes:
        row, wishes = self._packing.pack(asked)
        self.wishes[row[:NAME_BYTES]] = wishes
        return row

    def unpacked(self, row: bytes) -> Preferences:
        """As what somebody asked for who has the name and the topic of FULL."""
        return unpacked(self._packing, row, self.wishes.get)

    def word(self, asked: Preferences) -> Word:
        return self._packing.word(self.row(asked), self.wishes.get)


@pytest.mark.parametrize("asked", [FULL, BARE])
def test_what_is_packed_comes_back_whole_the_second_time_too(asked: Preferences) -> None:
    kept = Kept(Packing(WORD))

    row = kept.row(asked)

    assert [kept.unpacked(row), kept.unpacked(row)] == [asked, asked]
    assert unpacked(Packing(WORD), row, kept.wishes.get) == asked


def test_the_word_is_made_of_what_was_packed() -> None:
    packing = Packing(WORD)

    assert [Kept(packing).word(asked) for asked in (FULL, BARE)] == [WORD(FULL), WORD(BARE)]
    assert packing.stranger == WORD(None)


def test_customers_who_ask_for_the_same_share_what_is_kept_and_remembered() -> None:
    making = Making()
    kept = Kept(Packing(making))
    three = [only("large_debit", customer_id=f"cust-{number}") for number in range(3)]

    words = [kept.word(one) for one in three]
    alerts = [kept.unpacked(kept.row(one)).alerts for one in three]

    assert len(kept.wishes) == 1
    assert making.made == 1 + 1  # of the stranger, and of these three
    assert words[0] is words[1] is words[2]
    assert alerts[0] is alerts[1] is alerts[2]
    assert kept.word(only("low_balance")) == WORD(only("low_balance")) != words[0]


def test_no_more_is_remembered_than_allowed_and_nothing_is_mistaken_for_it() -> None:
    making = Making()
    kept = Kept(Packing(making, words_max=1))
    asked = [only(), only("large_debit"), only("low_balance"), only()]

    assert [kept.word(one) for one in asked] == [WORD(one) for one in asked]
    assert making.made == 1 + 4  # the first was forgotten when the second came


def test_wishes_are_packed_once_for_all_who_have_one_mapping_of_alerts() -> None:
    packing = Packing(WORD)
    first, second = (msgspec.structs.replace(FULL, customer_id=name) for name in ("anna", "john"))

    (row, wishes), (other_row, other_wishes) = packing.pack(first), packing.pack(second)

    assert wishes is other_wishes
    assert unpacked(packing, row, lambda _: wishes, first) == first
    assert unpacked(packing, other_row, lambda _: wishes, second) == second


@pytest.mark.parametrize(
    "changes", [{"consents": {"marketing": False}}, {"consents": {}}, {"suspended": True}, {"alerts": {}}], ids=str
)
def test_who_shares_alerts_and_nothing_else_has_wishes_of_their_own(changes: dict[str, object]) -> None:
    kept = Kept(Packing(WORD))
    other = msgspec.structs.replace(FULL, **changes)

    rows = [kept.row(asked) for asked in (FULL, other, FULL, other)]

    assert [kept.unpacked(row) for row in rows] == [FULL, other, FULL, other]
    assert len(kept.wishes) == 2


def test_no_more_of_what_was_packed_is_remembered_than_the_limit_white_box() -> None:
    packing = Packing(WORD)
    for number in range(PACKED_MAX + 1):
        packing.pack(preferences(alerts={"large_debit": AlertPreference(enabled=bool(number % 2))}))
    assert len(packing._packed) == PACKED_MAX


def test_of_what_is_very_long_nothing_is_remembered_that_was_packed_white_box() -> None:
    packing = Packing(WORD)
    countries = frozenset(f"C{number}" for number in range(WISHES_BYTES_MAX))
    packing.pack(preferences(alerts={"a": AlertPreference(enabled=True, filters=Filters(countries=countries))}))

    assert len(packing._packed) == 0


def test_wishes_that_are_very_long_are_not_remembered() -> None:
    countries = frozenset(f"C{number}" for number in range(WISHES_BYTES_MAX))
    alert = AlertPreference(enabled=True, filters=Filters(countries=countries))
    kept = Kept(Packing(WORD))

    row = kept.row(preferences(alerts={"large_debit": alert}))

    assert kept.unpacked(row).alerts is not kept.unpacked(row).alerts
    assert kept.unpacked(row).alerts == {"large_debit": alert}


@pytest.mark.parametrize("cut", [0, 3, 16, 20, -1])
def test_what_is_no_longer_whole_is_refused(cut: int) -> None:
    kept = Kept(Packing(WORD))

    with pytest.raises(ValueError, match=r".+"):
        kept.unpacked(kept.row(FULL)[:cut])


def test_a_customer_whose_wishes_are_not_there_is_refused() -> None:
    packing = Packing(WORD)
    row, _ = packing.pack(FULL)

    with pytest.raises(ValueError, match="wishes are not there"):
        unpacked(packing, row, lambda _: None)


def test_nothing_of_what_is_packed_is_shown() -> None:
    packing = Packing(WORD)
    packed = packing.pack(FULL)
    remembered = packing._packed.get(id(FULL.alerts))
    wishes, rest = Wishes(FULL.consents, FULL.alerts, suspended=False), packing._rest_of(packed.row[NAME_BYTES:])

    assert [repr(one) for one in (packed, wishes, rest, remembered)] == [
        "Packed()",
        "Wishes()",
        "Rest()",
        "_KnownWishes()",
    ]


def test_what_is_a_customers_own_takes_little_room() -> None:
    row, _ = Packing(WORD).pack(only("large_debit"))

    assert len(row) < 75
