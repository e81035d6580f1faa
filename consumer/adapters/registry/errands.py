"""Questions to a registry on threads of their own: whoever asks comes back for the answer."""

import math
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import NoReturn, Self

from consumer.backoff import Backoff
from consumer.errors import Awaited, Unavailable, Undecodable
from consumer.telemetry import REGISTRY_ERRORS

THREADS_MAX = 4
ERRANDS_MAX = 1000
WANTED_FOR_S = 15.0
"""Longer than the longest poll, after which whoever waits asks again. What nobody asked for since must not hold up, in the
queue, what somebody needs.
"""
NO_ANSWER = "no_answer"
Key = tuple[str, str]
"""Who is asked, and for which schema."""


@dataclass(slots=True, kw_only=True)
class _Errand:
    """A job that is queued or done just now (`under_way`), or that an outage, or a `defect`, has ended.

    `wanted_at_s`: when it was asked for last.
    """

    job: Callable[[], object]
    wanted_at_s: float = math.inf
    under_way: bool = True
    failures: int = 0
    code: str = NO_ANSWER
    again_at_s: float = 0.0
    defect: BaseException | None = None


class Errands:
    """Does each job once, however many ask for what it brings, and lets none of them wait.

    A job that an outage ended is done again when it is asked for after its back-off: for what nobody wants any more nobody
    is asked. Closing waits for no answer.
    """

    def __init__(
        self, *, backoff: Backoff, clock: Callable[[], float] = time.monotonic, threads_max: int = THREADS_MAX
    ) -> None:
        """No thread runs before the first job. `backoff` has no end; `clock`: monotonic seconds."""
        self._backoff = backoff
        self._clock = clock
        self._threads_max = threads_max
        self._threads = 0
        self._errands: dict[Key, _Errand] = {}
        self._queue: queue.SimpleQueue[tuple[Key, _Errand] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Begin no more jobs. What is under way ends for nobody."""
        self._closed = True
        for _thread in range(self._threads):
            self._queue.put(None)

    def send(self, what: str, schema: str, job: Callable[[], object]) -> NoReturn:
        """Have the job done that asks `what` for the schema, and remembers it. Raises Awaited, or the defect it met."""
        key = what, schema
        with self._lock:
            errand = self._errands.get(key)
            if errand is None:
                errand = self._begin(key, _Errand(job=job))
            elif errand.defect is not None:
                raise errand.defect
            errand.wanted_at_s = self._clock()
            if not errand.under_way and self._clock() >= errand.again_at_s:
                errand.under_way = True
                self._enqueue(key, errand)
        raise Awaited(what, errand.code, schema)

    def _begin(self, key: Key, errand: _Errand) -> _Errand:
        """What was given up makes room; beyond the limit nothing begins before something has ended."""
        if len(self._errands) >= ERRANDS_MAX:
            self._errands = {key: one for key, one in self._errands.items() if one.under_way}
        if len(self._errands) < ERRANDS_MAX:
            self._errands[key] = errand
            self._enqueue(key, errand)
        return errand

    def _enqueue(self, key: Key, errand: _Errand) -> None:
        self._queue.put((key, errand))
        if self._threads < self._threads_max:
            name = f"registry-{self._threads}"
            self._threads += 1
            threading.Thread(target=self._work, name=name, daemon=True).start()

    def _work(self) -> None:
        while (found := self._queue.get()) is not None and not self._closed:
            self._do(*found)

    def _do(self, key: Key, errand: _Errand) -> None:
        if self._clock() - errand.wanted_at_s > WANTED_FOR_S:
            self._end(key)
            return
        try:
            errand.job()
        except Undecodable:
            self._end(key)  # an answer too, and remembered as such
        except Unavailable as outage:
            REGISTRY_ERRORS.add(1, {"what": outage.what, "code": outage.code})
            self._fail(errand, outage.code)
        except BaseException as defect:  # noqa: BLE001 - whatever it is, the thread that asks must hear of it
            errand.defect = defect
        else:
            self._end(key)

    def _end(self, key: Key) -> None:
        with self._lock:
            self._errands.pop(key, None)

    def _fail(self, errand: _Errand, code: str) -> None:
        with self._lock:
            errand.failures += 1
            delay = self._backoff.delay(attempts=errand.failures, elapsed=timedelta(0))
            assert delay is not None, "this back-off has no end"
            errand.again_at_s = self._clock() + delay.total_seconds()
            errand.code = code
            errand.under_way = False
