"""The dispatch loop: claim what is due, check it again, compose, begin, publish, settle."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
import phonenumbers

from consumer import reports
from consumer.backoff import Backoff
from consumer.core.catalogue import Catalogue
from consumer.core.delivery import Attempt, Claim, Outcome, Patience, Settlement, State, Trigger
from consumer.core.gate import Gate, Ticket
from consumer.core.preferences import Phone
from consumer.core.pseudonym import Pseudonyms
from consumer.core.sending import OPTED_OUT, Bounds, Draft, draft, is_mandatory, postponed, settlement_of
from consumer.core.texts import Texts
from consumer.crew import Crew, Found, Wait
from consumer.errors import Unavailable
from consumer.ports import OutboxForDispatch, PreferenceTable, Sms, SmsProvider


class DispatchLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much at once and how long.

    `call_timeout_s` bounds one call to the provider, connection and reply together. A doubt stays open for `doubt_s`; a
    mandatory notice without a phone is looked at every `phone_wait_s`; while nothing is due the outbox is asked every
    `poll_s`, and swept every `sweep_s`. A settlement that the outbox does not take is tried again every `settle_retry_s`.
    """

    workers: int = 8
    queued_max: int = 16
    lease_s: float = 60.0
    call_timeout_s: float = 15.0
    doubt_s: float = 900.0
    poll_s: float = 1.0
    sweep_s: float = 5.0
    settle_retry_s: float = 0.5
    phone_wait_s: float = 60.0
    parts_max: int = 6

    def __post_init__(self) -> None:
        """Refuse limits that contradict each other."""
        if min(self.workers, self.queued_max, self.parts_max) < 1:
            raise ValueError("workers, queued_max and parts_max are at least 1")
        if min(self.call_timeout_s, self.poll_s, self.sweep_s, self.settle_retry_s, self.phone_wait_s) <= 0:
            raise ValueError("the times of dispatch lie above 0")
        if self.lease_s < 2 * self.call_timeout_s:
            raise ValueError(
                "lease_s is at least twice call_timeout_s: a claim must outlive a call, and the wait for it"
            )
        if self.doubt_s < self.call_timeout_s:
            raise ValueError("doubt_s is at least call_timeout_s: a late reply must come before its doubt is resolved")


