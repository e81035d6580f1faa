from pathlib import Path

import pytest

from consumer.settings.__main__ import main
from consumer.settings.loading import known_settings
from consumer.settings.table import BEGIN, END, table, with_table


def test_the_table_has_a_row_for_each_setting_with_its_meaning() -> None:
    rows = table().splitlines()

    for setting in known_settings():
        (row,) = [row for row in rows if row.startswith(f"| `{setting.name}`")]
        assert row.rpartition(" | ")[2].rstrip(" |")
    assert "| `AVVISO_SNS__READ_TIMEOUT_S` | `10` |" in table()
    assert "| `AVVISO_PSEUDONYM_KEY` or `AVVISO_PSEUDONYM_KEY_FILE` |  |" in table()


def test_only_the_part_between_the_marks_changes() -> None:
    document = f"before\n{BEGIN}\nold\n{END}\nafter\n"

    assert with_table(document) == f"before\n{BEGIN}\n{table()}\n{END}\nafter\n"


def test_a_document_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="there are no lines"):
        with_table("no table here\n")


def test_a_table_that_is_out_of_date_is_found_and_mended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "README.md"
    file.write_text(f"{BEGIN}\nold\n{END}\n")

    found = main([str(file), "--check"])
    mended = main([str(file)])
    again = main([str(file), "--check"])

    assert (found, mended, again) == (1, 0, 0)
    assert "run `make format`" in capsys.readouterr().err
