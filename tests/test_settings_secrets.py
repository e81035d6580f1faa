from pathlib import Path

import pytest

from consumer.settings import SettingsError, load
from consumer.settings.kafka import SECRETS, setting_of
from consumer.settings.loading import known_settings

FILES = [f"{setting.name}_FILE" for setting in known_settings() if setting.secret]
KAFKA_FILES = [f"AVVISO_KAFKA__{setting_of(name)}_FILE" for name in sorted(SECRETS)]
KEY = "sixteen bytes or more"


def problems_of(environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as refused:
        load(environ)
    return refused.value.problems


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_may_stand_in_a_file_that_ends_in_a_line_break(tmp_path: Path, end: str) -> None:
    file = tmp_path / "key"
    file.write_bytes(f"{KEY}{end}".encode())

    key = load({"AVVISO_PSEUDONYM_KEY_FILE": str(file)}).pseudonym_key

    assert key is not None
    assert key.get_secret_value() == KEY.encode()


def test_only_one_line_break_is_taken_off(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(" two lines \n\n")

    assert load({"AVVISO_KAFKA__SASL_PASSWORD_FILE": str(file)}).kafka_config()["sasl.password"] == " two lines \n"


@pytest.mark.parametrize("name", FILES + KAFKA_FILES)
def test_every_secret_may_stand_in_a_file_but_not_there_and_here(name: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(KEY)

    problems = problems_of({name: str(file), name.removesuffix("_FILE"): KEY})

    assert f"{name.removesuffix('_FILE')}: is given twice, by itself and by {name}: remove one" in problems


def test_what_is_no_secret_has_no_file() -> None:
    (problem,) = problems_of({"AVVISO_GROUP_ID_FILE": "/etc/passwd"})

    assert problem == "AVVISO_GROUP_ID_FILE: is no setting; did you mean AVVISO_GROUP_ID?"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing"

    assert problems_of({"AVVISO_PSEUDONYM_KEY_FILE": str(missing)}) == (
        f"AVVISO_PSEUDONYM_KEY_FILE: {missing} cannot be read (No such file or directory)",
    )
    (problem,) = problems_of({"AVVISO_PSEUDONYM_KEY_FILE": str(tmp_path)})
    assert f"{tmp_path} cannot be read" in problem


def test_a_secret_in_the_place_of_its_path_is_not_repeated() -> None:
    (problem,) = problems_of({"AVVISO_PSEUDONYM_KEY_FILE": "canary-the-key-itself"})

    assert problem == "AVVISO_PSEUDONYM_KEY_FILE: the file that it names cannot be read (No such file or directory)"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\xff" * 20, "is not UTF-8 text"),
        (b"x" * 70_000, "is larger than 65536 bytes"),
    ],
)
def test_a_file_that_holds_no_secret_is_refused(content: bytes, why: str, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)

    (problem,) = problems_of({"AVVISO_PSEUDONYM_KEY_FILE": str(file)})

    assert f"{file} {why}" in problem


@pytest.mark.parametrize("token", ["two words", "two lines\n", "\u20ac", "tab\t"])
def test_a_token_that_no_header_can_hold_is_refused_and_not_repeated(token: str) -> None:
    problems = problems_of({"AVVISO_REGISTRY__URL": "https://registry", "AVVISO_REGISTRY__TOKEN": token})

    assert any("the token of the registry has a blank" in problem for problem in problems)
    assert not any(token in problem for problem in problems)
