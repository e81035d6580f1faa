"""A table that nobody reads yet: filled without waiting for the disk, and thrown away where the machine may have torn it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import pytest

from consumer.adapters.preference_table import this_boot
from consumer.adapters.preference_table.fitting import TopicNow
from consumer.adapters.preference_table.lock import LOCK
from consumer.adapters.preference_table.store import PreferenceStore, Source, State
from consumer.adapters.preference_table.tables import Tables
from consumer.core.screen import Screen
from consumer.errors import Broken
from tests.builders import NOW, PREFERENCES_TOPIC, preferences
from tests.deciding import CATALOGUE

WORD = Screen(CATALOGUE).word
OPEN = partial(PreferenceStore, size_max_bytes=2**24, word=WORD)
ANNA = preferences(customer_id="anna")
Opens = Callable[[str | None], Tables]


def topic_now(topic: str) -> TopicNow:
    source = Source(cluster_id="c", topic=topic)
    return TopicNow(source=source, marks={0: (0, 100)}, at=NOW, tombstones_since=NOW)


def halfway(topic: str) -> State:
    return State(source=Source(cluster_id="c", topic=topic), offsets={0: 50}, synced_at=NOW)


def half_filled(tables: Tables, topic: str = PREFERENCES_TOPIC) -> Tables:
    tables.fit(topic_now(topic))
    tables.filled.write({"anna": ANNA}, halfway(topic))
    return tables


def put_to_use(tables: Tables, topic: str = PREFERENCES_TOPIC) -> Tables:
    assert half_filled(tables, topic).take_over(halfway(topic))
    return tables


def is_synced(table: PreferenceStore) -> bool:
    synced: bool = table._environment.flags()["sync"]
    return synced


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir() if entry.name != LOCK)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "tables"


@pytest.fixture
def under(folder: Path) -> Iterator[Opens]:
    """The tables as a process finds them under the boot of this id."""
    with ExitStack() as stack:

        def opened(boot_id: str | None) -> Tables:
            return stack.enter_context(closing(Tables(folder, OPEN, None, stranger=WORD(None), boot_id=boot_id)))

        yield opened


def test_until_the_first_is_whole_nobody_is_known(under: Opens) -> None:
    tables = half_filled(under("a"))

    assert (tables.in_use.customers, tables.in_use.get("anna")) == (0, None)
    assert tables.in_use.words([b"anna", b"bert"]) == [WORD(None), WORD(None)]
    assert put_to_use(tables).in_use.get("anna") == ANNA


def test_where_only_the_process_died_the_first_is_continued(under: Opens, folder: Path) -> None:
    half_filled(under("a")).close()
    assert [file.stat().st_mode & 0o077 for file in (folder / "1").iterdir()] == [0, 0, 0]

    again = under("a")

    assert again.fit(topic_now(PREFERENCES_TOPIC)) == halfway(PREFERENCES_TOPIC)
    assert (again.is_rebuilding, again.filled.customers, names(folder)) == (True, 1, ["1"])


@pytest.mark.parametrize("boot_id", ["b", None], ids=["another boot", "nobody can tell"])
def test_where_the_machine_may_have_died_the_first_is_read_anew(
    under: Opens, folder: Path, boot_id: str | None
) -> None:
    half_filled(under("a")).close()
    (folder / "1" / "data.mdb").write_bytes(b"torn" * 1000)

    again = under(boot_id)

    assert again.fit(topic_now(PREFERENCES_TOPIC)).offsets == {}
    assert (again.filled.customers, names(folder)) == (0, ["2"])


def test_where_the_machine_may_have_died_one_that_was_read_anew_is_read_anew_again(under: Opens, folder: Path) -> None:
    half_filled(put_to_use(under("a")), "other").close()

    again = under("b")

    assert (again.is_rebuilding, again.in_use.customers, names(folder)) == (False, 1, ["1"])
    assert again.fit(topic_now("other")).offsets == {}


def test_one_that_was_put_to_use_outlives_the_boot(under: Opens) -> None:
    put_to_use(under("a")).close()

    again = under("b")

    assert again.fit(topic_now(PREFERENCES_TOPIC)) == halfway(PREFERENCES_TOPIC)
    assert (again.is_rebuilding, again.in_use.get("anna")) == (False, ANNA)


def test_who_dies_between_the_disk_and_the_use_of_a_table_goes_on_with_it_under_any_boot(
    under: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    tables = half_filled(under("a"))
    monkeypatch.setattr(PreferenceStore, "put_to_use", dies)
    with pytest.raises(KeyboardInterrupt):
        tables.take_over(halfway(PREFERENCES_TOPIC))
    tables.close()
    monkeypatch.undo()

    again = under("b")

    assert again.fit(topic_now(PREFERENCES_TOPIC)) == halfway(PREFERENCES_TOPIC)
    assert again.filled.customers == 1


def test_only_what_nobody_reads_is_written_without_waiting_for_the_disk_white_box(under: Opens) -> None:
    tables = half_filled(under("a"))
    assert not is_synced(tables.filled)
    put_to_use(tables)
    assert is_synced(tables.filled)
    half_filled(tables, "other")
    assert not is_synced(tables.filled)
    tables.close()

    again = under("a")

    again.fit(topic_now("other"))
    assert not is_synced(again.filled)


def test_without_an_id_of_the_boot_the_disk_is_waited_for_and_nothing_thrown_away_white_box(under: Opens) -> None:
    tables = half_filled(under(None))
    assert is_synced(tables.filled)
    tables.close()

    again = under("b")

    assert (again.fit(topic_now(PREFERENCES_TOPIC)), is_synced(again.filled)) == (halfway(PREFERENCES_TOPIC), True)


def test_the_data_of_a_table_never_outlives_the_mark_that_it_may_be_torn(under: Opens, folder: Path) -> None:
    half_filled(under("a")).close()
    (folder / "1" / "data.mdb").unlink()
    (folder / "1" / "data.mdb" / "stays").mkdir(parents=True)  # cannot be removed as a file

    half_filled(under("b"))

    assert names(folder) == ["1", "2"]
    assert (folder / "1" / "filled-under").exists()


def test_a_folder_where_the_mark_cannot_be_left_is_a_broken_one(under: Opens, folder: Path) -> None:
    tables = put_to_use(under("a"))
    (folder / "2").write_bytes(b"in the way")

    with pytest.raises(Broken, match="AVVISO_PREFERENCES__PATH"):
        tables.fit(topic_now("other"))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system does not tell")
def test_this_boot_has_one_id() -> None:
    assert this_boot() == this_boot()
    assert len(this_boot() or "") >= 32
