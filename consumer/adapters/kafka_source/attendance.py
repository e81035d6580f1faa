"""How long the member has not listened, and whether its partitions may have gone to others meanwhile."""

from collections.abc import Callable, Mapping

from consumer.adapters.kafka_source.session import Session

_POLL_INTERVAL = "max.poll.interval.ms"
_POLL_INTERVAL_MS = 300_000
"""What librdkafka takes where it is not set."""


class Attendance:
    """Only a poll tells of partitions that were taken away: who has not polled for too long cannot know what is its own.

    Too long is the session: while the process is frozen nobody sends heartbeats either.
    """

    def __init__(
        self,
        settings: Mapping[str, str | int | float | bool],
        session: Session,
        clock: Callable[[], float],
    ) -> None:
        """`clock`: monotonic seconds."""
        self._clock = clock
        self._session = session
        self._poll_interval_s = int(settings.get(_POLL_INTERVAL, _POLL_INTERVAL_MS)) / 1000
        self._listened_at_s = clock()

    def listened(self) -> None:
        """A poll has just told whatever there was."""
        self._listened_at_s = self._clock()

    @property
    def overdue(self) -> bool:
        """Whether a poll is needed before anything counts as ours."""
        return self._clock() - self._listened_at_s >= min(self._session.silence_s, self._poll_interval_s)
