from collections.abc import Iterator
from pathlib import Path

import pytest

from consumer.adapters.outbox_sqlite import SqliteOutbox, SqliteOutboxReader
from tests.builders import NOW
from tests.intakes import States


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[SqliteOutbox]:
    with SqliteOutbox.open(tmp_path / "outbox.sqlite", identity={}, now=NOW) as opened:
        yield opened


@pytest.fixture
def states(tmp_path: Path, outbox: SqliteOutbox) -> States:
    def counted() -> dict[str, int]:
        with SqliteOutboxReader.open(tmp_path / "outbox.sqlite") as reader:
            return {state: count for state, count in reader.stats().items() if count}

    return counted
