"""Tenacity's strategies tell when a notice is tried again; nothing here waits."""

import random
from datetime import timedelta

from tenacity.stop import stop_after_attempt
from tenacity.wait import wait_fixed

from consumer.backoff import Backoff, exponential

NONE = timedelta(0)


def backoff(*, seed: int = 1, attempts_max: int = 10, total_s: float = 3600.0) -> Backoff:
    return exponential(
        first_s=2.0, longest_s=60.0, attempts_max=attempts_max, total_s=total_s, chance=random.Random(seed)
    )


def test_any_of_tenacitys_strategies_can_tell() -> None:
    fixed = Backoff(wait=wait_fixed(7), stop=stop_after_attempt(3))

    assert fixed.delay(attempts=2, elapsed=NONE) == timedelta(seconds=7)
    assert fixed.delay(attempts=3, elapsed=NONE) is None


def test_waits_double_and_lie_between_half_and_all_of_the_double() -> None:
    for attempts, longest_s in ((1, 2), (2, 4), (3, 8), (4, 16), (9, 60)):
        for seed in range(20):
            delay = backoff(seed=seed).delay(attempts=attempts, elapsed=NONE)

            assert delay is not None
            assert longest_s / 2 <= delay.total_seconds() <= longest_s


def test_the_same_seed_tells_the_same_waits_and_another_seed_others() -> None:
    def told(seed: int) -> list[timedelta | None]:
        made = backoff(seed=seed)
        return [made.delay(attempts=n, elapsed=NONE) for n in range(1, 6)]

    assert told(1) == told(1)
    assert told(1) != told(2)


def test_it_ends_after_the_last_attempt() -> None:
    assert backoff(attempts_max=4).delay(attempts=3, elapsed=NONE) is not None
    assert backoff(attempts_max=4).delay(attempts=4, elapsed=NONE) is None


def test_it_ends_when_the_whole_time_is_over() -> None:
    assert backoff(total_s=60.0).delay(attempts=1, elapsed=timedelta(seconds=59)) is not None
    assert backoff(total_s=60.0).delay(attempts=1, elapsed=timedelta(seconds=60)) is None
