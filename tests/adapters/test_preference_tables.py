"""The table in use and the one that is to replace it, as a process finds them that died at any moment."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from functools import partial
from pathlib import Path

import msgspec
import pytest

from consumer.adapters.preference_table.fitting import TopicNow, misfit
from consumer.adapters.preference_table.lock import LOCK
from consumer.adapters.preference_table.store import PreferenceStore, Source, State
from consumer.adapters.preference_table.tables import Tables
from consumer.core.preferences import Preferences
from consumer.core.screen import Screen
from consumer.core.shrinkage import Shrinkage
from consumer.errors import Broken
from tests.builders import NOW, preferences
from tests.deciding import CATALOGUE

SOURCE = Source(cluster_id="c", topic="preferences")
AT_ITS_END = State(source=SOURCE, offsets={0: 100}, synced_at=NOW)
WORD = Screen(CATALOGUE).word
OPEN = partial(PreferenceStore, size_max_bytes=2**24, word=WORD)
BOOT_ID = "7d0a"
Opens = Callable[..., Tables]


def topic_now(topic: str = "preferences") -> TopicNow:
    source = Source(cluster_id="c", topic=topic)
    return TopicNow(source=source, marks={0: (0, 100)}, at=NOW, tombstones_since=NOW - timedelta(hours=12))


def customers(count: int, language: str = "en") -> dict[str, Preferences]:
    return {f"c{number}": preferences(customer_id=f"c{number}", language=language) for number in range(count)}


def at_its_end(topic: str) -> State:
    return State(source=Source(cluster_id="c", topic=topic), offsets={0: 100}, synced_at=NOW)


@pytest.fixture
def opens(tmp_path: Path) -> Iterator[Opens]:
    with ExitStack() as stack:

        def opened(accepted: Shrinkage | None = None, boot_id: str | None = BOOT_ID) -> Tables:
            tables = Tables(tmp_path / "tables", OPEN, accepted, stranger=WORD(None), boot_id=boot_id)
            return stack.enter_context(closing(tables))

        yield opened


@pytest.fixture
def folders(tmp_path: Path) -> Callable[[], list[str]]:
    return lambda: sorted(entry.name for entry in (tmp_path / "tables").iterdir() if entry.name != LOCK)


def filled(tables: Tables, count: int = 10) -> Tables:
    tables.fit(topic_now())
    tables.filled.write(customers(count), AT_ITS_END)
    assert tables.take_over(AT_ITS_END)
    return tables


def rebuilding(tables: Tables, count: int = 10) -> Tables:
    """Ten customers of one topic, and so many of another that is to take its place."""
    filled(tables).fit(topic_now("other"))
    tables.filled.write(customers(count, "it"), at_its_end("other"))
    return tables


@pytest.mark.parametrize(
    ("offsets", "marks", "reason"),
    [
        ({0: 100}, {0: (0, 100)}, None),
        ({0: 0}, {0: (0, 100), 1: (0, 7)}, None),
        ({0: 101}, {0: (0, 100)}, "offsets_gone"),
        ({0: 4}, {0: (5, 100)}, "offsets_gone"),
        ({0: 100, 1: 7}, {0: (0, 100)}, "fewer_partitions"),
    ],
)
def test_a_table_fits_a_topic_that_holds_what_it_was_read_up_to(
    offsets: dict[int, int], marks: dict[int, tuple[int, int]], reason: str | None
) -> None:
    known = msgspec.structs.replace(AT_ITS_END, offsets=offsets)

    assert misfit(known, msgspec.structs.replace(topic_now(), marks=marks)) == reason


def test_what_fits_is_continued(opens: Opens, folders: Callable[[], list[str]]) -> None:
    filled(opens()).close()

    again = opens()

    assert (again.fit(topic_now()), again.is_rebuilding, again.in_use.customers) == (AT_ITS_END, False, 10)
    assert folders() == ["1"]


def test_what_does_not_fit_is_filled_anew_beside_the_old_one(opens: Opens, folders: Callable[[], list[str]]) -> None:
    tables = rebuilding(opens(), 3)

    assert (tables.is_rebuilding, tables.in_use.customers, tables.filled.customers) == (True, 10, 3)
    assert folders() == ["1", "2"]


def test_one_that_is_being_filled_is_continued_after_a_restart(opens: Opens, folders: Callable[[], list[str]]) -> None:
    rebuilding(opens(), 3).close()

    again = opens()

    assert again.fit(topic_now("other")) == at_its_end("other")
    assert (again.is_rebuilding, again.filled.customers, folders()) == (True, 3, ["1", "2"])


def test_one_that_was_damaged_while_it_was_filled_is_given_up_for_the_old_one(
    opens: Opens, folders: Callable[[], list[str]], tmp_path: Path
) -> None:
    rebuilding(opens(), 3).close()
    (tmp_path / "tables" / "2" / "data.mdb").write_bytes(b"torn by a crash of the machine" * 1000)

    again = opens()

    assert (again.is_rebuilding, again.in_use.customers, folders()) == (False, 10, ["1"])


def test_a_damaged_one_that_is_the_only_one_ends_the_process(opens: Opens, tmp_path: Path) -> None:
    filled(opens()).close()
    (tmp_path / "tables" / "1" / "data.mdb").write_bytes(b"torn" * 1000)

    with pytest.raises(Broken):
        opens()


def test_one_that_does_not_fit_either_is_begun_anew(opens: Opens, folders: Callable[[], list[str]]) -> None:
    rebuilding(opens()).close()

    again = opens()

    assert again.fit(topic_now("third")).offsets == {}
    assert (again.filled.customers, again.in_use.customers, folders()) == (0, 10, ["1", "3"])


def test_what_was_packed_for_one_may_be_written_into_the_next(opens: Opens) -> None:
    tables = opens()
    tables.fit(topic_now("one"))
    packed = tables.pack(customers(1)["c0"])

    tables.fit(topic_now("another"))
    tables.filled.write({"c0": packed}, at_its_end("another"))

    found = tables.filled.get("c0")
    assert found is not None
    assert found.language == "en"
    assert found.position.topic == "another"


def test_where_the_old_one_fits_after_all_the_new_one_goes(opens: Opens, folders: Callable[[], list[str]]) -> None:
    rebuilding(opens()).close()

    again = opens()

    assert (again.fit(topic_now()), again.is_rebuilding, folders()) == (AT_ITS_END, False, ["1"])


def test_a_new_one_with_nine_tenths_of_the_customers_takes_over(opens: Opens, folders: Callable[[], list[str]]) -> None:
    tables = rebuilding(opens(), 9)

    assert tables.take_over(at_its_end("other"))

    assert (tables.is_rebuilding, tables.in_use.customers, folders()) == (False, 9, ["2"])
    tables.close()
    assert opens().in_use.customers == 9


def test_one_with_fewer_does_not_but_where_an_operator_accepts_it(
    opens: Opens, folders: Callable[[], list[str]]
) -> None:
    tables = rebuilding(opens(), 8)
    assert not tables.take_over(at_its_end("other"))
    tables.close()

    other = opens(Shrinkage(after=8, before=11))
    other.fit(topic_now("other"))
    assert not other.take_over(at_its_end("other"))
    other.close()

    accepting = opens(Shrinkage(after=8, before=10))
    accepting.fit(topic_now("other"))
    assert accepting.take_over(at_its_end("other"))
    assert folders() == ["2"]


def test_an_operators_word_does_not_stay_in_force(opens: Opens) -> None:
    accepted = Shrinkage(after=5, before=10)
    tables = rebuilding(opens(accepted), 8)
    assert tables.take_over(at_its_end("other"))

    tables.fit(topic_now("third"))
    tables.filled.write(customers(6), at_its_end("third"))

    assert not tables.take_over(at_its_end("third"))


def test_who_dies_before_the_old_one_is_removed_leaves_the_new_one_in_use_white_box(
    opens: Opens, folders: Callable[[], list[str]]
) -> None:
    tables = rebuilding(opens())
    tables.filled.put_to_use(at_its_end("other"))
    tables.close()
    assert folders() == ["1", "2"]

    again = opens()

    found = again.in_use.get("c1")
    assert found is not None
    assert (found.language, again.fit(topic_now("other")), folders()) == ("it", at_its_end("other"), ["2"])


def test_who_dies_before_the_new_one_is_more_than_a_folder_leaves_the_old_one(
    opens: Opens, folders: Callable[[], list[str]], tmp_path: Path
) -> None:
    filled(opens()).close()
    (tmp_path / "tables" / "2").mkdir()

    again = opens()

    assert (again.in_use.customers, again.fit(topic_now()), folders()) == (10, AT_ITS_END, ["1"])


def test_who_dies_before_the_first_is_more_than_a_folder_fills_that(
    opens: Opens, folders: Callable[[], list[str]], tmp_path: Path
) -> None:
    (tmp_path / "tables" / "1").mkdir(parents=True)

    tables = filled(opens())

    assert (tables.in_use.customers, tables.is_rebuilding, folders()) == (10, False, ["1"])


def test_who_could_not_remove_what_was_given_up_does_so_at_the_next_start(
    opens: Opens, folders: Callable[[], list[str]], tmp_path: Path
) -> None:
    rebuilding(opens()).close()
    (tmp_path / "tables" / "1").rename(tmp_path / "tables" / "3")  # the one in use is the latest by its number
    (tmp_path / "tables" / "0").mkdir()

    opens()

    assert folders() == ["3"]


@pytest.mark.parametrize(
    ("known", "now", "rebuilt"), [("a", "b", True), ("a", "a", False), (None, "b", False), ("a", None, False)]
)
def test_a_topic_that_was_made_again_is_another_where_its_id_is_known(
    opens: Opens, known: str | None, now: str | None, rebuilt: bool
) -> None:
    earlier = msgspec.structs.replace(AT_ITS_END, source=msgspec.structs.replace(SOURCE, topic_id=known))
    tables = filled(opens())
    tables.filled.write({}, earlier)

    topic = topic_now()
    tables.fit(msgspec.structs.replace(topic, source=msgspec.structs.replace(topic.source, topic_id=now)))

    assert tables.is_rebuilding is rebuilt


def test_a_table_whose_state_is_in_another_form_is_rebuilt_white_box(opens: Opens) -> None:
    tables = filled(opens())
    with tables.filled._environment.begin(write=True, db=tables.filled._control) as transaction:
        transaction.put(b"state", b"{}")

    tables.fit(topic_now())

    assert (tables.is_rebuilding, tables.in_use.customers) == (True, 10)


@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel which files are still open")
def test_the_disk_of_the_old_one_is_given_back_although_it_was_read(opens: Opens) -> None:
    tables = rebuilding(opens())
    old = tables.in_use
    assert old.words([b"c1"]) == old.words([b"c1"])
    assert len(open_but_removed()) == 0

    assert tables.take_over(at_its_end("other"))
    assert old.get("c1") is not None
    assert len(open_but_removed()) > 0
    del old

    assert open_but_removed() == []


def open_but_removed() -> list[str]:
    targets = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return [target for target in targets if "mdb" in target and target.endswith("(deleted)")]


def test_who_reads_meanwhile_is_answered_by_the_old_one_or_the_new_one(opens: Opens) -> None:
    tables = filled(opens())
    over = threading.Event()
    seen: list[set[str]] = []

    def read() -> None:
        languages = set()
        while not over.is_set():
            found = tables.in_use.get("c1")
            tables.in_use.words([b"c2"])
            languages.add("none" if found is None else found.language)
        seen.append(languages)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    try:
        for number in range(30):
            other = f"topic-{number}"
            tables.fit(topic_now(other))
            tables.filled.write(customers(10, "it" if number % 2 else "en"), at_its_end(other))
            assert tables.take_over(at_its_end(other))
    finally:
        over.set()
        for reader in readers:
            reader.join()

    assert seen == [{"en", "it"}] * 4
