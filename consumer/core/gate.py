"""Whether a text may be sent now: breaker, one breaker for each part that is broken by itself, and limiter."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from consumer.core.breaker import Breaker, Closed, Open, Ready, Runs, Scope, Tolerance
from consumer.core.delivery import Accepted, Failure, Hint, Outcome
from consumer.core.limiter import Limiter, Rate

PROVIDER = "provider"
_NO_WAIT = timedelta(0)


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate must know of a text. `part`: its alert class and country; `recipient`: a stand-in for its phone."""

    notice_id: int
    part: str
    recipient: str
    parts: int


class Barred(msgspec.Struct, frozen=True, kw_only=True):
    """Not now: worth asking again at `until`."""

    until: datetime
    reason: str


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """What an outcome comes to in the light of those before it.

    `outcome` is the one to settle by; a text that a halt stopped may be tried again at `until`. `paused` and `resumed` name
    what it stopped and set going: `provider`, or a ticket's part.
    """

    outcome: Outcome
    until: datetime
    paused: tuple[str, ...] = ()
    resumed: tuple[str, ...] = ()


class Gate:
    """What all senders share. Its caller holds one lock around each call and tells the time."""

    def __init__(self, *, rate: Rate, tolerance: Tolerance, now: datetime) -> None:
        """Start open for business, with a full bucket."""
        self._limiter = Limiter(rate, now)
        self._tolerance = tolerance
        self._runs = Runs(tolerance)
        self._provider = Breaker(tolerance)
        self._parts: dict[str, Breaker] = {}  # bounded by classes times countries

    def room(self, now: datetime) -> int:
        """How many notices are worth claiming now: none while sending is stopped, one if the next is a trial."""
        match self._provider.position:
            case Closed():
                return self._limiter.room(now)
            case Ready():
                return min(1, self._limiter.room(now))
            case _:
                return 0

    def wait(self, now: datetime) -> timedelta:
        """How long there is no room, as far as is known now."""
        match self._provider.position:
            case Open(until=until):
                return max(_NO_WAIT, until - now)
            case _:
                return self._limiter.wait(now)

    def probe_due(self, now: datetime) -> bool:
        """Whether it is time to ask the provider whether it answers."""
        return self._provider.probe_due(now)

    def probed(self, outcome: Outcome, now: datetime) -> None:
        """Take in the answer."""
        self._provider.probed(answered=isinstance(outcome, Accepted), now=now)

    def admit(self, ticket: Ticket, now: datetime) -> Barred | None:
        """None: its parts are taken, send it. Else nothing was taken."""
        for name, breaker in self._breakers(ticket):
            if name != PROVIDER and breaker.probe_due(now):
                breaker.probed(answered=True, now=now)  # no call but the trial itself can tell
            until = breaker.barred_until(ticket.notice_id, now)
            if until is not None:
                return Barred(until=until, reason="breaker")
        wait = self._limiter.take(parts=ticket.parts, recipient=ticket.recipient, now=now)
        if wait > _NO_WAIT:
            return Barred(until=now + wait, reason="throttled")
        for _, breaker in self._breakers(ticket):
            breaker.began(ticket.notice_id)
        return None

    def withdrew(self, ticket: Ticket, now: datetime) -> None:
        """An admitted text was not sent after all."""
        for _, breaker in self._breakers(ticket):
            breaker.withdrew(ticket.notice_id, now)

    def ended(self, ticket: Ticket, outcome: Outcome, *, begun_at: datetime, now: datetime) -> Ended:
        """Take in how an admitted text's call ended that was begun at `begun_at`."""
        if isinstance(outcome, Accepted):
            return self._accepted(ticket, outcome, now)
        return self._failed(ticket, outcome, begun_at, now)

    def _accepted(self, ticket: Ticket, accepted: Accepted, now: datetime) -> Ended:
        self._runs.accepted()
        resumed = []
        for name, breaker in self._breakers(ticket):
            was_closed = breaker.position == Closed()
            breaker.ended(ticket.notice_id, accepted, stop=False, now=now)
            if breaker.position == Closed() and not was_closed:
                resumed.append(name)
        return Ended(outcome=accepted, until=now, resumed=tuple(resumed))

    def _failed(self, ticket: Ticket, failure: Failure, begun_at: datetime, now: datetime) -> Ended:
        if failure.hint is Hint.SLOW_DOWN:
            self._limiter.slow_down(now)
        verdict = self._runs.weigh(failure, begun_at=begun_at, now=now)
        if verdict.stops is Scope.PART:
            self._parts.setdefault(ticket.part, Breaker(self._tolerance))
        paused, until = [], now
        for name, breaker in self._breakers(ticket):
            was_closed = breaker.position == Closed()
            stop = verdict.stops is (Scope.ALL if name == PROVIDER else Scope.PART)
            breaker.ended(ticket.notice_id, failure, stop=stop, now=now)
            if was_closed and breaker.position != Closed():
                paused.append(name)
            until = max(until, breaker.barred_until(ticket.notice_id, now) or now)
        weighed = msgspec.structs.replace(failure, fault=verdict.fault)
        return Ended(outcome=weighed, until=until, paused=tuple(paused))

    def _breakers(self, ticket: Ticket) -> Iterator[tuple[str, Breaker]]:
        yield PROVIDER, self._provider
        if ticket.part in self._parts:
            yield ticket.part, self._parts[ticket.part]
