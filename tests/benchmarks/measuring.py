"""Two ways to do the same work, taken in turns: what counts is the ratio within a round, as machines have moods."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from tests.brokers import Kafka


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """How much: `records` and `customers` for intake, `texts` for dispatch, each taken `rounds` times by either side."""

    records: int = 100_000
    customers: int = 4_000
    texts: int = 2_000
    rounds: int = 5


QUICK = Scale(records=2_000, customers=100, texts=60, rounds=2)


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """Where it happens. `folder` lies on a real disk: what is written there is flushed."""

    kafka: Kafka
    folder: Path
    scale: Scale


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds on the clock, and seconds of processor that all threads of this process took meanwhile."""

    wall_s: float
    cpu_s: float


class Stopwatch:
    """Runs from its making."""

    def __init__(self) -> None:
        self._wall_s, self._cpu_s = time.perf_counter(), time.process_time()

    def read(self) -> Spent:
        return Spent(wall_s=time.perf_counter() - self._wall_s, cpu_s=time.process_time() - self._cpu_s)


class Contest(msgspec.Struct, frozen=True, kw_only=True):
    """One row: `count` things of `unit` done by the bare loop and by us. Each call does all of it and tells what it took.

    Either side raises where it did not do what it should: a fast wrong answer is no result.
    """

    name: str
    unit: str
    count: int
    bare: str
    do_bare: Callable[[], Spent]
    ours: str
    do_ours: Callable[[], Spent]
    circumstances: Mapping[str, str | int | float] = {}


Preparation = Callable[[Site], AbstractContextManager[Contest]]
"""Everything that is not measured: topics filled, processes started; undone at the end."""


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """What both sides took, one after the other."""

    bare: Spent
    ours: Spent

    @property
    def ratio(self) -> float:
        """Our speed by that of the bare loop: 1 is as fast, 0.5 half as fast."""
        return self.bare.wall_s / self.ours.wall_s

    @property
    def cpu_ratio(self) -> float:
        """The same by the processor's time: what others do on the machine matters less, and waiting not at all."""
        return self.bare.cpu_s / self.ours.cpu_s


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What came out: speeds by the clock and microseconds of processor for one `unit`, medians of the rounds."""

    name: str
    unit: str
    count: int
    bare: str
    ours: str
    circumstances: Mapping[str, str | int | float]
    rounds: Sequence[Round]
    bare_per_s: float
    ours_per_s: float
    bare_cpu_us: float
    ours_cpu_us: float
    ratio_median: float
    ratio_least: float
    ratio_most: float
    cpu_ratio_median: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All rows of one run, and on what they were found."""

    version: str
    at: str
    python: str
    machine: str
    processors: int
    kafka: str
    scale: Scale
    rows: Sequence[Row]


def measured(contest: Contest, rounds: int, tell: Callable[[str], None]) -> Row:
    """Hold the contest; who goes first changes with every round."""
    played = []
    for number in range(1, rounds + 1):
        played.append(_round(contest, ours_first=number % 2 == 0))
        tell(f"{contest.name}, round {number} of {rounds}: ratio {played[-1].ratio:.2f}")
    return _row(contest, played)


def _round(contest: Contest, *, ours_first: bool) -> Round:
    if ours_first:
        ours = _alone(contest.do_ours)
        return Round(bare=_alone(contest.do_bare), ours=ours)
    bare = _alone(contest.do_bare)
    return Round(bare=bare, ours=_alone(contest.do_ours))


def _alone(side: Callable[[], Spent]) -> Spent:
    gc.collect()  # nobody pays for what the other has left lying about
    return side()


def _row(contest: Contest, rounds: Sequence[Round]) -> Row:
    ratios = [one.ratio for one in rounds]
    per_unit_us = 1e6 / contest.count
    return Row(
        name=contest.name,
        unit=contest.unit,
        count=contest.count,
        bare=contest.bare,
        ours=contest.ours,
        circumstances=contest.circumstances,
        rounds=rounds,
        bare_per_s=contest.count / statistics.median(one.bare.wall_s for one in rounds),
        ours_per_s=contest.count / statistics.median(one.ours.wall_s for one in rounds),
        bare_cpu_us=per_unit_us * statistics.median(one.bare.cpu_s for one in rounds),
        ours_cpu_us=per_unit_us * statistics.median(one.ours.cpu_s for one in rounds),
        ratio_median=statistics.median(ratios),
        ratio_least=min(ratios),
        ratio_most=max(ratios),
        cpu_ratio_median=statistics.median(one.cpu_ratio for one in rounds),
    )
