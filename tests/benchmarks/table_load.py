"""How long a process needs until its table of preferences is ready, and what the table takes of memory and disk."""

import contextlib
import time
from pathlib import Path

import msgspec

from consumer.process import rare_collections
from tests.benchmarks.apart import answer_order, answered
from tests.benchmarks.resident import Resident, disk_bytes, resident
from tests.benchmarks.wiring import Places, table_of, wait_until_ready

COLD, WARM = "cold", "warm"


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """One `start`: cold (an empty folder) or warm (a full one). Times are from before the interpreter was started.

    `ready` where all `customers` were there in the end; otherwise it was given up with the `loaded` that had come by then.
    """

    start: str
    customers: int
    loaded: int
    ready: bool
    took_s: float
    resident: Resident
    disk_bytes: int


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What the other process is to do, and when it was told by the clock that all processes share."""

    places: Places
    start: str
    customers: int
    patience_s: float
    given_at_s: float


def start_apart(places: Places, start: str, customers: int, patience_s: float) -> Load:
    """In a process of its own, so that its memory is its own; raises RuntimeError where it is ready with too few."""
    order = Order(places=places, start=start, customers=customers, patience_s=patience_s, given_at_s=time.monotonic())
    load = answered("tests.benchmarks.table_load", order, Load)
    if load.ready and load.loaded != customers:
        raise RuntimeError(f"{load.loaded} customers are in the table, not {customers}")
    return load


def _load(order: Order) -> Load:
    with rare_collections(), table_of(order.places.settings()) as table:  # as `run` does
        with contextlib.suppress(TimeoutError):
            wait_until_ready(table, order.patience_s)
        took_s = time.monotonic() - order.given_at_s
        return Load(
            start=order.start,
            customers=order.customers,
            loaded=table.customers,
            ready=table.ready(),
            took_s=took_s,
            resident=resident(),
            disk_bytes=disk_bytes(Path(order.places.table)),
        )


if __name__ == "__main__":
    answer_order(Order, _load)
