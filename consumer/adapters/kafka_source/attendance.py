"""How long the member has not heard of its group, and whether its partitions may have gone to others meanwhile."""

from collections.abc import Callable, Mapping

from consumer.adapters.kafka_source.confirmation import Confirmation
from consumer.adapters.kafka_source.session import Session

_POLL_INTERVAL = "max.poll.interval.ms"
_POLL_INTERVAL_MS = 300_000
"""What librdkafka takes where it is not set."""

_WAITS = 4
"""So many times as long as a poll may wait is too long."""
_LISTENS_S = 0.1
"""Who waits less hears nothing: librdkafka's own threads find out meanwhile what has become of the session."""
_QUESTIONS = 8
"""So many may be asked before it is too long: the last but one counts, and each may be as late as a poll and its answer."""


class Attendance:
    """Only a poll tells of partitions that were taken away: who has not polled for too long cannot know what is its own.

    Too long is the session: while the process is frozen nobody sends heartbeats either. Afterwards what was fetched before
    comes first, and only then what the group has to say: so a poll that hands out something does not end it.

    With KIP-848 a poll tells nothing: only the group ends a session, and librdkafka goes on fetching until it hears of that
    in answer to a heartbeat. There the group's answers count, and it has to be asked.
    """

    def __init__(
        self,
        settings: Mapping[str, str | int | float | bool],
        session: Session,
        confirmation: Confirmation,
        clock: Callable[[], float],
    ) -> None:
        """`clock`: monotonic seconds."""
        self._clock = clock
        self._session = session
        self._confirmation = confirmation
        self._only_answers_count = settings.get("group.protocol") == "consumer"
        self._poll_interval_s = int(settings.get(_POLL_INTERVAL, _POLL_INTERVAL_MS)) / 1000
        self._began_at_s = self._ended_at_s = self._heard_at_s = clock()
        self._back_at_s: float | None = None
        self._waits_s = 0.0

    def begin(self, timeout_s: float) -> float:
        """A poll begins. Returns how much of `timeout_s` it may wait: that must not look like having been frozen."""
        self._began_at_s = self._clock()
        self._waits_s = min(timeout_s, self._limit_s / _WAITS)
        return self._waits_s

    def end(self, *, empty: bool) -> None:
        """It is over. Had the process been frozen within it, it would have told only what there was when it began.

        Who is never polled empty has heard of it, too, after as long again without another such pause.
        """
        now_s, limit_s = self._clock(), self._limit_s
        listened = empty and self._waits_s >= _LISTENS_S
        if listened or now_s - self._heard_at_s < limit_s:
            self._heard()
        elif self._back_at_s is None or now_s - self._ended_at_s >= limit_s:
            self._back_at_s = now_s
        elif now_s - self._back_at_s >= limit_s:
            self._heard()
        self._ended_at_s = now_s

    @property
    def overdue(self) -> bool:
        """Whether the group is to be heard before anything counts as ours."""
        heard_at_s = self._confirmation.since_s if self._only_answers_count else self._heard_at_s
        return self._clock() - heard_at_s >= self._limit_s

    @property
    def unconfirmed(self) -> bool:
        """Whether nothing may be delivered before the group has answered."""
        return self._only_answers_count and self.overdue

    @property
    def asks(self) -> bool:
        """Whether the group is to be asked now: what was asked long ago does not count for much longer."""
        asked_before_s = self._clock() - self._confirmation.asked_s
        return self.unconfirmed or (self._only_answers_count and asked_before_s >= self._limit_s / _QUESTIONS)

    @property
    def _limit_s(self) -> float:
        return min(self._session.silence_s, self._poll_interval_s)

    def _heard(self) -> None:
        self._heard_at_s, self._back_at_s = self._began_at_s, None
