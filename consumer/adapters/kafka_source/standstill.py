"""That all of a member's partitions stand still, told where nobody else would."""

import math
from collections.abc import Callable

from consumer.telemetry import Line, alarm, log

_ALARM_AFTER_S = 60.0


class Standstill:
    """An alarm where it lasts, and a line when it is over: intake, to which nothing is delivered, sees silence."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock`: monotonic seconds."""
        self._clock = clock
        self._since_s = math.inf
        self._said = False

    def see(self, *, stands: bool) -> None:
        """At each poll: whether what is ours may not be delivered before the group has confirmed it."""
        if not stands:
            if self._said:
                log(Line.INTAKE_RESUMED)
            self._since_s, self._said = math.inf, False
            return
        now_s = self._clock()
        self._since_s = min(self._since_s, now_s)
        if not self._said and now_s - self._since_s >= _ALARM_AFTER_S:
            self._said = True
            alarm(Line.INTAKE_PAUSED, what="kafka", code="unconfirmed")
