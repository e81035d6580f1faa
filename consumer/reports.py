"""What dispatch says of its work: log lines, metrics, and one span for each attempt."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import assert_never

from opentelemetry.trace import Span as OpenSpan
from opentelemetry.trace import StatusCode

from consumer import telemetry
from consumer.core.delivery import (
    UNTOLD,
    Accepted,
    Claim,
    Failure,
    Outcome,
    Settlement,
    State,
    Trigger,
    after,
    effective,
)
from consumer.core.gate import PROVIDER, Ended
from consumer.core.sending import NO_PHONE, RETRIES_EXHAUSTED, Draft
from consumer.errors import Unavailable
from consumer.ports import Swept
from consumer.telemetry import Line, Span, alarm, log, span

_NOTHING_SWEPT = Swept()
_QUIET = frozenset({Trigger.RELEASE})  # part of every day: a notice that waits for the morning is released every time


class Publishing:
    """One call to the provider, as its span and the instruments see it."""

    def __init__(self, current: OpenSpan, claim: Claim, draft: Draft, begun_at: datetime) -> None:
        """Start measuring."""
        self._span = current
        self._claim = claim
        self._draft = draft
        self._begun_at = begun_at

    def ended(self, outcome: Outcome, now: datetime) -> None:
        """The provider's word, or its silence."""
        by_class = {"alert_class": self._claim.notice.alert_class}
        match outcome:
            case Accepted():
                word = "accepted"
                telemetry.PARTS.add(self._draft.parts, by_class)
                self._span.set_attribute("messaging.message.id", outcome.message_id)
            case Failure():
                word = outcome.fault.value
                telemetry.FAULTS.add(1, {"fault": word, "code": outcome.code})
                self._span.set_attribute("error.type", outcome.code)
                self._span.set_status(StatusCode.ERROR)
            case _:
                assert_never(outcome)
        self._span.set_attribute("avviso.outcome", word)
        telemetry.PUBLISH_S.record((now - self._begun_at).total_seconds(), {"outcome": word})
        age = self._begun_at - self._claim.notice.record_timestamp
        telemetry.AGE_S.record(max(0.0, age.total_seconds()), by_class)


@contextmanager
def attempt(claim: Claim, draft: Draft, begun_at: datetime) -> Iterator[Publishing]:
    """The span of one attempt, in the trace of the record that caused it."""
    notice = claim.notice
    attributes: dict[str, str | int] = {
        "messaging.operation.name": "send",
        "avviso.notice_id": claim.notice_id,
        "avviso.kind": notice.kind,
        "avviso.alert_class": notice.alert_class,
        "avviso.language": draft.language,
        "avviso.parts": draft.parts,
        "avviso.attempt": claim.attempts + 1,
    }
    with span(Span.SEND, traceparent=notice.traceparent, attributes=attributes) as current:
        yield Publishing(current, claim, draft, begun_at)


def settled(claim: Claim, settlement: Settlement, left: State, *, ours: bool, mandatory: bool) -> None:
    """How a claim ended, seen from the state that it left. Where it was not ours any more, only what became of it for us."""
    if not ours:
        claim_dropped(claim, "not_ours", message_id=settlement.message_id)
        return
    trigger = effective(left, settlement.trigger, doubts=claim.doubts, proven=False)
    state = after(left, trigger)
    by = {"trigger": trigger.value, "reason": settlement.reason, "alert_class": claim.notice.alert_class}
    telemetry.SETTLED.add(1, by)
    log(
        Line.NOTICE_SETTLED,
        logging.DEBUG if trigger in _QUIET else logging.INFO,
        notice_id=claim.notice_id,
        kind=claim.notice.kind,
        fence=claim.fence,
        state=state.value,
        reason=settlement.reason,
        message_id=settlement.message_id or "",
        request_id=settlement.request_id or "",
    )
    if state is State.HELD:
        alarm(Line.NOTICE_HELD, notice_id=claim.notice_id, kind=claim.notice.kind, reason=settlement.reason)
    elif state in UNTOLD and (mandatory or settlement.reason == RETRIES_EXHAUSTED):
        untold(claim.notice_id, claim.notice.kind, settlement.reason)


def claim_dropped(claim: Claim, reason: str, *, message_id: str | None = None) -> None:
    """A claim that went to another before we could write; what proof there is lies in the notice's history."""
    log(
        Line.CLAIM_DROPPED,
        logging.WARNING,
        notice_id=claim.notice_id,
        fence=claim.fence,
        reason=reason,
        message_id=message_id or "",
    )


def unsettled(claim: Claim, settlement: Settlement, outage: Unavailable) -> None:
    """The process ends before the outbox could be told: the notice will be in doubt, and this line is all the proof."""
    alarm(
        Line.ATTEMPT_UNSETTLED,
        notice_id=claim.notice_id,
        fence=claim.fence,
        state=settlement.trigger.value,
        reason=settlement.reason,
        code=outage.code,
        message_id=settlement.message_id or "",
        request_id=settlement.request_id or "",
    )


def untold(notice_id: int, kind: str, reason: str) -> None:
    """A notice that had to be told, and was not."""
    if reason == NO_PHONE:
        alarm(Line.NOTICE_WITHOUT_PHONE, notice_id=notice_id, kind=kind)
    else:
        alarm(Line.NOTICE_UNTOLD, notice_id=notice_id, kind=kind, reason=reason)


def gate_moved(ended: Ended) -> None:
    """What an outcome stopped, and what it set going again."""
    for name in ended.resumed:
        log(Line.DISPATCH_RESUMED, what=name)
    for name in ended.paused:
        assert isinstance(ended.outcome, Failure), "what was accepted stops nothing"
        alarm(Line.DISPATCH_PAUSED, what=name, code=ended.outcome.code, fault=ended.outcome.fault.value)


def probed(outcome: Outcome) -> None:
    """The answer to a probe, where it is not that all is well."""
    if isinstance(outcome, Failure):
        log(Line.DISPATCH_PAUSED, logging.WARNING, what=PROVIDER, code=outcome.code, fault=outcome.fault.value)


def outbox_away(outage: Unavailable) -> None:
    """Nothing can be claimed for now."""
    log(Line.DISPATCH_PAUSED, logging.WARNING, what=outage.what, code=outage.code)


def outbox_back(outage: Unavailable) -> None:
    """Claiming goes on."""
    log(Line.DISPATCH_RESUMED, what=outage.what)


def swept(swept: Swept) -> None:
    """What time alone changed, if anything: an alarm where nobody will ever know of some of it."""
    if swept == _NOTHING_SWEPT:
        return
    tell = alarm if swept.held else log
    tell(
        Line.SWEPT,
        leases_lost=swept.leases_lost,
        doubts=swept.doubts,
        expired=swept.expired,
        resent=swept.resent,
        held=swept.held,
    )
