"""The benchmarks still run and still report: what the figures are is for `make bench` to say."""

from pathlib import Path

import msgspec
from rich.console import Console

from tests.benchmarks.__main__ import ROWS, keep, reported, show
from tests.benchmarks.measuring import QUICK, Report, Site
from tests.brokers import Kafka


def test_every_row_is_measured_and_kept(kafka: Kafka, tmp_path: Path) -> None:
    told: list[str] = []

    report = reported(Site(kafka=kafka, folder=tmp_path, scale=QUICK), tuple(ROWS), told.append)

    kept = msgspec.json.decode(keep(report, tmp_path).read_bytes(), type=Report)
    assert kept == report
    assert len(kept.rows) == len(ROWS)
    for row in kept.rows:
        assert len(row.rounds) == QUICK.rounds
        assert row.ratio_least <= row.ratio_median <= row.ratio_most
        assert min(row.bare_per_s, row.ours_per_s, row.ratio_least, row.cpu_ratio_median) > 0
    console = Console(record=True, width=200)
    show(report, console)
    shown = console.export_text()
    assert all(row.name in shown for row in kept.rows)
