"""The limiter never grants more than the provider does, and never forgets to grant."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.core.limiter import Limiter, Rate
from tests.builders import NOW

NONE = timedelta(0)


def at(seconds: float) -> Any:
    return NOW + timedelta(seconds=seconds)


def limiter(**changes: Any) -> Limiter:
    ordinary = {"parts_per_s": 2.0, "burst_parts": 4.0, "recipient_s": 0.0}
    return Limiter(Rate(**(ordinary | changes)), NOW)


def test_a_full_bucket_grants_its_burst_and_then_says_how_long_to_wait() -> None:
    bucket = limiter()

    granted = [bucket.take(parts=1, recipient=str(n), now=NOW) for n in range(5)]

    assert granted[:4] == [NONE] * 4
    assert granted[4] == timedelta(seconds=0.5, microseconds=1)


def test_what_was_said_to_wait_is_enough() -> None:
    bucket = limiter()
    bucket.take(parts=4, recipient="a", now=NOW)

    wait = bucket.take(parts=3, recipient="b", now=NOW)

    assert bucket.take(parts=3, recipient="b", now=NOW + wait) == NONE


def test_a_refused_take_takes_nothing() -> None:
    bucket = limiter()
    bucket.take(parts=3, recipient="a", now=NOW)

    bucket.take(parts=2, recipient="b", now=NOW)

    assert bucket.take(parts=1, recipient="c", now=NOW) == NONE


def test_the_bucket_never_holds_more_than_its_burst() -> None:
    bucket = limiter()

    assert bucket.room(at(3600)) == 4


def test_a_text_longer_than_the_burst_goes_from_a_full_bucket_and_is_made_up_for() -> None:
    bucket = limiter()

    assert bucket.take(parts=6, recipient="a", now=NOW) == NONE
    assert bucket.room(NOW) == 0
    assert bucket.wait(NOW) == timedelta(seconds=1.5, microseconds=1)


def test_there_is_nothing_to_wait_for_while_there_is_room() -> None:
    assert limiter().wait(NOW) == NONE


def test_a_clock_that_steps_back_grants_nothing_extra() -> None:
    bucket = limiter()
    bucket.take(parts=4, recipient="a", now=at(10))

    assert bucket.room(at(5)) == 0
    assert bucket.room(at(10)) == 0


def test_throttling_halves_the_rate_and_empties_the_bucket() -> None:
    bucket = limiter()

    bucket.slow_down(NOW)

    assert bucket.parts_per_s == 1.0
    assert bucket.room(NOW) == 0


def test_calls_that_were_throttled_together_halve_the_rate_once() -> None:
    bucket = limiter(halving_s=1.0, growth_parts_per_s=0.0)

    for moment in (0.0, 0.3, 0.9):
        bucket.slow_down(at(moment))
    assert bucket.parts_per_s == 1.0

    bucket.slow_down(at(1.0))
    assert bucket.parts_per_s == 0.5


def test_the_rate_never_falls_below_its_floor() -> None:
    bucket = limiter(slowest_parts_per_s=0.4, growth_parts_per_s=0.0)

    for second in range(10):
        bucket.slow_down(at(2.0 * second))

    assert bucket.parts_per_s == 0.4


def test_the_rate_grows_back_slowly_and_not_beyond_what_is_granted() -> None:
    bucket = limiter(growth_parts_per_s=0.1)
    bucket.slow_down(NOW)

    bucket.room(at(5))
    assert bucket.parts_per_s == pytest.approx(1.5)

    bucket.room(at(60))
    assert bucket.parts_per_s == 2.0


def test_one_recipient_gets_one_text_a_second() -> None:
    bucket = limiter(recipient_s=1.0)

    assert bucket.take(parts=1, recipient="a", now=NOW) == NONE
    assert bucket.take(parts=1, recipient="a", now=at(0.25)) == timedelta(seconds=0.75)
    assert bucket.take(parts=1, recipient="b", now=at(0.25)) == NONE
    assert bucket.take(parts=1, recipient="a", now=at(1.0)) == NONE


def test_recipients_are_forgotten_once_they_may_be_texted_again() -> None:
    bucket = limiter(recipient_s=1.0)
    for second in range(50):
        bucket.take(parts=1, recipient=str(second), now=at(2.0 * second))

    assert len(bucket._sent_at) == 1


def test_no_more_recipients_are_remembered_than_the_limit_says() -> None:
    bucket = limiter(burst_parts=50.0, recipient_s=60.0, recipients_max=3)
    for n in range(10):
        bucket.take(parts=1, recipient=str(n), now=NOW)

    assert list(bucket._sent_at) == ["7", "8", "9"]


@pytest.mark.parametrize(
    "changes",
    [
        {"parts_per_s": 0.0},
        {"slowest_parts_per_s": 0.0},
        {"slowest_parts_per_s": 3.0},
        {"burst_parts": 0.5},
        {"halving_s": -1.0},
        {"recipient_s": -1.0},
        {"recipients_max": 0},
    ],
)
def test_a_rate_that_would_never_send_or_never_limit_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"at least|above"):
        limiter(**changes)


@settings(max_examples=100)
@given(
    st.lists(
        st.tuples(st.floats(0, 2), st.integers(1, 6), st.sampled_from("abc"), st.booleans()), min_size=1, max_size=60
    )
)
def test_over_any_span_of_time_no_more_is_granted_than_burst_and_rate_allow(
    asks: list[tuple[float, int, str, bool]],
) -> None:
    bucket, now, granted, longest = limiter(), NOW, 0, 0
    for pause_s, parts, recipient, throttled in asks:
        now += timedelta(seconds=pause_s)
        if throttled:
            bucket.slow_down(now)
        if bucket.take(parts=parts, recipient=recipient, now=now) == NONE:
            granted += parts
            longest = max(longest, parts)

    elapsed_s = (now - NOW).total_seconds()
    assert granted <= 4 + 2.0 * elapsed_s + max(0, longest - 4) + 1e-6
