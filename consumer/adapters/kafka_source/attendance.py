"""How long the member has not listened, and whether its partitions may have gone to others meanwhile."""

from collections.abc import Callable, Mapping

_LIMITS_MS = {"session.timeout.ms": 45_000, "max.poll.interval.ms": 300_000}
"""librdkafka's names, and what it takes where they are not set. With KIP-848 the session's is the broker's, 45 s as well."""


class Attendance:
    """Only a poll tells of partitions that were taken away: who has not polled for too long cannot know what is its own.

    Too long is the session time-out: while the process is frozen nobody sends heartbeats either.
    """

    def __init__(self, settings: Mapping[str, str | int | float | bool], clock: Callable[[], float]) -> None:
        """`clock`: monotonic seconds."""
        self._clock = clock
        self._limit_s = min(int(settings.get(name, usual)) for name, usual in _LIMITS_MS.items()) / 1000
        self._listened_at_s = clock()

    def listened(self) -> None:
        """A poll has just told whatever there was."""
        self._listened_at_s = self._clock()

    @property
    def overdue(self) -> bool:
        """Whether a poll is needed before anything counts as ours."""
        return self._clock() - self._listened_at_s >= self._limit_s
