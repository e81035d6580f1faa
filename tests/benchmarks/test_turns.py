"""Who has the machine to itself, and for how much of it each side pays."""

from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.benchmarks.turns import Spent, Turn, Turns

TOO_MANY = 10
"""More shares than any side can do."""


class Work:
    """Sides that note what they do, by the shares that each has; a share takes a second of which half is the processor's."""

    def __init__(self, *shares: int) -> None:
        self.done: list[str] = []
        self._shares = shares
        self._now_s = 0.0
        self._turns = Turns(len(shares), clock=lambda: self._now_s, processor=lambda: self._now_s / 2)

    def played(self) -> list[Spent]:
        return [future.result() for future in self.futures()]

    def futures(self) -> list[Future[Spent]]:
        with ThreadPoolExecutor(len(self._shares)) as threads:
            return [threads.submit(self._turns.play, number, self._side) for number in range(len(self._shares))]

    def _side(self, turn: Turn) -> Spent:
        number = turn.number
        self._do(f"{number} prepares")
        turn.start()
        for share in range(self._shares[number]):
            if share:
                turn.pass_on()
            if self._shares[number] == TOO_MANY:
                raise ValueError("too much")
            self._do(f"{number} works")
        spent = turn.stop()
        self._do(f"{number} clears up")
        return spent

    def _do(self, what: str) -> None:
        self._now_s += 1
        self.done.append(what)


def test_all_prepare_before_the_first_begins_and_then_they_take_turns() -> None:
    work = Work(2, 2)

    work.played()

    assert work.done == [
        *("0 prepares", "1 prepares"),
        *("0 works", "1 works"),
        *("0 works", "0 clears up", "1 works", "1 clears up"),
    ]


def test_who_is_done_is_not_waited_for() -> None:
    work = Work(1, 3)

    work.played()

    assert work.done[2:] == ["0 works", "0 clears up", "1 works", "1 works", "1 works", "1 clears up"]


def test_a_side_pays_for_its_own_shares_only() -> None:
    assert Work(3, 1).played() == [Spent(wall_s=3.0, cpu_s=1.5), Spent(wall_s=1.0, cpu_s=0.5)]


def test_what_breaks_one_side_is_told_after_the_others_have_done_theirs() -> None:
    work = Work(TOO_MANY, 2)

    broken, whole = work.futures()

    assert whole.result() == Spent(wall_s=2.0, cpu_s=1.0)
    with pytest.raises(ValueError, match="too much"):
        broken.result()
