"""The words that are remembered are those that were noted last, whatever else is remembered or forgotten."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.adapters.preference_table.known_words import KnownWords
from consumer.core.screen import Word

NONE = Word(by_currency={}, others=(0, 0, 0))
WORDS = [Word(by_currency={}, others=(number, 0, 0)) for number in range(1, 9)]
CUSTOMERS = st.lists(st.integers(0, 20).map(b"cust-%d".__mod__), max_size=6)
STEPS = st.lists(st.tuples(st.booleans(), CUSTOMERS, st.sampled_from(WORDS)), max_size=30)


def known_of(known: KnownWords, customers: Sequence[bytes]) -> dict[bytes, Word]:
    words, unknown = known.of(customers)
    return {customer: words[at] for at, customer in enumerate(customers) if at not in unknown}


@given(STEPS)
def test_a_word_that_is_known_is_the_one_that_was_noted_last(steps: list[tuple[bool, list[bytes], Word]]) -> None:
    known, told = KnownWords(NONE, slots_max=32, words_max=5), dict[bytes, Word]()
    for notes, customers, word in steps:
        if notes:
            known.note(customers, [word] * len(customers), known.changes)
            told |= dict.fromkeys(customers, word)
        else:
            known.forget(customers)
            told = {customer: one for customer, one in told.items() if customer not in customers}

        found = known_of(known, [b"cust-%d" % number for number in range(21)])
        assert found.items() <= told.items()
        assert not customers or not notes or customers[-1] in found


def test_who_was_forgotten_still_stands_in_the_way_of_those_behind() -> None:
    known = KnownWords(NONE, customers=20, slots_max=64)
    ada, ben = [one for one in (b"cust-%d" % number for number in range(1000)) if not hash(one) & 63][:2]
    known.note([ada, ben], [WORDS[0]] * 2, known.changes)
    known.forget([ada])
    known.note([ben], [WORDS[1]], known.changes)
    known.forget([ben])
    known.note([ada], [WORDS[2]], known.changes)

    assert known.of([ben]) == ([NONE], [0])


@pytest.mark.parametrize("expected", [0, 100_000])
def test_all_are_known_as_long_as_there_is_room_for_them(expected: int) -> None:
    known = KnownWords(NONE, customers=expected)
    everybody = [b"cust-%d" % number for number in range(100_000)]
    words = [WORDS[number % len(WORDS)] for number in range(100_000)]

    for _ in range(1 if expected else 3):  # it becomes larger by forgetting all of it
        known.note(everybody, words, known.changes)

    assert known.of(everybody) == (words, [])
    assert known.of([b"somebody else"]) == ([NONE], [0])


def test_who_finds_no_room_is_not_known_and_the_others_stay() -> None:
    known = KnownWords(NONE, slots_max=64)
    everybody = [b"cust-%d" % number for number in range(1000)]

    for _ in range(5):
        known.note(everybody, [WORDS[0]] * 1000, known.changes)

    _, unknown = known.of(everybody)
    assert len(everybody) - len(unknown) == 64 * 2 // 3
    known.forget(everybody)
    assert len(known.of(everybody)[1]) == 1000


def test_what_was_looked_up_before_something_changed_is_not_noted() -> None:
    known = KnownWords(NONE)
    changes = known.changes
    known.forget([b"ada"])

    known.note([b"ada"], [WORDS[0]], changes)

    assert known.of([b"ada"]) == ([NONE], [0])


def test_no_more_is_used_than_allowed_white_box() -> None:
    few_slots, few_words = KnownWords(NONE, slots_max=64), KnownWords(NONE, words_max=3)

    for number in range(1000):
        for known in (few_slots, few_words):
            known.note([b"cust-%d" % number], [WORDS[number % len(WORDS)]], known.changes)

        assert len(few_slots._table[0]) == len(few_slots._table[1]) == 64
        assert len(few_words._table[2]) <= 2 + 3
