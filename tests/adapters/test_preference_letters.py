"""Dead letters of the preferences topic: each once, however often its record is read."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from consumer.adapters.preference_table.letters import Letters
from consumer.core.record import Record
from consumer.errors import Broken, ExitCode, Unavailable
from consumer.ports import DeadLetter
from tests.builders import record
from tests.fakes import Drawer


def letter(offset: int, **changes: Any) -> DeadLetter:
    found = record(**changes)
    at: Record = msgspec.structs.replace(found, position=msgspec.structs.replace(found.position, offset=offset))
    return DeadLetter(record=at, reason="test", detail="no colon")


def offsets(drawer: Drawer) -> list[int]:
    return [letter.record.position.offset for letter in drawer.letters]


def test_a_letter_is_written_once_after_a_restart_too(tmp_path: Path) -> None:
    drawer = Drawer()
    letters = Letters(drawer, tmp_path / "set-aside")

    letters.write([letter(1), letter(2)])
    letters.write([letter(2), letter(3)])
    Letters(drawer, tmp_path / "set-aside").write([letter(1), letter(3), letter(4)])

    assert offsets(drawer) == [1, 2, 3, 4]


@pytest.mark.parametrize("changes", [{"timestamp_ms": 1}, {"value": b"other"}, {"key": b"other"}, {"key": None}])
def test_a_record_in_the_same_place_of_a_topic_made_again_is_another(tmp_path: Path, changes: dict[str, Any]) -> None:
    drawer = Drawer()
    letters = Letters(drawer, tmp_path / "set-aside")

    letters.write([letter(1)])
    letters.write([letter(1, **changes)])

    assert offsets(drawer) == [1, 1]


def test_what_was_not_acknowledged_is_not_remembered(tmp_path: Path) -> None:
    drawer = Drawer(outages=1)
    letters = Letters(drawer, tmp_path / "set-aside")

    with pytest.raises(Unavailable):
        letters.write([letter(1)])
    letters.write([letter(1)])

    assert offsets(drawer) == [1]


def test_what_could_not_be_remembered_is_not_written_or_each_start_would_write_it_again(tmp_path: Path) -> None:
    drawer, path = Drawer(), tmp_path / "set-aside"
    letters = Letters(drawer, path)
    (tmp_path / "set-aside.coming").mkdir()

    with pytest.raises(Broken):
        letters.write([letter(1)])
    assert offsets(drawer) == []
    (tmp_path / "set-aside.coming").rmdir()
    letters.write([letter(1)])

    assert offsets(drawer) == [1]


def test_the_first_are_forgotten_where_there_are_too_many(tmp_path: Path) -> None:
    drawer, path = Drawer(), tmp_path / "set-aside"
    letters = Letters(drawer, path, remembered_max=2)

    for offset in range(4):
        letters.write([letter(offset)])
    Letters(drawer, path, remembered_max=2).write([letter(3), letter(2), letter(0)])

    assert offsets(drawer) == [0, 1, 2, 3, 0]
    assert path.stat().st_size == 32


def test_half_a_memory_is_better_than_none(tmp_path: Path) -> None:
    drawer, path = Drawer(), tmp_path / "set-aside"
    Letters(drawer, path).write([letter(1), letter(2)])
    path.write_bytes(path.read_bytes()[:-1])

    Letters(drawer, path).write([letter(1), letter(2)])

    assert offsets(drawer) == [1, 2, 2]


def test_a_memory_that_cannot_be_read_or_written_ends_the_process(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(Broken, match="errno_21") as unreadable:
        Letters(Drawer(), tmp_path / "folder")
    with pytest.raises(Broken, match="errno_2") as unwritable:
        Letters(Drawer(), tmp_path / "missing" / "set-aside").write([letter(1)])

    codes = {unreadable.value.exit_code, unwritable.value.exit_code}
    assert codes == {ExitCode.PREFERENCES_DAMAGED}


def test_only_the_process_itself_may_read_it(tmp_path: Path) -> None:
    Letters(Drawer(), tmp_path / "set-aside").write([letter(1)])

    assert (tmp_path / "set-aside").stat().st_mode & 0o077 == 0


def test_what_was_written_is_known(tmp_path: Path) -> None:
    letters = Letters(Drawer(), tmp_path / "set-aside")
    letters.write([letter(1)])

    assert [letters.knows(letter(offset).record) for offset in (1, 2)] == [True, False]
