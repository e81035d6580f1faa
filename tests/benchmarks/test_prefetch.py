"""When a client counts as having fetched ahead all it will."""

import pytest

from tests.benchmarks.prefetch import BUSY_CPU_S, PATIENCE_S, QUIET_WINDOWS, WINDOW_S, fetched_ahead


class Machine:
    """A clock that moves when somebody sleeps, and a processor that takes `busy` of the windows to come."""

    def __init__(self, *busy: bool, always: bool = False) -> None:
        self._busy = list(busy)
        self._always = always
        self.now_s = self.cpu_s = 0.0

    def clock(self) -> float:
        return self.now_s

    def processor(self) -> float:
        return self.cpu_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        if self._always or (self._busy and self._busy.pop(0)):
            self.cpu_s += 2 * BUSY_CPU_S


def wait(machine: Machine) -> None:
    fetched_ahead(clock=machine.clock, processor=machine.processor, sleep=machine.sleep)


def test_a_short_rest_between_two_fetches_is_not_the_end_of_them() -> None:
    machine = Machine(True, False, False, False, True)

    wait(machine)

    assert machine.now_s == pytest.approx((5 + QUIET_WINDOWS) * WINDOW_S)


def test_a_process_that_never_rests_is_not_measured() -> None:
    machine = Machine(always=True)

    with pytest.raises(TimeoutError):
        wait(machine)

    assert machine.now_s == pytest.approx(PATIENCE_S, abs=2 * WINDOW_S)
