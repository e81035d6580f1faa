"""Starts of the table of preferences, as the benchmarks time them."""

from pathlib import Path

import msgspec
from rich.console import Console

from consumer.adapters.preference_table import this_boot
from tests.benchmarks.bank import Bank
from tests.benchmarks.parts import reported
from tests.benchmarks.showing import show
from tests.benchmarks.site import QUICK, Site
from tests.benchmarks.wiring import table_of
from tests.brokers import Kafka


def test_a_table_that_does_not_fill_in_time_is_a_result_and_is_not_opened_again(kafka: Kafka, tmp_path: Path) -> None:
    hurried = msgspec.structs.replace(QUICK, load_patience_s=0.0)

    report = reported(Site(kafka=kafka, folder=tmp_path, scale=hurried), ["load"], lambda _: None)

    assert [(load.start, load.ready) for load in report.loads] == [("cold", False)]
    console = Console(record=True, width=80)
    show(report, console)
    assert "not in" in console.export_text()


def test_a_table_put_together_as_run_does_knows_the_boot_and_need_not_wait_for_its_disk_white_box(
    kafka: Kafka, tmp_path: Path
) -> None:
    places = Bank(Site(kafka=kafka, folder=tmp_path, scale=QUICK), 4, tmp_path).places

    with table_of(places.settings()) as table:
        assert table._tables._boot_id == this_boot()
