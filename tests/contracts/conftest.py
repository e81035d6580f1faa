from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.outboxes import OutboxBench, SqliteBench

STORES = {"sqlite": SqliteBench}


@pytest.fixture(params=sorted(STORES))
def outboxes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OutboxBench]:
    """One bench per store: what one of them promises, all of them keep."""
    bench = STORES[request.param](tmp_path)
    yield bench
    bench.close()
