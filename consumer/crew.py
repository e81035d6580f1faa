"""One thread that finds work and several that do it: they end together, and the death of one is told to whoever asks."""

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")
Wait = Callable[[threading.Event, float], bool]


class Found(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """What one look brought, and when to look again unless something wakes us."""

    jobs: Sequence[T]
    again_in_s: float


class Crew(Generic[T]):
    """Calls `find` on one thread and `do`, for each job found, on `size` others, until told to stop.

    `find` decides how much it finds, by `waiting`: the jobs that nobody has taken yet; it is woken when no more than
    `few_waiting` of them are left. A thread that dies of an exception stops all: there is no half a crew. `wait` sleeps
    until an event is set or a number of seconds is over, and tells whether it is set.
    """

    def __init__(
        self, *, find: Callable[[], Found[T]], do: Callable[[T], None], size: int, few_waiting: int, wait: Wait
    ) -> None:
        """Start with nobody at work."""
        self.stopping = threading.Event()
        self._find = find
        self._do = do
        self._size = size
        self._few_waiting = few_waiting
        self._wait = wait
        self._queue: queue.SimpleQueue[T | None] = queue.SimpleQueue()
        self._woken = threading.Event()
        self._lock = threading.Lock()
        self._at_work = 0
        self._all_gone = threading.Event()
        self._all_gone.set()
        self._death: BaseException | None = None

    @property
    def waiting(self) -> int:
        """How many jobs nobody has taken yet."""
        return self._queue.qsize()

    def start(self, name: str) -> None:
        """Begin. The threads, called `name`-..., do not keep the process alive when the main thread ends."""
        self._at_work = 1 + self._size
        self._all_gone.clear()
        self._begin(f"{name}-finder", self._find_until_stopped)
        for number in range(self._size):
            self._begin(f"{name}-{number}", self._do_until_stopped)

    def wake(self) -> None:
        """There may be something to find: look now."""
        self._woken.set()

    def check(self) -> None:
        """Raise what one of the threads died of, if one did."""
        if self._death is not None:
            raise self._death

    def stop(self, timeout_s: float) -> bool:
        """Find no more, and wait until every job found has been done; False if that took longer than `timeout_s`."""
        self.stopping.set()
        self.wake()
        return self._all_gone.wait(timeout_s)

    def _begin(self, name: str, work: Callable[[], None]) -> None:
        threading.Thread(target=self._run, args=(work,), name=name, daemon=True).start()

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as death:  # noqa: BLE001 - whatever it is, the main thread must hear of it
            self._death = self._death or death
            self.stopping.set()
            self.wake()
        with self._lock:
            self._at_work -= 1
            if self._at_work == 0:
                self._all_gone.set()

    def _find_until_stopped(self) -> None:
        try:
            while not self.stopping.is_set():
                self._woken.clear()
                found = self._find()
                for job in found.jobs:
                    self._queue.put(job)
                self._wait(self._woken, found.again_in_s)
        finally:
            for _ in range(self._size):
                self._queue.put(None)

    def _do_until_stopped(self) -> None:
        while (job := self._queue.get()) is not None:
            if self._queue.qsize() <= self._few_waiting:
                self.wake()
            self._do(job)
