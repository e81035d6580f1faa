"""Lets a Kafka client fetch ahead all it will before its records count: then the broker has no part in what is measured."""

import time

_WINDOW_S = 0.2
_BUSY_CPU_S = 0.01
_QUIET_WINDOWS = 4
"""Longer than the half second that a broker may hold a request for more."""
_PATIENCE_S = 60.0


def fetched_ahead() -> None:
    """Return once this process has been all but idle for a while; raises TimeoutError where it never is."""
    quiet, deadline_s = 0, time.monotonic() + _PATIENCE_S
    while quiet < _QUIET_WINDOWS:
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"the process did not come to rest within {_PATIENCE_S:.0f} s")
        before_s = time.process_time()
        time.sleep(_WINDOW_S)
        quiet = quiet + 1 if time.process_time() - before_s < _BUSY_CPU_S else 0