@dataclass(slots=True, kw_only=True)
class Dispatch:
    """Sends every notice that is due at most once, and says of each what became of it.

    One thread claims, `limits.workers` send; `claim_once` and `work` are their single steps. `wait` sleeps until an event is
    set or a number of seconds is over. `gate` is used by nobody else.
    """

    outbox: OutboxForDispatch
    preferences: PreferenceTable
    catalogue: Catalogue
    texts: Texts
    provider: SmsProvider
    pseudonyms: Pseudonyms
    gate: Gate
    backoff: Backoff
    owner: str
    now: Callable[[], datetime]
    limits: DispatchLimits
    wait: Wait = threading.Event.wait
    _crew: Crew[Claim] = field(init=False)
    _gate_lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _grace_over: threading.Event = field(default_factory=threading.Event, init=False)
    _swept_at: datetime | None = field(default=None, init=False)
    _away: Unavailable | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Hire, but do not start."""
        self._crew = Crew(
            find=self.claim_once,
            do=self.work,
            size=self.limits.workers,
            few_waiting=self.limits.queued_max // 2,
            wait=self.wait,
        )

    def start(self) -> None:
        """Begin to claim and to send."""
        self._crew.start("dispatch")

    def wake(self) -> None:
        """There may be something to send: look now."""
        self._crew.wake()

    def check(self) -> None:
        """Raise what one of the threads died of, if one did: the process must end then."""
        self._crew.check()

    def stop(self, grace_s: float) -> bool:
        """Claim no more, give back what has not begun, let calls end. Whether all of them were settled within `grace_s`."""
        ended = self._crew.stop(grace_s)
        self._grace_over.set()
        self._crew.stop(self.limits.settle_retry_s)  # whoever could not write it down now says so
        return ended

    def claim_once(self) -> Found[Claim]:
        """One look into the outbox: what time has changed, then what is due, as much as can be sent soon."""
        now = self.now()
        try:
            self._sweep(now)
            room = self._room(now)
            claims = self._claim(now, room) if room else ()
            again_in_s = 0.0 if claims else self._idle_s(now, looked=room > 0)
        except Unavailable as outage:
            if self._away is None:
                reports.outbox_away(outage)
            self._away = outage
            return Found(jobs=(), again_in_s=self.limits.poll_s)
        if self._away is not None:
            reports.outbox_back(self._away)
            self._away = None
        return Found(jobs=claims, again_in_s=again_in_s)

    def _sweep(self, now: datetime) -> None:
        """On start and then regularly: leases of the dead, doubts that are due, what has become stale."""
        if self._swept_at is not None and now - self._swept_at < timedelta(seconds=self.limits.sweep_s):
            return
        lease, doubt = timedelta(seconds=self.limits.lease_s), timedelta(seconds=self.limits.doubt_s)
        swept = self.outbox.sweep(now, Patience(lease=lease, doubt=doubt))
        reports.swept(swept)
        for lapsed in swept.lapsed:
            if is_mandatory(lapsed.kinds, self.catalogue):
                reports.untold(lapsed.notice_id, lapsed.kinds[0], "stale")
        self._swept_at = now

    def _room(self, now: datetime) -> int:
        """How many notices to claim: what waits in our queue is nobody else's to send, so it stays short."""
        if not self.preferences.ready():
            return 0
        with self._gate_lock:
            probe_due = self.gate.probe_due(now)
        if probe_due:
            outcome = self.provider.probe()
            reports.probed(outcome)
            with self._gate_lock:
                self.gate.probed(outcome, self.now())
        with self._gate_lock:
            return max(0, min(self.limits.queued_max - self._crew.waiting, self.gate.room(now)))

    def _claim(self, now: datetime, room: int) -> Sequence[Claim]:
        lease_until = now + timedelta(seconds=self.limits.lease_s)
        return self.outbox.claim(owner=self.owner, now=now, lease_until=lease_until, limit=room)

    def _idle_s(self, now: datetime, *, looked: bool) -> float:
        """Until something is due or may be sent, as far as is known; whatever happens earlier wakes us."""
        if looked:
            due_at = self.outbox.due_at()
            idle_s = 0.0 if due_at is None else (due_at - now).total_seconds()
        else:
            with self._gate_lock:
                idle_s = self.gate.wait(now).total_seconds()
        return min(idle_s, self.limits.poll_s) if idle_s > 0 else self.limits.poll_s

    def work(self, claim: Claim) -> None:
        """One claim, from the second look at what the customer wants to how it ended."""
        written = self._write(claim)
        if isinstance(written, Settlement):
            self._end_unsent(claim, written)
            return
        ticket = Ticket(
            notice_id=claim.notice_id,
            part=f"{claim.notice.alert_class}:{_country(written.phone)}",
            recipient=self.pseudonyms.phone(written.phone),
            parts=written.parts,
        )
        barred = self._barred(claim, ticket)
        if barred is not None:
            self._end_unsent(claim, barred)
        elif self._begin(claim, written, ticket):
            begun_at = self.now()
            with reports.attempt(claim, written, begun_at) as publishing:
                outcome = self.provider.publish(Sms(phone=written.phone, text=written.text, sms_type=written.sms_type))
                publishing.ended(outcome, self.now())
            self._settle(claim, self._judge(claim, ticket, outcome, begun_at))

    def _write(self, claim: Claim) -> Draft | Settlement:
        """The text by what the customer asks for now, or how the claim ends without one."""
        now = self.now()
        if self._crew.stopping.is_set():
            return postponed(now, "stopping")
        if not self.preferences.ready():
            return postponed(now + timedelta(seconds=self.limits.poll_s), "preferences_waiting")
        asked = self.preferences.get(claim.notice.key.customer_id)
        bounds = Bounds(parts_max=self.limits.parts_max, phone_wait=timedelta(seconds=self.limits.phone_wait_s))
        return draft(claim.notice, asked, self.catalogue, self.texts, bounds, now)

    def _barred(self, claim: Claim, ticket: Ticket) -> Settlement | None:
        """Nothing waits past here: what may not be sent this instant goes back to the outbox, or ends."""
        try:
            if self.outbox.opted_out(ticket.recipient):
                return Settlement(trigger=Trigger.REJECT, reason=OPTED_OUT)
        except Unavailable as outage:
            return postponed(self.now() + timedelta(seconds=self.limits.poll_s), outage.code)
        now = self.now()
        if now + timedelta(seconds=self.limits.call_timeout_s) > claim.lease_until:
            return postponed(now, "lease_short")
        with self._gate_lock:
            barred = self.gate.admit(ticket, now)
        return None if barred is None else postponed(barred.until, barred.reason)

    def _begin(self, claim: Claim, written: Draft, ticket: Ticket) -> bool:
        """Write down, durably, that from here on nobody but the provider knows. False: then nothing may be sent."""
        now = self.now()
        attempt = Attempt(phone_digest=ticket.recipient, parts=written.parts, language=written.language)
        try:
            begun = self.outbox.begin(claim, attempt, now)
            reason = "not_ours"
        except Unavailable as outage:
            begun, reason = False, outage.code
        if not begun:
            with self._gate_lock:
                self.gate.withdrew(ticket, now)
            reports.claim_dropped(claim, reason)
        return begun

    def _judge(self, claim: Claim, ticket: Ticket, outcome: Outcome, begun_at: datetime) -> Settlement:
        """What the outcome means for this notice, and what it stops or sets going for all others."""
        now, notice = self.now(), claim.notice
        with self._gate_lock:
            ended = self.gate.ended(ticket, outcome, begun_at=begun_at, now=now)
        reports.gate_moved(ended)
        if ended.resumed:
            self.wake()
        elapsed = now - max(notice.recorded_at, notice.not_before)
        retry_in = self.backoff.delay(attempts=claim.attempts + 1, elapsed=elapsed)
        return settlement_of(
            ended.outcome,
            retry_at=None if retry_in is None else now + retry_in,
            halted_until=ended.until,
            doubt_until=now + timedelta(seconds=self.limits.doubt_s),
        )

    def _end_unsent(self, claim: Claim, settlement: Settlement) -> None:
        """Nothing was sent, so nothing is lost if the outbox is away: the lease gives the claim back."""
        try:
            ours = self.outbox.settle(claim, settlement, self.now())
        except Unavailable as outage:
            reports.claim_dropped(claim, outage.code)
            return
        self._ended(claim, settlement, State.CLAIMED, ours=ours)

    def _settle(self, claim: Claim, settlement: Settlement) -> None:
        """Something was sent, or perhaps: that is known nowhere else, so nothing but the end of the process stops us."""
        while True:
            try:
                ours = self.outbox.settle(claim, settlement, self.now())
            except Unavailable as outage:
                if not self.wait(self._grace_over, self.limits.settle_retry_s):
                    continue
                reports.unsettled(claim, settlement, outage)
                return
            self._ended(claim, settlement, State.SENDING, ours=ours)
            return

    def _ended(self, claim: Claim, settlement: Settlement, left: State, *, ours: bool) -> None:
        """Tell it; whoever sleeps until something is due does not know of it yet, but never sleeps longer than a poll."""
        reports.settled(claim, settlement, left, ours=ours, mandatory=is_mandatory(claim.notice.kinds, self.catalogue))
        if settlement.not_before is not None and settlement.not_before < self.now() + timedelta(
            seconds=self.limits.poll_s
        ):
            self.wake()


def _country(phone: Phone) -> str:
    """The phone's country, ISO 3166-1 alpha-2; where the numbering plan does not tell: `unknown`."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(phone.e164)) or "unknown"
    except phonenumbers.NumberParseException:
        return "unknown"
