"""A source of records that is looked at from outside: how many are done with."""

import threading
import time
from collections.abc import Callable, Mapping

from consumer.core.record import Delivery, Fetched, Record
from consumer.ports import RecordSource

SILENCE_S = 60.0


class CountingSource:
    """Calls `done` with how many are processed so far. After `count` of them the loop is to stop: it sets `stopping`."""

    def __init__(
        self,
        source: RecordSource,
        count: int,
        stopping: threading.Event,
        *,
        done: Callable[[int], None],
    ) -> None:
        self._source = source
        self._count = count
        self._stopping = stopping
        self._done = done
        self._begins: dict[Delivery, int] = {}
        self._ends: dict[Delivery, int] = {}
        self._patient_until_s = time.monotonic() + SILENCE_S

    def poll(self, *, records_max: int, timeout_s: float, before_revoke: Callable[[], None] = lambda: None) -> Fetched:
        records = self._source.poll(records_max=records_max, timeout_s=timeout_s, before_revoke=before_revoke)
        for delivery, count in records.columns.counts.items():
            self._begins.setdefault(delivery, records.ends[delivery] - count)
        if records:
            self._patient_until_s = time.monotonic() + SILENCE_S
        elif time.monotonic() > self._patient_until_s:
            left = self._count - self._processed
            raise TimeoutError(f"intake has still {left} records to come, and none came for {SILENCE_S:.0f} s")
        return records

    def processed(self, ends: Mapping[Delivery, int]) -> None:
        self._source.processed(ends)
        self._ends.update(ends)
        processed = self._processed
        self._done(processed)
        if processed >= self._count:
            self._stopping.set()

    @property
    def _processed(self) -> int:
        return sum(end - self._begins[delivery] for delivery, end in self._ends.items())

    @property
    def overdue(self) -> bool:
        return self._source.overdue

    def owns(self, record: Record) -> bool:
        return self._source.owns(record)

    def hold_back(self, delivery: Delivery, offset: int) -> None:
        self._source.hold_back(delivery, offset)

    def let_go(self, delivery: Delivery) -> None:
        self._source.let_go(delivery)

    def commit(self) -> None:
        self._source.commit()

    def pause(self) -> None:
        self._source.pause()

    def resume(self) -> None:
        self._source.resume()

    def close(self) -> None:
        self._source.close()
