"""The sides of a round take turns, a share of the work each: whatever mood the machine is in, it meets all of them."""

import threading
import time
from collections.abc import Callable

import msgspec


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds on the clock, and seconds of processor that all threads of this process took meanwhile."""

    wall_s: float
    cpu_s: float


class Turns:
    """Of so many `sides` only one does anything at a time, from the first thing that it prepares to the last it clears up.

    Each has a thread of its own, and a number, which is its place in the order.
    """

    def __init__(
        self,
        sides: int,
        *,
        settle: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.perf_counter,
        processor: Callable[[], float] = time.process_time,
    ) -> None:
        """`settle`: what is done before each side's first share, that none pays for what another has left."""
        self.settle, self.clock, self.processor = settle, clock, processor
        self._changed = threading.Condition()
        self._playing = list(range(sides))

    def play(self, number: int, do: Callable[["Turn"], Spent]) -> Spent:
        """What `do` returns, or raises; the others go on without it."""
        self._wait_for(number)
        try:
            return do(Turn(self, number))
        finally:
            with self._changed:
                self._playing.remove(number)
                self._changed.notify_all()

    def pass_on(self, number: int) -> None:
        """Returns after each of the others has had its turn."""
        with self._changed:
            assert self._playing[0] == number, "only whose turn it is can pass it on"
            self._playing.append(self._playing.pop(0))
            self._changed.notify_all()
        self._wait_for(number)

    def _wait_for(self, number: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._playing[0] == number)


class Turn:
    """One side's part in a round. Time counts from `start` to `stop`, but for what the others do between its shares."""

    def __init__(self, turns: Turns, number: int) -> None:
        self._turns = turns
        self.number = number
        self._wall_s = self._cpu_s = 0.0

    def start(self) -> None:
        """Everything is prepared; returns when it is with all others too."""
        self._turns.pass_on(self.number)
        self._turns.settle()
        self._go_on()

    def pass_on(self) -> None:
        """A share is done, and nothing is under way: now the others."""
        self._hold()
        self._turns.pass_on(self.number)
        self._go_on()

    def stop(self) -> Spent:
        """All is done; what it took."""
        self._hold()
        return Spent(wall_s=self._wall_s, cpu_s=self._cpu_s)

    def _go_on(self) -> None:
        self._wall_s -= self._turns.clock()
        self._cpu_s -= self._turns.processor()

    def _hold(self) -> None:
        self._wall_s += self._turns.clock()
        self._cpu_s += self._turns.processor()
