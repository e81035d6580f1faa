"""`avviso schemas`: the contract is checked here, and told to the registry."""

import json
import shutil
from pathlib import Path

from typer.testing import CliRunner, Result

from consumer import __version__
from consumer.adapters.resources import schemas
from consumer.cli import cli
from tests.registries import BASE_PATH, Asked, Behaviour, Reply, ScriptedRegistry


def avviso(*arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(cli, list(arguments), env=environ)


def test_the_schemas_that_ship_keep_their_rules() -> None:
    result = avviso("schemas", "check")

    assert result.exit_code == 0
    assert "keep their rules" in result.output


def test_a_version_that_cannot_be_read_by_the_others_is_named_with_its_field(tmp_path: Path) -> None:
    folder = tmp_path / "schemas"
    shutil.copytree(schemas(), folder)
    schema = json.loads((folder / "BalanceChanged" / "v1.avsc").read_text())
    schema["fields"] = [field for field in schema["fields"] if field["name"] != "available"]
    (folder / "BalanceChanged" / "v2.avsc").write_text(json.dumps(schema))

    result = avviso("schemas", "check", "--folder", str(folder))

    assert result.exit_code == 1
    assert "available" in result.output
    assert "BalanceChanged" in result.output


def test_they_are_registered_under_the_topics_of_the_settings() -> None:
    def answer(asked: Asked) -> Behaviour:
        return Reply(body=json.dumps({"id": 40 + len(asked.path)}).encode())

    with ScriptedRegistry(answer) as registry:
        result = avviso("schemas", "register", "--registry", registry.url, AVVISO_TOPICS__BALANCES="my.balances")

    assert result.exit_code == 0, result.output
    assert [asked.path.removeprefix(BASE_PATH) for asked in registry.asked if asked.method == "POST"] == [
        "/subjects/bank.transactions.v1-value/versions",
        "/subjects/my.balances-value/versions",
        "/subjects/bank.alert-preferences.v1-value/versions",
    ]
    assert "my.balances-value version 1: id " in result.output


def test_a_registry_that_refuses_is_an_error_that_says_which_schema() -> None:
    with ScriptedRegistry(lambda _: Reply(status=409, body=b'{"error_code": 409, "message": "no"}')) as registry:
        result = avviso("schemas", "register", "--registry", registry.url)

    assert result.exit_code != 0
    assert "bank.transactions.v1-value" in result.output


def test_without_a_registry_it_says_how_to_name_one() -> None:
    result = avviso("schemas", "register")

    assert result.exit_code == 2
    assert "--registry" in result.output


def test_the_version_is_told_from_one_place() -> None:
    assert avviso("--version").output == f"avviso {__version__}\n"
