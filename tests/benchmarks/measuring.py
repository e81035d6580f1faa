"""Ways to do the same work, side by side: what counts is the ratio within a round, as machines have moods."""

import gc
import os
import statistics
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import msgspec

from tests.benchmarks.turns import Spent, Turn, Turns


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One way to do it. Each call does all of it and tells what it took; where it can it passes its turn on in between.

    It raises where it did not do what it should: a fast wrong answer is no result.
    """

    name: str
    does: str
    do: Callable[[Turn], Spent]


class Contest(msgspec.Struct, frozen=True, kw_only=True):
    """`count` things of `unit`, done by each of the `sides`; the first one is what the others are compared with."""

    name: str
    unit: str
    count: int
    sides: Sequence[Side]
    circumstances: Mapping[str, str | int | float] = {}


Preparation = AbstractContextManager[Sequence[Contest]]
"""Everything that is not measured: topics filled, processes started; undone at the end."""

Round = Sequence[Spent]
"""What each side took, in the order of the contest's sides, whoever went first."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came out for one side: speed by the clock and microseconds of processor for one `unit`, medians of the rounds.

    `ratio`: its speed by that of the first side in the same round: 1 is as fast, 0.5 half as fast. `cpu_ratio`: the same by
    the processor's time: what others do on the machine matters less, and waiting not at all.
    """

    name: str
    does: str
    per_s: float
    cpu_us: float
    ratio_median: float
    ratio_least: float
    ratio_most: float
    cpu_ratio_median: float


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A contest that was held."""

    name: str
    unit: str
    count: int
    circumstances: Mapping[str, str | int | float]
    results: Sequence[Result]
    rounds: Sequence[Round]


def measured(contests: Sequence[Contest], rounds: int, tell: Callable[[str], None], *, warm_ups: int = 0) -> list[Row]:
    """Hold one after the other: a process does the same work all day, and finds its caches full of nothing else.

    Hence the `warm_ups`, which do not count. Every other round goes the other way about.
    """
    return [_row(contest, _played(contest, rounds, tell, warm_ups)) for contest in contests]


def _played(contest: Contest, rounds: int, tell: Callable[[str], None], warm_ups: int) -> list[Round]:
    played: list[Round] = []
    for _ in range(warm_ups):
        _round(contest, forth=True)
    for number in range(1, rounds + 1):
        took = _round(contest, forth=number % 2 == 1)
        played.append(took)
        ratios = (f"{side.name} {_ratio(took, at):.2f}" for at, side in enumerate(contest.sides) if at)
        tell(f"{contest.name}, round {number} of {rounds}: {', '.join(ratios)}")
    return played


def _round(contest: Contest, *, forth: bool) -> Round:
    order = contest.sides if forth else contest.sides[::-1]
    turns = Turns(len(order), settle=_settle)
    with ThreadPoolExecutor(len(order)) as threads:
        playing = {side.name: threads.submit(turns.play, number, side.do) for number, side in enumerate(order)}
    return [playing[side.name].result() for side in contest.sides]


def _settle() -> None:
    """Garbage goes, and what is still to be written to the disk is."""
    gc.collect()
    os.sync()


def _ratio(took: Round, at: int) -> float:
    return took[0].wall_s / took[at].wall_s


def _row(contest: Contest, rounds: Sequence[Round]) -> Row:
    return Row(
        name=contest.name,
        unit=contest.unit,
        count=contest.count,
        circumstances=contest.circumstances,
        results=[_result(contest, at, rounds) for at in range(len(contest.sides))],
        rounds=rounds,
    )


def _result(contest: Contest, at: int, rounds: Sequence[Round]) -> Result:
    side, ratios = contest.sides[at], [_ratio(took, at) for took in rounds]
    return Result(
        name=side.name,
        does=side.does,
        per_s=contest.count / statistics.median(took[at].wall_s for took in rounds),
        cpu_us=1e6 / contest.count * statistics.median(took[at].cpu_s for took in rounds),
        ratio_median=statistics.median(ratios),
        ratio_least=min(ratios),
        ratio_most=max(ratios),
        cpu_ratio_median=statistics.median(took[0].cpu_s / took[at].cpu_s for took in rounds),
    )
