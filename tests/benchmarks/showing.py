"""A report for people: a table for each of its parts, and what stands behind the rows."""

from rich import box
from rich.console import Console
from rich.table import Table

from tests.benchmarks.report import Report
from tests.benchmarks.table_load import COLD

_MIB = 2**20


def show(report: Report, console: Console) -> None:
    """Ratios carry over to other machines, speeds do not."""
    machine = report.machine
    console.print(
        f"Kafka {report.kafka}, Python {machine.python}, {machine.system} {machine.architecture}, "
        f"{machine.processors} x {machine.processor}{f', commit {report.commit}' if report.commit else ''}",
        style="bold",
    )
    if report.rows:
        console.print(_contests(report))
        _tell_about(report, console)
    if report.loads:
        console.print(_loads(report))
    if report.backlogs:
        console.print(_backlogs(report))


def _contests(report: Report) -> Table:
    table = _table(
        ("", "side", "per s", "ratio", "CPU\nus", "CPU\nratio"),
        title="Side by side",
        caption="Ratio: speed by that of the first side in the same round; median, in brackets least and most.\n"
        "CPU us: microseconds of processor for one, by all threads of the process.\n"
        "Of intake with 5 % told, Avviso is to reach 0.80.",
    )
    for row in report.rows:
        for at, found in enumerate(row.results):
            table.add_row(
                "" if at else row.name,
                found.name,
                f"{found.per_s:,.0f}",
                f"{_short(found.ratio_median)} ({_short(found.ratio_least)}-{_short(found.ratio_most)})" if at else "1",
                f"{found.cpu_us:,.1f}",
                _short(found.cpu_ratio_median) if at else "1",
                end_section=at == len(row.results) - 1,
            )
    return table


def _tell_about(report: Report, console: Console) -> None:
    """What the sides do is said once."""
    said: set[str] = set()
    for row in report.rows:
        rounds = f"{len(row.rounds)} rounds after {report.scale.warm_ups} to warm up"
        console.print(f"{row.name}: {row.count:,} {row.unit}, {rounds}", style="bold")
        for found in row.results:
            if found.does not in said:
                console.print(f"  {found.name}: {found.does}")
        said.update(found.does for found in row.results)
        console.print("  " + "; ".join(f"{name}: {_said(value)}" for name, value in row.circumstances.items()))


def _loads(report: Report) -> Table:
    table = _table(
        ("customers", "start", "ready s", "records/s", "memory MiB", "anonymous MiB", "disk MiB"),
        title="Table of preferences, from before the process starts until it is ready",
        caption="10,000,000 customers are to be ready within 300 s cold and 10 s warm.",
    )
    for load in report.loads:
        table.add_row(
            f"{load.customers:,}",
            load.start,
            f"{load.took_s:,.1f}" if load.ready else f"not in {load.took_s:,.0f}",
            f"{load.loaded / load.took_s:,.0f}" if load.start == COLD else "",
            f"{load.resident.total_bytes / _MIB:,.0f}",
            f"{load.resident.anonymous_bytes / _MIB:,.0f}",
            f"{load.disk_bytes / _MIB:,.0f}",
        )
    return table


def _backlogs(report: Report) -> Table:
    table = _table(
        ("events", "memory MiB", "ratio", "anonymous MiB", "ratio"),
        title="Memory of a process that reads a backlog",
        caption="At its end it is to have at most 1.10 of what it had early on. What is not anonymous mirrors files.",
    )
    for one in report.backlogs:
        for events, found in ((0, one.at_ready), (one.events_early, one.early), (one.events, one.late)):
            table.add_row(
                f"{events:,}",
                f"{found.total_bytes / _MIB:,.0f}",
                f"{found.total_bytes / one.early.total_bytes:.2f}",
                f"{found.anonymous_bytes / _MIB:,.0f}",
                f"{found.anonymous_bytes / one.early.anonymous_bytes:.2f}",
            )
    return table


def _said(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:,}"


def _short(ratio: float) -> str:
    """In few digits that say something."""
    return f"{ratio:.{3 if ratio < 0.1 else 2 if ratio < 10 else 0}f}"


def _table(headings: tuple[str, ...], *, title: str, caption: str) -> Table:
    table = Table(
        title=title, caption=caption, box=box.SIMPLE, pad_edge=False, collapse_padding=True, title_justify="left"
    )
    words = ("", "side", "start")
    for heading in headings:
        table.add_column(heading, justify="left" if heading in words else "right", no_wrap=True)
    return table
