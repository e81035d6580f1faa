"""The catalogue's file: YAML, read strictly."""

from pathlib import Path

import pytest

from consumer.adapters.catalogue_file import load_catalogue
from consumer.adapters.resources import catalogue
from consumer.errors import Broken, ExitCode


def refusal(tmp_path: Path, content: str | bytes) -> str:
    path = tmp_path / "alerts.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(Broken) as refused:
        load_catalogue(path)
    assert refused.value.exit_code == ExitCode.SETTINGS
    assert str(refused.value).startswith(f"{path} cannot be used as alert catalogue:\n")
    return str(refused.value).partition("\n")[2]


def test_the_file_that_ships_is_a_catalogue() -> None:
    assert load_catalogue(catalogue()).version == "1"


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Broken, match=r"nowhere.yaml cannot be used .*\n  it cannot be read \(No such file"):
        load_catalogue(tmp_path / "nowhere.yaml")


def test_every_mistake_in_the_file_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path, "version: 1\nclasses: {}\nkinds: {}\n").splitlines() == [
        "  version: write a text in quotes",
        "  kinds: describe at least one kind: a catalogue without any tells nothing",
    ]


def test_a_key_that_stands_twice_is_refused_where_yaml_would_forget_the_first(tmp_path: Path) -> None:
    twice = "version: '1'\nkinds:\n  low: {}\n  low: {}\n"

    assert refusal(tmp_path, twice) == "  line 4, column 3: low stands here twice"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("version: '1\n", "  line 2, column 1: found unexpected end of stream"),
        ("? [a, b]\n: 1\n", "  line 1, column 3: found unhashable key"),
        (
            "a: !!python/object/apply:os.getcwd []\n",
            "  line 1, column 4: could not determine a constructor for the tag",
        ),
        ("a: &a [1]\nb: *a\n", "  line 2, column 4: write it out: references (*) are not read"),
        (b"\xff\xfe\xfa", "  it is not YAML in UTF-8"),
        ("a: 2026-99-99\n", "  it is not YAML in UTF-8"),
        ("[" * 20_000, "  it is not YAML in UTF-8"),
        ("#" * 1_000_001, "  it is larger than 1000000 bytes; is it the right file?"),
    ],
)
def test_what_is_no_plain_yaml_is_refused(tmp_path: Path, content: str | bytes, problem: str) -> None:
    assert refusal(tmp_path, content).startswith(problem)
