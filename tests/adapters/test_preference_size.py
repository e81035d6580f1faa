"""The table grows by itself, takes disk as it fills, and says in time that it is going to be full."""

import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from consumer.adapters.preference_table.store import PreferenceStore, Source, State
from consumer.core.preferences import Preferences
from consumer.core.screen import Screen
from consumer.errors import Broken, ExitCode
from tests.builders import NOW, PREFERENCES_TOPIC, preferences
from tests.deciding import CATALOGUE
from tests.preference_topics import lines

OPEN = partial(PreferenceStore, word=Screen(CATALOGUE).word)
STATE = State(source=Source(cluster_id="c", topic=PREFERENCES_TOPIC), offsets={}, synced_at=NOW)
LIMIT_BYTES = 2 * 2**20
BATCH = 20


def said(customer_id: str) -> str:
    """A long language, so that the table is full before the test has lasted long."""
    return customer_id * 100


def batch(number: int) -> dict[str, Preferences]:
    names = (f"c{one}" for one in range(number * BATCH, (number + 1) * BATCH))
    return {name: preferences(customer_id=name, language=said(name)) for name in names}


def disk_bytes(folder: Path) -> int:
    return sum(file.stat().st_blocks * 512 for file in folder.iterdir())


def test_disk_is_used_only_as_the_table_fills_whatever_its_limit(tmp_path: Path) -> None:
    with OPEN(tmp_path / "table", size_max_bytes=64 * 2**30) as table:
        empty = disk_bytes(tmp_path / "table")
        for number in range(20):
            table.write(batch(number), STATE)

        assert empty < 2**18
        assert table.used_bytes <= disk_bytes(tmp_path / "table") + 2**12 < 4 * 2**20


def until_full(table: PreferenceStore, written: Callable[[int], object] = lambda _: None) -> Broken:
    try:
        for number in range(1_000):
            table.write(batch(number), STATE)
            written(number + 1)
    except Broken as full:
        return full
    raise AssertionError("it is not full")


def test_a_table_that_grows_answers_right_all_the_while_and_gives_the_alarm_long_before_it_is_full(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, quick_turns: None
) -> None:
    over = threading.Event()
    written, alarmed_after = 0, 0
    wrong, asked = list[str](), list[int]()

    def read() -> None:
        count = 0
        while not over.is_set():
            for number in range(written * BATCH):
                found = table.get(f"c{number}")
                table.words([b"c%d" % number])
                count += 1
                if found is None or found.language != said(f"c{number}"):
                    wrong.append(f"c{number}")
        asked.append(count)

    def note(batches: int) -> None:
        nonlocal written, alarmed_after
        written = batches
        if not alarmed_after and lines(caplog, "preferences_filling"):
            alarmed_after = batches

    with OPEN(tmp_path / "table", size_max_bytes=LIMIT_BYTES) as table:
        readers = [threading.Thread(target=read) for _ in range(3)]
        for reader in readers:
            reader.start()
        try:
            full = until_full(table, note)
        finally:
            over.set()
            for reader in readers:
                reader.join()

        assert (wrong, full.exit_code) == ([], ExitCode.PREFERENCES_DAMAGED)
        assert "is full" in str(full)
        assert "AVVISO_PREFERENCES__SIZE_MAX_BYTES" in str(full)
        assert min(asked) > 0
        assert 0.6 * written < alarmed_after < 0.95 * written  # readers keep old pages in use, more or less
        [alarm] = lines(caplog, "preferences_filling")
        assert 0.8 * LIMIT_BYTES <= alarm["used_bytes"] < 0.9 * LIMIT_BYTES
        assert alarm["used_bytes"] + alarm["free_bytes"] == LIMIT_BYTES
        assert table.customers == written * BATCH


def test_after_a_restart_with_a_larger_limit_a_full_table_goes_on(tmp_path: Path) -> None:
    with OPEN(tmp_path / "table", size_max_bytes=2**20) as table:
        until_full(table)

    with OPEN(tmp_path / "table", size_max_bytes=2**22) as larger:
        before = larger.customers
        larger.write(batch(1_000), STATE)

        assert larger.customers == before + BATCH


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the limit of address space is not kept")
def test_where_address_space_is_limited_the_setting_is_named(tmp_path: Path) -> None:
    attempt = (
        "import resource, sys; from pathlib import Path\n"
        "from consumer.adapters.preference_table.store import PreferenceStore\n"
        "resource.setrlimit(resource.RLIMIT_AS, (8 * 2**30, 8 * 2**30))\n"
        "PreferenceStore(Path(sys.argv[1]), size_max_bytes=64 * 2**30, word=None)\n"
    )

    ended = subprocess.run(
        [sys.executable, "-c", attempt, str(tmp_path / "table")], capture_output=True, text=True, check=False
    )

    assert "Broken: the local table of preferences needs 68719476736 bytes of address space" in ended.stderr
    assert "AVVISO_PREFERENCES__SIZE_MAX_BYTES" in ended.stderr
