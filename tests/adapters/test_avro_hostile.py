import time
import tracemalloc
from typing import Any

import pytest

from consumer.errors import DeadLetterReason
from tests.avro import ID, Listed, refusal
from tests.hostile import ROWS, schema_of, value_of

SECONDS_MAX = 2.0  # of this thread: other processes do not count
BYTES_MAX = 64 * 2**20


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_what_was_made_to_harm_is_a_dead_letter_in_little_time_and_memory(row: dict[str, Any]) -> None:
    value = value_of(row)
    registry = Listed({ID: schema_of(row)})
    tracemalloc.start()
    started_s = time.thread_time()

    problem = refusal(value, registry)

    elapsed_s = time.thread_time() - started_s
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert problem.reason == DeadLetterReason(row["reason"])
    assert problem.detail.startswith(row["detail"])
    assert problem.schema == str(ID)
    assert elapsed_s < SECONDS_MAX
    assert peak_bytes < BYTES_MAX


def test_the_corpus_is_all_there() -> None:
    assert len(ROWS) == len({row["name"] for row in ROWS}) == 65
