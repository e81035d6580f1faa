"""The benchmarks still run and still report: what the figures are is for `make bench` to say."""

from pathlib import Path

import pytest
from rich.console import Console

from tests.benchmarks.parts import PARTS, reported
from tests.benchmarks.report import keep, read
from tests.benchmarks.showing import show
from tests.benchmarks.site import QUICK, Site
from tests.brokers import Kafka


@pytest.mark.slow
def test_every_part_is_measured_and_kept(kafka: Kafka, tmp_path: Path) -> None:
    told: list[str] = []

    report = reported(Site(kafka=kafka, folder=tmp_path, scale=QUICK), tuple(PARTS), told.append)

    keep(report, tmp_path / "kept.json")
    assert read(tmp_path / "kept.json") == report
    assert [row.name for row in report.rows] == [
        "intake, 5 % told",
        "intake, 100 % told",
        "dispatch",
        "hostile",
    ]
    for row in report.rows:
        assert len(row.rounds) == QUICK.rounds
        for found in row.results:
            assert found.ratio_least <= found.ratio_median <= found.ratio_most
            assert min(found.per_s, found.cpu_us, found.ratio_least, found.cpu_ratio_median) > 0
    sizes = (QUICK.customers, QUICK.customers_load) if kafka.real else (QUICK.customers,)
    assert [(one.customers, one.start) for one in report.loads] == [(n, how) for n in sizes for how in ("cold", "warm")]
    assert [one.events for one in report.backlogs] == [QUICK.backlog]
    console = Console(record=True, width=200)
    show(report, console)
    shown = console.export_text()
    assert all(row.name in shown for row in report.rows)
