"""`make bench`: how fast Avviso is by the side of the barest loop that does the same job, in the same minute."""

import argparse
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from consumer import __version__
from consumer.telemetry import configure_logging
from tests.benchmarks.dispatch import dispatch
from tests.benchmarks.hostile import hostile
from tests.benchmarks.intake import intake
from tests.benchmarks.measuring import QUICK, Preparation, Report, Scale, Site, measured
from tests.brokers import IMAGE, Kafka, docker_answers, embedded_brokers, kafka_container

FOLDER = Path(__file__).parents[2] / ".bench"
ROWS: Mapping[str, Preparation] = {
    "intake": partial(intake, name="intake", balances=9),
    "intake-balances": partial(intake, name="intake-balances", balances=25),
    "dispatch": dispatch,
    "hostile": hostile,
}


def main() -> None:
    """Measure, print, and keep the figures under `.bench/`."""
    wishes = _wishes()
    scale = _scale(wishes)
    console = Console()
    FOLDER.mkdir(exist_ok=True)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, _kafka() as kafka:
        configure_logging(nowhere)  # lines are formatted and written, as in a real run
        site = Site(kafka=kafka, folder=FOLDER, scale=scale)
        report = reported(site, wishes.row or tuple(ROWS), lambda line: console.print(line, style="dim"))
    show(report, console)
    console.print(f"Kept in {keep(report, FOLDER)}")


def reported(site: Site, rows: Sequence[str], tell: Callable[[str], None]) -> Report:
    """Each of the `rows` prepared, measured and undone."""
    found = []
    for name in rows:
        tell(f"{name}: preparing")
        with ROWS[name](site) as contest:
            found.append(measured(contest, site.scale.rounds, tell))
    return Report(
        version=__version__,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        python=platform.python_version(),
        machine=f"{platform.system()} {platform.machine()}",
        processors=os.cpu_count() or 0,
        kafka=IMAGE if site.kafka.real else "embedded",
        scale=site.scale,
        rows=found,
    )


def show(report: Report, console: Console) -> None:
    """For people: a table, and what stands behind its rows. Ratios carry over to other machines, speeds do not."""
    table = Table(
        title=f"Kafka {report.kafka}, Python {report.python}, {report.processors} processors",
        caption="Ratio 1.00: as fast as the bare loop; in brackets the least and the most.\n"
        "CPU us: microseconds of processor for one, by all threads of the process.",
        box=box.SIMPLE,
        pad_edge=False,
        collapse_padding=True,
    )
    for heading in ("", "bare\nper s", "Avviso\nper s", "\nratio", "bare\nCPU us", "Avviso\nCPU us", "CPU\nratio"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for row in report.rows:
        table.add_row(
            row.name,
            f"{row.bare_per_s:,.0f}",
            f"{row.ours_per_s:,.0f}",
            f"{row.ratio_median:.2f} ({row.ratio_least:.2f}-{row.ratio_most:.2f})",
            f"{row.bare_cpu_us:,.1f}",
            f"{row.ours_cpu_us:,.1f}",
            f"{row.cpu_ratio_median:.2f}",
        )
    console.print(table)
    for row in report.rows:
        console.print(f"{row.name}: {row.count:,} {row.unit}, {len(row.rounds)} rounds", style="bold")
        console.print(f"  bare: {row.bare}\n  Avviso: {row.ours}")
        console.print("  " + "; ".join(f"{name}: {value}" for name, value in row.circumstances.items()))


def keep(report: Report, folder: Path) -> Path:
    """The whole report as JSON, one file a run."""
    path = folder / f"{report.at.replace(':', '').replace('+0000', 'Z')}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    return path


def _wishes() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="see that it runs; its figures mean nothing")
    parser.add_argument("--row", action="append", choices=ROWS, help="only this one (may be given again)")
    parser.add_argument("--rounds", type=_count, metavar="N", help="instead of 5")
    parser.add_argument("--records", type=_count, metavar="N", help="for intake, instead of 100,000")
    parser.add_argument("--customers", type=_count, metavar="N", help="for intake, instead of 4,000")
    parser.add_argument("--texts", type=_count, metavar="N", help="for dispatch, instead of 2,000")
    return parser.parse_args()


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError("a whole number from 1 on")
    return int(text)


def _scale(wishes: argparse.Namespace) -> Scale:
    given = {
        name: value
        for name in ("rounds", "records", "customers", "texts")
        if (value := getattr(wishes, name)) is not None
    }
    return msgspec.structs.replace(QUICK if wishes.quick else Scale(), **given)


def _kafka() -> AbstractContextManager[Kafka]:
    return kafka_container() if docker_answers() else embedded_brokers()


if __name__ == "__main__":
    main()
