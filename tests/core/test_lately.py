"""The memory of what was met lately: limited, and true to what is popular."""

from hypothesis import given
from hypothesis import strategies as st

from consumer.core.lately import Lately


def key(number: int) -> bytes:
    return number.to_bytes(2, "big")


def test_what_is_kept_is_known() -> None:
    known = Lately[str](4)

    assert known.keep(key(1), "one") == "one"
    assert (known.get(key(1)), known.get(key(2))) == ("one", None)


def test_what_is_asked_for_again_and_again_outlives_what_is_met_once() -> None:
    known = Lately[str](10)
    known.keep(key(0), "popular")

    for number in range(1, 1000):
        known.keep(key(number), "rare")
        assert known.get(key(0)) == "popular"

    assert known.get(key(1)) is None


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30))), st.integers(2, 12))
def test_it_never_holds_more_than_it_may_nor_says_what_it_was_not_told(
    steps: list[tuple[bool, int]], size_max: int
) -> None:
    known, told = Lately[str](size_max), set[int]()
    for keeps, number in steps:
        if keeps:
            known.keep(key(number), str(number))
            told.add(number)
        else:
            assert known.get(key(number)) in ({None, str(number)} if number in told else {None})
        assert sum(known.get(key(one)) is not None for one in range(31)) <= size_max


@given(st.lists(st.integers(0, 100), min_size=1, max_size=60), st.integers(2, 12))
def test_the_newest_half_is_always_known_white_box(numbers: list[int], size_max: int) -> None:
    known = Lately[int](size_max)
    for number in numbers:
        known.keep(key(number), number)

    newest = list(dict.fromkeys(reversed(numbers)))[: size_max // 2]
    assert [known._young.get(key(one), known.get(key(one))) for one in newest] == newest
