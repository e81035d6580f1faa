"""An outbox that cannot be opened at the start is the operator's to mend, and said so."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from consumer.app import _outbox
from consumer.errors import Broken, ExitCode
from consumer.settings import Settings, load


def settings(path: Path) -> Settings:
    return load({"AVVISO_OUTBOX__URL": f"sqlite:///{path}"})


def refusal(path: Path) -> Broken:
    with pytest.raises(Broken) as refused:
        _outbox(settings(path), "cluster")
    return refused.value


def test_a_file_where_a_folder_should_be_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    refused = refusal(tmp_path / "file" / "outbox.sqlite")

    assert refused.exit_code == ExitCode.OUTBOX_DAMAGED
    assert str(tmp_path / "file" / "outbox.sqlite") in str(refused)
    assert "AVVISO_OUTBOX__URL" in str(refused)


def test_a_folder_where_the_file_should_be_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / "outbox.sqlite").mkdir()

    assert refusal(tmp_path / "outbox.sqlite").exit_code == ExitCode.OUTBOX_DAMAGED


def test_a_file_that_another_program_holds_locked_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    _outbox(settings(path), "cluster").close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")

        refused = refusal(path)

    assert refused.exit_code == ExitCode.OUTBOX_DAMAGED
    assert "(busy" in str(refused)


def test_a_folder_that_is_not_there_yet_is_made(tmp_path: Path) -> None:
    path = tmp_path / "var" / "lib" / "outbox.sqlite"

    _outbox(settings(path), "cluster").close()

    assert path.exists()
