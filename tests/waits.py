"""Partitions that wait, for tests of intake: which schemas are still to come, and what happens meanwhile."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from consumer.errors import Awaited, Undecodable
from tests.builders import transaction
from tests.intakes import Run

A, B, C = 0, 1, 2
SEVEN = Awaited("registry", "no_answer", "7")
EIGHT = Awaited("registry", "no_answer", "8")
UNKNOWN = Undecodable("unknown_schema", "the registry has no schema under this id", schema="7")


def told(number: int) -> Any:
    return transaction(event_id=f"evt-{number}", transaction_id=f"tx-{number}")


def done(run: Run, partition: int) -> list[int]:
    return [at.offset for at in run.source.processed_positions if at.partition == partition]


def nothing() -> None:
    pass


def later(run: Run, seconds: float) -> Callable[[], None]:
    def pass_time() -> None:
        run.now += timedelta(seconds=seconds)

    return pass_time
