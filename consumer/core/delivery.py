"""The outbox state machine: every state, every way out of it, and what an attempt's outcome means."""

import enum
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from consumer.core.catalogue import InDoubtPolicy
from consumer.core.notice import Notice


class State(enum.StrEnum):
    """Where a notice stands."""

    PENDING = "pending"
    CLAIMED = "claimed"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    IN_DOUBT = "in_doubt"
    HELD = "held"


class Trigger(enum.StrEnum):
    """What can happen to a notice."""

    CLAIM = "claim"
    RELEASE = "release"
    LEASE_LOST = "lease_lost"
    BEGIN = "begin"
    ACCEPT = "accept"
    RETRY = "retry"
    REJECT = "reject"
    EXPIRE = "expire"
    CANCEL = "cancel"
    DOUBT = "doubt"
    PROVE = "prove"
    RESEND = "resend"
    HOLD = "hold"
    DELIVER = "deliver"
    UNDELIVER = "undeliver"


TRANSITIONS: dict[tuple[State, Trigger], State] = {
    (State.PENDING, Trigger.CLAIM): State.CLAIMED,
    (State.PENDING, Trigger.EXPIRE): State.EXPIRED,
    (State.PENDING, Trigger.CANCEL): State.CANCELLED,
    (State.PENDING, Trigger.PROVE): State.ACCEPTED,
    (State.PENDING, Trigger.HOLD): State.HELD,
    (State.CLAIMED, Trigger.BEGIN): State.SENDING,
    (State.CLAIMED, Trigger.RELEASE): State.PENDING,
    (State.CLAIMED, Trigger.LEASE_LOST): State.PENDING,
    (State.CLAIMED, Trigger.EXPIRE): State.EXPIRED,
    (State.CLAIMED, Trigger.CANCEL): State.CANCELLED,
    (State.CLAIMED, Trigger.REJECT): State.FAILED,
    (State.CLAIMED, Trigger.PROVE): State.ACCEPTED,
    (State.CLAIMED, Trigger.HOLD): State.HELD,
    (State.SENDING, Trigger.ACCEPT): State.ACCEPTED,
    (State.SENDING, Trigger.RETRY): State.PENDING,
    (State.SENDING, Trigger.REJECT): State.FAILED,
    (State.SENDING, Trigger.DOUBT): State.IN_DOUBT,
    (State.SENDING, Trigger.HOLD): State.HELD,
    (State.IN_DOUBT, Trigger.PROVE): State.ACCEPTED,
    (State.IN_DOUBT, Trigger.RESEND): State.PENDING,
    (State.IN_DOUBT, Trigger.HOLD): State.HELD,
    (State.HELD, Trigger.PROVE): State.ACCEPTED,
    (State.ACCEPTED, Trigger.DELIVER): State.DELIVERED,
    (State.ACCEPTED, Trigger.UNDELIVER): State.UNDELIVERED,
}

FINAL = frozenset(
    {State.ACCEPTED, State.DELIVERED, State.UNDELIVERED, State.FAILED, State.EXPIRED, State.CANCELLED, State.HELD}
)
UNTOLD = frozenset({State.FAILED, State.EXPIRED, State.CANCELLED})
"""Ends that release a notice's occurrences and re-arm its standings: surely nothing was sent."""


class ImpossibleTransition(ValueError):
    """A trigger that the state does not know: a defect of ours, never of the data."""


def after(state: State, trigger: Trigger) -> State:
    """The state that `trigger` leads to. Raises ImpossibleTransition where the table has no such row."""
    try:
        return TRANSITIONS[state, trigger]
    except KeyError:
        raise ImpossibleTransition(f"{trigger.value} in {state.value}") from None


class Remark(enum.StrEnum):
    """What a history may say besides triggers: how it began, and proof that came when nothing could change any more."""

    RECORDED = "recorded"
    PROOF_KEPT = "proof_kept"


RESENDS_MAX = 1
"""How often a notice is sent again although an earlier send may have reached the phone."""


