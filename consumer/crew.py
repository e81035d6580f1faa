"""The threads of one loop: they end together, and the death of one is told to whoever asks."""

import threading
from collections.abc import Callable


class Crew:
    """Threads that run until `stopping` is set. One that dies of an exception sets it too: there is no half a crew."""

    def __init__(self) -> None:
        """Start with nobody."""
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._all_gone = threading.Event()
        self._all_gone.set()
        self._at_work = 0
        self._death: BaseException | None = None

    def start(self, name: str, work: Callable[[], None]) -> None:
        """Run `work` on a thread of its own. It does not keep the process alive when the main thread ends."""
        with self._lock:
            self._at_work += 1
            self._all_gone.clear()
        threading.Thread(target=self._run, args=(work,), name=name, daemon=True).start()

    def check(self) -> None:
        """Raise what one of the threads died of, if one did."""
        if self._death is not None:
            raise self._death

    def join(self, timeout_s: float) -> bool:
        """Wait until all have ended; False if some had not within `timeout_s`."""
        return self._all_gone.wait(timeout_s)

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as death:  # noqa: BLE001 - whatever it is, the main thread must hear of it
            self._death = self._death or death
            self.stopping.set()
        with self._lock:
            self._at_work -= 1
            if self._at_work == 0:
                self._all_gone.set()
