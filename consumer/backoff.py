"""When a notice that was surely not sent is tried again, and when no more: told by tenacity's strategies."""

import random
from dataclasses import dataclass
from datetime import timedelta

from tenacity import RetryCallState, Retrying
from tenacity.stop import stop_after_attempt, stop_after_delay, stop_base, stop_never
from tenacity.wait import wait_base, wait_exponential


class _Jittered(wait_base):
    """Half of the wait is sure, half is chance: what failed together does not come back together."""

    def __init__(self, wait: wait_base, chance: random.Random) -> None:
        self._wait = wait
        self._chance = chance

    def __call__(self, retry_state: RetryCallState) -> float:
        return self._wait(retry_state) * (0.5 + self._chance.random() / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Tenacity's `wait` and `stop` without its loop: the wait is spent in the outbox, perhaps in another process."""

    wait: wait_base
    stop: stop_base

    def delay(self, *, attempts: int, elapsed: timedelta) -> timedelta | None:
        """How long to wait after `attempts` of them, `elapsed` after the first could be made; None: no more."""
        state = RetryCallState(Retrying(wait=self.wait, stop=self.stop), None, (), {})
        state.attempt_number = attempts
        state.start_time, state.outcome_timestamp = 0.0, elapsed.total_seconds()
        wait_s = state.upcoming_sleep = self.wait(state)
        return None if self.stop(state) else timedelta(seconds=wait_s)


def exponential(
    *, first_s: float, longest_s: float, attempts_max: int, total_s: float, chance: random.Random
) -> Backoff:
    """Waits that double from `first_s` up to `longest_s`, each cut by chance to between half and all of it.

    It ends `total_s` after the first could be made. `attempts_max` is a last guard, so high that it never ends an outage.
    """
    return Backoff(
        wait=_Jittered(wait_exponential(multiplier=first_s, max=longest_s), chance),
        stop=stop_after_attempt(attempts_max) | stop_after_delay(total_s),
    )


def endless(*, first_s: float, longest_s: float, chance: random.Random) -> Backoff:
    """The same without an end: for what is asked for as long as somebody wants it."""
    return Backoff(wait=_Jittered(wait_exponential(multiplier=first_s, max=longest_s), chance), stop=stop_never)
