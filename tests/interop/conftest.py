"""What the interop tests need besides Kafka: Node with the packages of the lock, a real registry, moto."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Never

import pytest

from tests.containers import moto_container
from tests.registries import apicurio_container

FOLDER = Path(__file__).parent
_INSTALL_S = 300.0


@pytest.fixture(scope="session")
def node() -> str:
    """The path of `node`; beside this file lie exactly the packages that the lock names."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found is None or npm is None:
        _do_without(
            f"{'node' if found is None else 'npm'} is not installed, and a Node producer is what this test is about"
        )
    if not _installed():
        done = subprocess.run(
            [npm, "ci", "--no-progress"], cwd=FOLDER, capture_output=True, text=True, timeout=_INSTALL_S, check=False
        )
        if done.returncode != 0:
            _do_without(f"npm cannot install the packages of {FOLDER.name}/package-lock.json:\n{done.stderr[-2000:]}")
    return found


@pytest.fixture(scope="session")
def apicurio() -> Iterator[str]:
    with apicurio_container() as url:
        yield url


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    with moto_container() as url:
        yield url


def _installed() -> bool:
    """npm writes its own record of what it installed last."""
    lock, record = FOLDER / "package-lock.json", FOLDER / "node_modules" / ".package-lock.json"
    return record.exists() and record.stat().st_mtime >= lock.stat().st_mtime


def _do_without(reason: str) -> Never:
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