def effective(state: State, trigger: Trigger, *, doubts: int, proven: bool) -> Trigger:
    """What `trigger` comes to for a notice that `doubts` earlier attempts left in doubt, one of them `proven` since or not.

    Proof wins: whatever becomes of the second send, the customer was told. A notice that may have been told never ends as
    untold: it is held. Raises ImpossibleTransition.
    """
    target = after(state, trigger)
    if proven and state is State.SENDING:
        return Trigger.ACCEPT
    if target is State.IN_DOUBT and doubts >= RESENDS_MAX:
        return Trigger.HOLD
    if target in UNTOLD and doubts:
        return Trigger.HOLD
    return trigger


def resolution(policy: InDoubtPolicy, *, doubts: int, fresh: bool) -> Trigger:
    """What becomes of a doubt that nothing has settled in time."""
    if policy is InDoubtPolicy.RESEND and fresh and doubts <= RESENDS_MAX:
        return Trigger.RESEND
    return Trigger.HOLD


def provable(state: State) -> bool:
    """Whether late proof changes the state; elsewhere it is only kept."""
    return (state, Trigger.PROVE) in TRANSITIONS


def replayed(history: Iterable[str]) -> State:
    """The state that a history of triggers and remarks, oldest first, leads to. Raises ImpossibleTransition."""
    state = State.PENDING
    for entry in history:
        if entry not in tuple(Remark):
            state = after(state, Trigger(entry))
    return state


def mermaid() -> str:
    """The table as a Mermaid state diagram: the picture in docs/state-machine.md."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.PENDING.value}: {Remark.RECORDED.value}"]
    arrows: dict[tuple[State, State], list[str]] = {}
    for (state, trigger), target in TRANSITIONS.items():
        arrows.setdefault((state, target), []).append(trigger.value)
    lines += [f"    {state.value} --> {target.value}: {', '.join(names)}" for (state, target), names in arrows.items()]
    lines += [f"    {state.value} --> [*]" for state in State if state in FINAL]
    return "\n".join(lines)


class Fault(enum.StrEnum):
    """What a failed attempt tells us of the text: surely not sent (for now, for good, for all), or nobody knows."""

    TRANSIENT = "transient"
    PERMANENT = "permanent"
    AMBIGUOUS = "ambiguous"
    HALT = "halt"


class Hint(enum.StrEnum):
    """What else a failure tells the sender. CONFIGURATION: a halt that concerns this text's class and country alone."""

    NONE = "none"
    SLOW_DOWN = "slow_down"
    REFRESH_CREDENTIALS = "refresh_credentials"
    OPTED_OUT = "opted_out"
    HALT_WHEN_REPEATED = "halt_when_repeated"
    HALT_ON_BURST = "halt_on_burst"
    CONFIGURATION = "configuration"


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """The provider took the text. `message_id` is the proof."""

    message_id: str
    request_id: str | None


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """The provider did not take the text, or nobody knows. `code` is the provider's or the client's, never a sentence."""

    fault: Fault
    code: str
    hint: Hint = Hint.NONE
    request_id: str | None = None


Outcome = Accepted | Failure


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """The right to try one notice. `fence` grows with each claim; `attempts` were begun before, `doubts` ended ambiguous."""

    notice_id: int
    fence: int
    owner: str
    lease_until: datetime
    attempts: int
    doubts: int
    notice: Notice


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """What is written down before the call: how many parts, and a stand-in of the phone number to match receipts with."""

    phone_digest: str
    parts: int
    language: str


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """How a claim ended: the trigger, why (a short code), and what goes with it.

    `not_before` belongs to RELEASE, RETRY and DOUBT (the instant at which a doubt is resolved).
    """

    trigger: Trigger
    reason: str
    not_before: datetime | None = None
    message_id: str | None = None
    request_id: str | None = None


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long a lease lives and a doubt stays open before it is resolved."""

    lease: timedelta
    doubt: timedelta
