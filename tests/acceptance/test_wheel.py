"""The wheel works where there is no checkout: it brings its schemas, catalogue and texts along."""

import json
import os
import re
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

import consumer

ROOT = Path(__file__).parents[2]
EVENT = {
    "type": "TransactionPosted",
    "event_id": "evt-1",
    "occurred_at": "2026-11-22T13:30:00Z",
    "customer_ids": ["cust-1"],
    "transaction_id": "tx-1",
    "account_id": "acc-1",
    "account_number": "IT60X0542811101000000123456",
    "account_currency": "EUR",
    "amount": "250.00",
    "currency": "EUR",
    "direction": "DEBIT",
    "status": "POSTED",
    "channel": "CARD_PRESENT",
    "card_last_four": "4242",
    "counterparty_name": "Libreria Manzoni",
}
CUSTOMER = {
    "customer_id": "cust-1",
    "language": "it",
    "time_zone": "Europe/Rome",
    "phone": "+393401234567",
    "phone_verified": True,
    "detail_level": "FULL",
    "alerts": [{"kind": "large_debit", "enabled": True, "threshold": "100", "threshold_currency": "EUR"}],
}


def python(*arguments: str, cwd: Path) -> None:
    subprocess.run([sys.executable, "-m", *arguments], cwd=cwd, check=True, stdout=subprocess.DEVNULL, timeout=60)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    python("hatchling", "build", "--target", "wheel", "--directory", str(folder), cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `pip install` puts down, outside the checkout; the dependencies are those that run this test."""
    folder = tmp_path_factory.mktemp("site")
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--no-index")
    python("pip", "install", *quiet, "--target", str(folder), str(wheel), cwd=folder)
    return folder


def avviso(site: Path, cwd: Path, arguments: Sequence[str], **settings: str) -> str:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AVVISO_")}
    done = subprocess.run(
        [site / "bin" / "avviso", *arguments],
        cwd=cwd,
        env=inherited | settings | {"PYTHONPATH": str(site), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_brings_every_schema_text_and_catalogue_of_the_repository(wheel: Path) -> None:
    packed = set(zipfile.ZipFile(wheel).namelist())

    expected = {f"consumer/{path.relative_to(ROOT)}" for path in (ROOT / "schemas").rglob("*.avsc")}
    expected |= {str(path.relative_to(ROOT)) for path in (ROOT / "consumer" / "texts").glob("*.ftl")}
    expected |= {"consumer/alerts.yaml", "consumer/py.typed"}
    assert len(expected) >= 7
    assert expected <= packed
    assert not [name for name in packed if name.startswith("tests/") or "__pycache__" in name]


def test_the_wheel_has_its_licence_and_its_version_from_one_place(wheel: Path) -> None:
    packed = zipfile.ZipFile(wheel)
    (metadata,) = [name for name in packed.namelist() if name.endswith(".dist-info/METADATA")]

    assert f"\nVersion: {consumer.__version__}\n" in packed.read(metadata).decode()
    assert [name for name in packed.namelist() if name.endswith("/licenses/LICENSE")]


def test_the_readme_shows_what_the_command_prints(site: Path, tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = textwrap.dedent(re.findall(r"(?:^    .*\n)*?^    \$ cat e\.json\n(?:^    .*\n)*", readme, re.MULTILINE)[0])
    event, preferences, command, printed = re.findall(
        r"\$ cat e\.json\n(.*)\$ cat p\.json\n(.*)\$ avviso (.*?)\n(.*)", shown, re.DOTALL
    )[0]
    (tmp_path / "e.json").write_text(event)
    (tmp_path / "p.json").write_text(preferences)

    assert avviso(site, tmp_path, command.split(), AVVISO_BANK_NAME="Banca Esempio") == printed


def test_the_installed_command_tells_its_version(site: Path, tmp_path: Path) -> None:
    assert avviso(site, tmp_path, ["--version"]) == f"avviso {consumer.__version__}\n"


def test_the_installed_command_decides_with_what_it_brought_along(site: Path, tmp_path: Path) -> None:
    (tmp_path / "e.json").write_text(json.dumps(EVENT))
    (tmp_path / "p.json").write_text(json.dumps(CUSTOMER))
    question = ["decide", "--event", "e.json", "--preferences", "p.json", "--now", "2026-11-22T13:30:05Z", "--json"]

    (answer,) = json.loads(avviso(site, tmp_path, question))

    assert (answer["decision"], answer["kind"]) == ("notify", "large_debit")
    assert set(answer["texts"]) >= {"en", "it"}
    assert "*4242" in answer["texts"]["it"]["text"]
    assert "IT60X0542811101000000123456" not in json.dumps(answer)
