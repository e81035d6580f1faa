"""What dispatch decides of one claim: whether it is still to be told, as which text, and how an attempt leaves it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import assert_never

import msgspec

from consumer.core.candidate import unwanted
from consumer.core.catalogue import AlertKind, Catalogue, SmsType
from consumer.core.delivery import Accepted, Failure, Fault, Hint, Outcome, Settlement, Trigger
from consumer.core.egress import refusal
from consumer.core.gsm7 import fits
from consumer.core.notice import Notice
from consumer.core.preferences import Phone, Preferences
from consumer.core.reason import Reason
from consumer.core.texts import Texts, Unformable
from consumer.core.timing import quiet_until

NO_PHONE = "no_phone"
OPTED_OUT = "opted_out"
RETRIES_EXHAUSTED = "retries_exhausted"


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What a text must keep to: at most `parts_max` parts; a mandatory notice looks for a phone every `phone_wait`."""

    parts_max: int
    phone_wait: timedelta


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A finished text, where it goes, and how the provider is to treat it. Never printed."""

    phone: Phone
    text: str
    parts: int
    language: str
    sms_type: SmsType

    def __repr__(self) -> str:
        """Size and language only."""
        return f"Draft(parts={self.parts}, language={self.language!r})"


def draft(
    notice: Notice, preferences: Preferences | None, catalogue: Catalogue, texts: Texts, bounds: Bounds, now: datetime
) -> Draft | Settlement:
    """The text to send, by what the customer asks for now; or how the claim ends without one."""
    kind = _still_wanted(notice, preferences, catalogue)
    if isinstance(kind, Reason):
        return Settlement(trigger=Trigger.CANCEL, reason=kind.value)
    if preferences is None or preferences.usable_phone is None:
        return _without_phone(notice, kind, bounds, now)
    if now >= notice.stale_at:
        return Settlement(trigger=Trigger.EXPIRE, reason="stale")
    quiet = None if kind.bypasses_quiet_hours else quiet_until(now, preferences)
    if quiet is not None:
        return _after_quiet_hours(notice, quiet)
    return _composed(notice, kind, preferences, preferences.usable_phone, texts, bounds)


def is_mandatory(kinds: Iterable[str], catalogue: Catalogue) -> bool:
    """Whether one of a notice's kinds ignores the customer's switch: somebody must know when it reaches nobody."""
    return any(kind.mandatory for kind in _kinds(kinds, catalogue))


def postponed(until: datetime, reason: str) -> Settlement:
    """Give the claim back, to be tried from `until` on."""
    return Settlement(trigger=Trigger.RELEASE, reason=reason, not_before=until)


def settlement_of(
    outcome: Outcome, *, retry_at: datetime | None, halted_until: datetime, doubt_until: datetime
) -> Settlement:
    """How an attempt leaves its notice; `outcome` as the gate has weighed it. `retry_at` None: for long enough."""
    match outcome:
        case Accepted(message_id=message_id, request_id=request_id):
            return Settlement(trigger=Trigger.ACCEPT, reason="accepted", message_id=message_id, request_id=request_id)
        case Failure(fault=fault):
            trigger, reason, not_before = _after_failure(outcome, fault, retry_at, halted_until, doubt_until)
            return Settlement(trigger=trigger, reason=reason, not_before=not_before, request_id=outcome.request_id)
        case _:
            assert_never(outcome)


def _after_failure(
    failure: Failure, fault: Fault, retry_at: datetime | None, halted_until: datetime, doubt_until: datetime
) -> tuple[Trigger, str, datetime | None]:
    match fault:
        case Fault.TRANSIENT if retry_at is None:
            return Trigger.REJECT, RETRIES_EXHAUSTED, None
        case Fault.TRANSIENT:
            return Trigger.RETRY, failure.code, retry_at
        case Fault.HALT:
            return Trigger.RETRY, failure.code, halted_until
        case Fault.AMBIGUOUS:
            return Trigger.DOUBT, failure.code, doubt_until
        case Fault.PERMANENT:
            return Trigger.REJECT, OPTED_OUT if failure.hint is Hint.OPTED_OUT else failure.code, None
        case _:
            assert_never(fault)


def _kinds(names: Iterable[str], catalogue: Catalogue) -> list[AlertKind]:
    return [kind for name in names for kind in catalogue.kinds if kind.name == name]


def _still_wanted(notice: Notice, preferences: Preferences | None, catalogue: Catalogue) -> AlertKind | Reason:
    """The first kind still to be told: where the text's own was switched off meanwhile, one that counts as told with it."""
    reasons = []
    for kind in _kinds(notice.kinds, catalogue):
        reason = unwanted(kind, preferences)
        if reason is None:
            return kind
        reasons.append(reason)
    return reasons[0] if reasons else Reason.NO_KIND


def _without_phone(notice: Notice, kind: AlertKind, bounds: Bounds, now: datetime) -> Settlement:
    """A mandatory notice waits for a phone, as long as it could still be told at the next look."""
    again = now + bounds.phone_wait
    if kind.mandatory and again < notice.stale_at:
        return postponed(again, NO_PHONE)
    return Settlement(trigger=Trigger.REJECT, reason=NO_PHONE)


def _after_quiet_hours(notice: Notice, end: datetime) -> Settlement:
    if end >= notice.stale_at:
        return Settlement(trigger=Trigger.EXPIRE, reason=Reason.QUIET_PAST_FRESHNESS.value)
    return postponed(end, "quiet_hours")


def _composed(
    notice: Notice, kind: AlertKind, preferences: Preferences, phone: Phone, texts: Texts, bounds: Bounds
) -> Draft | Settlement:
    try:
        text = texts.compose(
            kind=kind.name,
            language=preferences.language,
            level=notice.detail_level.lower_of(preferences.detail_level),
            values=notice.values,
            time_zone=preferences.time_zone,
        )
    except Unformable:  # recorded under an older catalogue: its values do not fill the texts of today
        return Settlement(trigger=Trigger.REJECT, reason="unformable")
    refused = refusal(text)
    if refused is not None:
        return Settlement(trigger=Trigger.REJECT, reason=f"guard_{refused}")
    if text.parts > bounds.parts_max or not fits(text.body):
        return Settlement(trigger=Trigger.REJECT, reason="too_long")
    return Draft(
        phone=phone,
        text=text.body,
        parts=text.parts,
        language=text.language,
        sms_type=kind.alert_class.sms_type,
    )
