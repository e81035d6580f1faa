"""A folder of tables belongs to one process."""

import errno
from functools import partial
from pathlib import Path

import pytest

from consumer.adapters.preference_table.lock import FolderLock
from consumer.adapters.preference_table.store import PreferenceStore
from consumer.adapters.preference_table.tables import Tables
from consumer.core.screen import Screen
from consumer.errors import Broken, ExitCode
from tests.deciding import CATALOGUE

WORD = Screen(CATALOGUE).word


def opened(path: Path) -> Tables:
    table = partial(PreferenceStore, size_max_bytes=2**24, word=WORD)
    return Tables(path, table, None, stranger=WORD(None), boot_id=None)


def test_a_folder_has_one_process_at_a_time(tmp_path: Path) -> None:
    first = opened(tmp_path)
    with pytest.raises(Broken, match="is in use: another process") as refused:
        opened(tmp_path)
    first.close()

    opened(tmp_path).close()

    assert refused.value.exit_code == ExitCode.PREFERENCES_IN_USE


def test_a_file_system_without_locks_is_not_taken_for_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fcntl.flock", refuse)

    with pytest.raises(Broken, match=f"cannot be used .errno_{errno.ENOTSUP}") as refused:
        opened(tmp_path)

    assert refused.value.exit_code == ExitCode.PREFERENCES_DAMAGED


def refuse(*_: object) -> None:
    raise OSError(errno.ENOTSUP, "canary")


def test_a_folder_whose_table_cannot_be_opened_is_free_again(tmp_path: Path) -> None:
    (tmp_path / "1").write_text("no folder")

    with pytest.raises(Broken):
        opened(tmp_path)

    FolderLock(tmp_path).release()
