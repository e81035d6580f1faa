"""When sending stops because the provider or the configuration is broken, and how it carefully starts again."""

import enum
from collections import deque
from datetime import datetime, timedelta
from typing import assert_never

import msgspec

from consumer.core.delivery import Accepted, Failure, Fault, Hint, Outcome

_NO_NOTICE = 0


class Tolerance(msgspec.Struct, frozen=True, kw_only=True):
    """How much trouble is borne before sending stops, and how long it stops.

    Runs are counted from the last accepted text: `ambiguous_max` calls without an answer, whether no connection came about
    or nobody knows if the text went out, `repeated_max` faults that halt only when they repeat, `refreshes_max` tries with
    refreshed credentials, `burst_max` permanent ones within `burst_s`. The first stop lasts `first_s`, each further one
    twice the last, at most `longest_s`. A notice that failed as a trial is tried again only if no other has come up within
    `another_s`; what comes up during a trial rests as long.
    """

    ambiguous_max: int = 5
    repeated_max: int = 3
    refreshes_max: int = 1
    burst_max: int = 20
    burst_s: float = 60.0
    first_s: float = 30.0
    longest_s: float = 900.0
    another_s: float = 10.0

    def __post_init__(self) -> None:
        """Refuse a breaker that never opens or never closes."""
        if min(self.ambiguous_max, self.repeated_max, self.refreshes_max, self.burst_max) < 1:
            raise ValueError("ambiguous_max, repeated_max, refreshes_max and burst_max are at least 1")
        if not 0 < self.first_s <= self.longest_s or self.another_s <= 0 or self.burst_s < 0:
            raise ValueError("another_s and first_s lie above 0, first_s not above longest_s; burst_s is not negative")


