"""Lets a Kafka client fetch ahead all it will before its records count: then the broker has no part in what is measured."""

import time
from collections.abc import Callable

WINDOW_S = 0.2
BUSY_CPU_S = 0.01
QUIET_WINDOWS = 4
"""Longer than the half second that a broker may hold a request for more."""
PATIENCE_S = 60.0


def fetched_ahead(
    *,
    clock: Callable[[], float] = time.monotonic,
    processor: Callable[[], float] = time.process_time,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Return once this process has been all but idle for a while; raises TimeoutError where it never is.

    `processor`: seconds that all threads of the process took so far.
    """
    quiet, deadline_s = 0, clock() + PATIENCE_S
    while quiet < QUIET_WINDOWS:
        if clock() > deadline_s:
            raise TimeoutError(f"the process did not come to rest within {PATIENCE_S:.0f} s")
        before_s = processor()
        sleep(WINDOW_S)
        quiet = quiet + 1 if processor() - before_s < BUSY_CPU_S else 0
