"""The memory of what was met lately: limited, and true to what is popular."""

import random
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from consumer.core.lately import Lately


def key(number: int) -> bytes:
    return number.to_bytes(2, "big")


def test_what_is_kept_is_known() -> None:
    known = Lately[bytes, str](4)

    assert known.keep(key(1), "one") == "one"
    assert (known.get(key(1)), known.get(key(2))) == ("one", None)


def test_what_is_asked_for_again_and_again_outlives_what_is_met_once() -> None:
    known = Lately[bytes, str](10)
    known.keep(key(0), "popular")

    for number in range(1, 1000):
        known.keep(key(number), "rare")
        assert known.get(key(0)) == "popular"

    assert known.get(key(1)) is None


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30))), st.integers(1, 12))
def test_it_never_holds_more_than_it_may_nor_says_what_it_was_not_told(
    steps: list[tuple[bool, int]], size_max: int
) -> None:
    known, told = Lately[bytes, str](size_max), set[int]()
    for keeps, number in steps:
        if keeps:
            known.keep(key(number), str(number))
            told.add(number)
        else:
            assert known.get(key(number)) in ({None, str(number)} if number in told else {None})
        assert len(known) == sum(known.get(key(one)) is not None for one in range(31)) <= size_max


@given(st.lists(st.integers(0, 30), max_size=60))
def test_nothing_is_forgotten_while_there_is_room(numbers: list[int]) -> None:
    known = Lately[bytes, int](max(1, len(set(numbers))))

    assert worked_out(known, numbers) == list(dict.fromkeys(numbers))


def test_of_those_asked_for_round_after_round_only_what_has_no_room_is_forgotten() -> None:
    known, rounds = Lately[bytes, int](100), 20

    assert len(worked_out(known, [*range(101)] * rounds)) <= 101 + rounds


def test_what_is_kept_again_takes_no_room_of_others_and_has_its_new_meaning() -> None:
    known = Lately[bytes, str](4)
    for number in (0, 1, 2, 3, 0, 1, 2, 3):
        known.keep(key(number), "first")
    known.keep(key(4), "first")  # those before are old from here on, and the last of them gave way
    for number in range(2):
        known.keep(key(number), "second")

    assert [known.get(key(number)) for number in range(5)] == ["second", "second", "first", None, "first"]


def test_many_threads_share_it_and_none_is_told_what_is_not_so(quick_turns: None) -> None:
    size_max, threads = 2, 4
    known = Lately[bytes, int](size_max)

    def ask(seed: int) -> bool:
        chance = random.Random(seed)
        numbers = [10 * seed + chance.randrange(5) for _ in range(10_000)]
        return all((known.get(key(one)) or known.keep(key(one), one)) == one for one in numbers)

    with ThreadPoolExecutor(threads) as pool:
        assert all(pool.map(ask, range(1, 1 + threads)))

    assert len(known) < size_max + threads


def test_what_several_threads_kept_beyond_the_limit_gives_way_with_the_next_white_box() -> None:
    known = Lately[bytes, int](2)
    known._young.update({key(number): number for number in range(5)})

    known.keep(key(5), 5)

    assert len(known) == 2
    assert known.get(key(5)) == 5


def worked_out(known: Lately[bytes, int], numbers: Iterable[int]) -> list[int]:
    """Those of the `numbers` that were not known when they were asked for; they are kept then."""
    return [known.keep(key(number), number) for number in numbers if known.get(key(number)) is None]
