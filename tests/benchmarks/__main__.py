"""`make bench`: how fast Avviso is by the side of the barest loop that does the same job, in the same minutes."""

import argparse
import os
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec
from rich.console import Console

from consumer.telemetry import configure_logging
from tests.benchmarks.parts import PARTS, reported
from tests.benchmarks.report import KEPT, keep, read
from tests.benchmarks.showing import show
from tests.benchmarks.site import QUICK, Scale, Site
from tests.brokers import Kafka, docker_answers, embedded_brokers, kafka_container

FOLDER = Path(__file__).parents[2] / ".bench"
_COUNTS = {
    "rounds": "how often each side does it",
    "warm-ups": "how often before, which do not count",
    "records": "events of each mixture for intake",
    "customers": "customers with preferences",
    "customers-load": "customers of the larger table that is only loaded; as many as --customers: none",
    "backlog": "events that are read at a stretch",
    "texts": "texts for dispatch",
}


def main() -> None:
    """Measure, print, and keep the figures under `.bench/`; or only print what was kept."""
    wishes, console = _wishes(), Console()
    if wishes.show is not None:
        show(read(wishes.show), console)
        return
    FOLDER.mkdir(exist_ok=True)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, _kafka() as kafka:
        configure_logging(nowhere)  # lines are formatted and written, as in a real run
        sys.excepthook = sys.__excepthook__  # but what breaks is shown here
        site = Site(kafka=kafka, folder=FOLDER, scale=_scale(wishes))
        report = reported(site, wishes.part or tuple(PARTS), lambda line: console.print(line, style="dim"))
    show(report, console)
    paths = [FOLDER / f"{report.at.replace(':', '').replace('+0000', 'Z')}.json"]
    if wishes.keep:
        paths.append(KEPT / f"{report.machine.kind}.json")
    for path in paths:
        keep(report, path)
        console.print(f"Kept in {path}")


def _wishes() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="see that it runs; its figures mean nothing")
    parser.add_argument("--keep", action="store_true", help="also as this kind of machine's last result in docs/")
    parser.add_argument("--show", type=Path, metavar="FILE", help="measure nothing: print what a run has kept")
    parser.add_argument("--part", action="append", choices=PARTS, help="only this one (may be given again)")
    for name, what in _COUNTS.items():
        usual = getattr(Scale(), name.replace("-", "_"))
        parser.add_argument(f"--{name}", type=_count, metavar="N", help=f"{what}, instead of {usual:,}")
    wishes = parser.parse_args()
    if wishes.keep and (wishes.part or _scale(wishes) != Scale()):
        parser.error("only a whole run at its usual scale is kept")
    return wishes


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError("a whole number from 1 on")
    return int(text)


def _scale(wishes: argparse.Namespace) -> Scale:
    names = [name.replace("-", "_") for name in _COUNTS]
    given = {name: value for name in names if (value := getattr(wishes, name)) is not None}
    return msgspec.structs.replace(QUICK if wishes.quick else Scale(), **given)


def _kafka() -> AbstractContextManager[Kafka]:
    return kafka_container() if docker_answers() else embedded_brokers()


if __name__ == "__main__":
    main()
