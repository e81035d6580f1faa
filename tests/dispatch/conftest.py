"""The rig, closed after each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dispatch.rig import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    yield made
    made.close()
