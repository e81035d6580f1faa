"""How long a process needs until its table of preferences is ready, and what the table takes of memory and disk."""

import time
from pathlib import Path

import msgspec

from tests.benchmarks.apart import answer_order, answered
from tests.benchmarks.resident import Resident, disk_bytes, resident
from tests.benchmarks.wiring import Places, table_of, wait_until_ready

PATIENCE_S = 3600.0


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """One start: cold (an empty folder) or warm (a full one). Times are from before the interpreter was started."""

    start: str
    customers: int
    ready_s: float
    records_per_s: float
    resident: Resident
    disk_bytes: int


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What the other process is to do, and when it was told by the clock that all processes share."""

    places: Places
    start: str
    given_at_s: float


def loaded(places: Places, start: str, customers: int) -> Load:
    """In a process of its own, so that its memory is its own; raises RuntimeError where customers are missing."""
    order = Order(places=places, start=start, given_at_s=time.monotonic())
    load = answered("tests.benchmarks.table_load", order, Load)
    if load.customers != customers:
        raise RuntimeError(f"{load.customers} customers are in the table, not {customers}")
    return load


def _load(order: Order) -> Load:
    with table_of(order.places.settings()) as table:
        wait_until_ready(table, PATIENCE_S)
        ready_s = time.monotonic() - order.given_at_s
        return Load(
            start=order.start,
            customers=table.customers,
            ready_s=ready_s,
            records_per_s=table.customers / ready_s,
            resident=resident(),
            disk_bytes=disk_bytes(Path(order.places.table)),
        )


if __name__ == "__main__":
    answer_order(Order, _load)
