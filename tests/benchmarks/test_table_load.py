"""Starts of the table of preferences, as the benchmarks time them."""

from pathlib import Path

import msgspec
from rich.console import Console

from tests.benchmarks.parts import reported
from tests.benchmarks.showing import show
from tests.benchmarks.site import QUICK, Site
from tests.brokers import Kafka


def test_a_table_that_does_not_fill_in_time_is_a_result_and_is_not_opened_again(kafka: Kafka, tmp_path: Path) -> None:
    hurried = msgspec.structs.replace(QUICK, load_patience_s=0.0)

    report = reported(Site(kafka=kafka, folder=tmp_path, scale=hurried), ["load"], lambda _: None)

    assert [(load.start, load.ready) for load in report.loads] == [("cold", False)]
    console = Console(record=True, width=80)
    show(report, console)
    assert "not in" in console.export_text()