class Scope(enum.StrEnum):
    """What a failure stops. PART: the alert class and country of the text alone."""

    NOTHING = "nothing"
    PART = "part"
    ALL = "all"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a failure means in the light of those before it: the fault to settle the text by, and what must stop."""

    fault: Fault
    stops: Scope


class Runs:
    """Counts what went wrong since the last text was accepted. Its caller holds a lock around each call."""

    def __init__(self, tolerance: Tolerance) -> None:
        """Start without a past."""
        self._tolerance = tolerance
        self._unanswered = 0
        self._repeated = 0
        self._refreshed_at: deque[datetime] = deque(maxlen=tolerance.refreshes_max)
        self._permanent: deque[datetime] = deque(maxlen=tolerance.burst_max)

    def accepted(self) -> None:
        """The provider took a text: whatever it was, it is over."""
        self._unanswered = self._repeated = 0
        self._refreshed_at.clear()
        self._permanent.clear()

    def weigh(self, failure: Failure, *, begun_at: datetime, now: datetime) -> Verdict:
        """Count one failure of a call that was begun at `begun_at`, and say what it comes to."""
        if failure.hint is Hint.CONFIGURATION:
            return Verdict(fault=Fault.HALT, stops=Scope.PART)
        if failure.fault is Fault.HALT or self._too_often(failure.hint, begun_at, now):
            return Verdict(fault=Fault.HALT, stops=Scope.ALL)
        if not _unanswered(failure):
            return Verdict(fault=failure.fault, stops=Scope.NOTHING)
        self._unanswered += 1
        if self._unanswered < self._tolerance.ambiguous_max:
            return Verdict(fault=failure.fault, stops=Scope.NOTHING)
        fault = Fault.HALT if failure.fault is Fault.TRANSIENT else failure.fault  # a doubt stays a doubt
        return Verdict(fault=fault, stops=Scope.ALL)

    def _too_often(self, hint: Hint, begun_at: datetime, now: datetime) -> bool:
        match hint:
            case Hint.HALT_WHEN_REPEATED:
                self._repeated += 1
                return self._repeated >= self._tolerance.repeated_max
            case Hint.REFRESH_CREDENTIALS:
                return self._refreshed_in_vain(begun_at, now)
            case Hint.HALT_ON_BURST:
                self._permanent.append(now)
                full = len(self._permanent) == self._tolerance.burst_max
                return full and now - self._permanent[0] <= timedelta(seconds=self._tolerance.burst_s)
            case _:
                return False

    def _refreshed_in_vain(self, begun_at: datetime, now: datetime) -> bool:
        """Calls that were under way when the credentials ran out say nothing about the refreshed ones."""
        if self._refreshed_at and begun_at <= self._refreshed_at[-1]:
            return False
        if len(self._refreshed_at) == self._tolerance.refreshes_max:
            return True
        self._refreshed_at.append(now)
        return False


def _unanswered(failure: Failure) -> bool:
    """Whether the provider said nothing: no connection, or no reply. Whatever else is transient has a hint of its own."""
    return failure.fault is Fault.AMBIGUOUS or (failure.fault is Fault.TRANSIENT and failure.hint is Hint.NONE)


class Closed(msgspec.Struct, frozen=True, kw_only=True):
    """Texts flow."""


class Open(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing is begun; a probe is due at `until`. `tried`: the notice that failed as the last trial."""

    until: datetime
    delay: timedelta
    tried: int


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """The provider answers since `since`: the next notice that comes up is the trial."""

    since: datetime
    delay: timedelta
    tried: int


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One notice is under way, and everything waits for how it ends."""

    notice_id: int
    delay: timedelta


Position = Closed | Open | Ready | Trial


class Breaker:
    """Closed, open, ready for a trial, in trial; only an accepted trial closes it. Its caller holds a lock around calls."""

    def __init__(self, tolerance: Tolerance) -> None:
        """Start closed."""
        self._tolerance = tolerance
        self.position: Position = Closed()

    def probe_due(self, now: datetime) -> bool:
        """Whether it is time to ask the provider, by a call that sends nothing, whether it answers."""
        return isinstance(self.position, Open) and now >= self.position.until

    def probed(self, *, answered: bool, now: datetime) -> None:
        """The probe's answer: a trial may follow, or the stop lasts twice as long."""
        assert isinstance(self.position, Open), "only an open breaker is probed"
        if answered:
            self.position = Ready(since=now, delay=self.position.delay, tried=self.position.tried)
        else:
            self._open(self.position.delay * 2, self.position.tried, now)

    def barred_until(self, notice_id: int, now: datetime) -> datetime | None:
        """Until when at least this notice must not be begun; None: it may be."""
        match self.position:
            case Closed():
                return None
            case Open():
                return max(self.position.until, now)
            case Ready():
                again = self.position.since + timedelta(seconds=self._tolerance.another_s)
                return again if notice_id == self.position.tried and now < again else None
            case Trial():
                return now + timedelta(seconds=self._tolerance.another_s)
            case _:
                assert_never(self.position)

    def began(self, notice_id: int) -> None:
        """The notice is being sent: if the breaker was ready, it is the trial."""
        if isinstance(self.position, Ready):
            self.position = Trial(notice_id=notice_id, delay=self.position.delay)

    def withdrew(self, notice_id: int, now: datetime) -> None:
        """The notice was not sent after all: another one may be the trial."""
        if isinstance(self.position, Trial) and self.position.notice_id == notice_id:
            self.position = Ready(since=now, delay=self.position.delay, tried=_NO_NOTICE)

    def ended(self, notice_id: int, outcome: Outcome, *, stop: bool, now: datetime) -> None:
        """How a notice's call ended. `stop`: its failure opens a closed breaker; a trial's reopens it, whatever it was."""
        match self.position:
            case Closed() if stop:
                self._open(timedelta(seconds=self._tolerance.first_s), _NO_NOTICE, now)
            case Trial(notice_id=trial) if trial == notice_id:
                if isinstance(outcome, Accepted):
                    self.position = Closed()
                else:
                    self._open(self.position.delay * 2, notice_id, now)
            case _:
                pass  # it was begun before the stop, and says nothing about now

    def _open(self, delay: timedelta, tried: int, now: datetime) -> None:
        bounded = min(delay, timedelta(seconds=self._tolerance.longest_s))
        self.position = Open(until=now + bounded, delay=bounded, tried=tried)
