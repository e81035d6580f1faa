"""The parts of a run, in their order."""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec

from tests.benchmarks.backlog import backlog_read
from tests.benchmarks.bank import Bank
from tests.benchmarks.dispatch import dispatch
from tests.benchmarks.hostile import hostile
from tests.benchmarks.intake import intake, with_events
from tests.benchmarks.measuring import Preparation, measured
from tests.benchmarks.population import ORDINARY
from tests.benchmarks.report import Report, begun
from tests.benchmarks.site import Site

Tell = Callable[[str], None]
Part = Callable[[Site, Bank, Report, Tell], Report]
"""The report with what was found added to it."""


def reported(site: Site, parts: Sequence[str], tell: Tell) -> Report:
    """Each of the `parts` prepared, measured and undone."""
    report = begun(site)
    with tempfile.TemporaryDirectory(dir=site.folder) as folder:
        bank = Bank(site, site.scale.customers, Path(folder))
        for name in (name for name in PARTS if name in parts):
            tell(f"{name}: preparing")
            started_s = time.monotonic()
            report = PARTS[name](site, bank, report, tell)
            tell(f"{name}: took {time.monotonic() - started_s:.0f} s in all")
    return report


def _loads(_: Site, bank: Bank, report: Report, tell: Tell) -> Report:
    found = list(report.loads)
    tell(f"{bank.customers.count:,} customers are published in {bank.places.preferences}")
    for number in range(2):
        if all(load.ready for load in found):
            load = bank.next_start() if number else bank.first_start
            tell(f"{load.start}: {load.loaded:,} of {load.customers:,} customers after {load.took_s:.1f} s")
            found.append(load)
    return msgspec.structs.replace(report, loads=found)


def _large_loads(site: Site, _: Bank, report: Report, tell: Tell) -> Report:
    if site.scale.customers_load <= site.scale.customers:
        return report
    if not site.kafka.real:
        tell("left out: the embedded brokers hold all records in memory, and these are too many")
        return report
    with tempfile.TemporaryDirectory(dir=site.folder) as folder:
        return _loads(site, Bank(site, site.scale.customers_load, Path(folder)), report, tell)


def _memory(site: Site, bank: Bank, report: Report, tell: Tell) -> Report:
    scale = site.scale
    bank.filled()
    places = with_events(site, bank, ORDINARY, scale.backlog)
    found = backlog_read(places, scale.backlog_early, scale.backlog, ORDINARY.told_of(scale.backlog), site.folder)
    tell(f"memory after {found.events:,} events by that after {found.events_early:,}: {found.ratio:.2f}")
    return msgspec.structs.replace(report, backlogs=[*report.backlogs, found])


def _contests(
    prepare: Callable[[Site, Bank], Preparation], site: Site, bank: Bank, report: Report, tell: Tell
) -> Report:
    with prepare(site, bank) as contests:
        found = measured(contests, site.scale.rounds, tell, warm_ups=site.scale.warm_ups)
    return msgspec.structs.replace(report, rows=[*report.rows, *found])


PARTS: Mapping[str, Part] = {
    "load": _loads,
    "memory": _memory,
    "intake": partial(_contests, intake),
    "dispatch": partial(_contests, lambda site, _: dispatch(site)),
    "hostile": partial(_contests, lambda *_: hostile()),
    "large-load": _large_loads,
}
