"""What to do about one event for one customer."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TypeGuard

import msgspec

from consumer.core.candidate import Candidate
from consumer.core.catalogue import AlertKind, Catalogue
from consumer.core.event import BalanceChanged, Event, TransactionPosted, TransactionStatus
from consumer.core.notice import Cancellation
from consumer.core.preferences import Preferences, Repeat
from consumer.core.reason import Reason
from consumer.core.record import Position
from consumer.core.remembered import Keys
from consumer.core.rules import compared_money
from consumer.core.standing import (
    Memory,
    Occurrence,
    Side,
    Standing,
    StandingChange,
)
from consumer.core.timing import quiet_until
from consumer.core.weighing import Weighed

__all__ = [
    "Decision",
    "Notify",
    "Reason",
    "Suppress",
    "cancellation",
    "decide",
    "is_reversal",
]


class Notify(msgspec.Struct, frozen=True, kw_only=True):
    """Tell it. `kind` is what the text is about; `also` are the other kinds that count as told with it.

    `occurrences` are what may not be told again, `standings` what the event changes in memory, `facts` what was compared;
    `not_before` is now, or the end of the customer's quiet hours; `stale_at` the end of its freshness. Aware UTC. What is
    stale already will never be told: it has no occurrences, so that it silences nothing, and is there to be counted.
    """

    kind: str
    also: tuple[str, ...]
    occurrences: tuple[Occurrence, ...]
    standings: tuple[StandingChange, ...]
    facts: Mapping[str, str]
    not_before: datetime
    stale_at: datetime

    def __repr__(self) -> str:
        """The kinds only: facts hold amounts."""
        return f"Notify(kind={self.kind!r}, also={self.also!r})"


class Suppress(msgspec.Struct, frozen=True, kw_only=True):
    """Tell nothing, and why. The event may still change a standing: an account that recovers is silent."""

    reason: Reason
    standings: tuple[StandingChange, ...] = ()


Decision = Notify | Suppress


def decide(weighed: Weighed, memory: Memory, now: datetime) -> Decision:
    """Whether this customer is told of the event, and by which kind; else the reason of the kind that came closest.

    `memory` answers `questions`, and has learnt from all decisions before this one. `now` is aware UTC.
    """
    if not weighed.found:
        return _SILENT[weighed.closest]
    closest = weighed.closest
    told: list[tuple[Candidate, Keys]] = []
    changes: list[StandingChange] = []
    for one, keys in weighed.found:
        reason, change = _judge(one, keys, weighed, memory, now)
        if change is not None:
            changes.append(change)
        if reason is None:
            told.append((one, keys))
        else:
            closest = closest.closer_of(reason)
    if not told:
        return Suppress(reason=closest, standings=tuple(changes))
    fresh = [(one, keys) for one, keys in told if not _is_stale(one, weighed, now)]
    return _notify(fresh or told, tuple(changes), weighed, memory, now)


def is_reversal(event: Event) -> TypeGuard[TransactionPosted]:
    """Whether the event undoes a transaction."""
    return isinstance(event, TransactionPosted) and event.status is TransactionStatus.REVERSED


def cancellation(event: Event, customer_id: str, record: Position, catalogue: Catalogue) -> Cancellation | None:
    """What this event undoes, so that the customer need not be told of it any more; None if it undoes nothing.

    That holds whatever the customer asked for: who does not want to hear of reversals must not hear of an undone payment.
    """
    if not is_reversal(event):
        return None
    undone = event.original_transaction_id or event.transaction_id
    return Cancellation(
        customer_id=customer_id,
        transaction_id=undone,
        same_id=undone == event.transaction_id,
        record=record,
        amount=event.amount,
        tolerance_ratios={kind.name: kind.tolerance_ratio for kind in catalogue.kinds},
    )


_SILENT = {reason: Suppress(reason=reason) for reason in Reason}
_NOTHING_TO_RECOVER_FROM = frozenset({Reason.ABOVE_THRESHOLD, Reason.NO_USABLE_PHONE, Reason.QUIET_PAST_FRESHNESS})
"""After these the standing is ABOVE: a low balance that could not be told is told with the next event."""


def _judge(
    one: Candidate, keys: Keys, weighed: Weighed, memory: Memory, now: datetime
) -> tuple[Reason | None, StandingChange | None]:
    """Why the candidate is silent, or None if it is told; and the side on which the account is seen now, if it has one."""
    key = keys.standing
    if key is None:
        return _told_already(one, keys, weighed, memory) or _unreachable(one, weighed, now), None
    before = memory.standings.get(key)
    order = weighed.event.order
    if before is not None and not before.precedes(order):
        return Reason.OUT_OF_ORDER, None
    reason = _not_news(one, before, keys, weighed, memory) or _unreachable(one, weighed, now)
    untold = _is_stale(one, weighed, now) if reason is None else reason in _NOTHING_TO_RECOVER_FROM
    side = Side.ABOVE if untold else Side.BELOW
    return reason, StandingChange(key=key, before=before, after=Standing(side=side, sequence=order))


def _not_news(one: Candidate, before: Standing | None, keys: Keys, weighed: Weighed, memory: Memory) -> Reason | None:
    if one.side is Side.ABOVE:
        return Reason.ABOVE_THRESHOLD
    until_recovered = one.repeat is Repeat.UNTIL_RECOVERED and before is not None and before.side is Side.BELOW
    if until_recovered and not _fell_just_now(one, weighed.event):
        return Reason.NOT_RECOVERED
    return _told_already(one, keys, weighed, memory)


def _fell_just_now(one: Candidate, event: Event) -> bool:
    """Whether the event itself says that the balance was high enough before: then a recovery passed us by.

    It does where the kind was switched off meanwhile, or where the event of the recovery came late.
    """
    if not isinstance(event, BalanceChanged) or event.previous_available is None or one.threshold is None:
        return False
    previous = event.previous_available
    return previous.currency == event.available.currency and previous.amount >= one.threshold.amount


def _told_already(one: Candidate, keys: Keys, weighed: Weighed, memory: Memory) -> Reason | None:
    """A stage is told once; a booking after its authorisation if the amount is another; an authorisation after it never.

    It is the same payment whichever kind told of the other stage: what is booked may pass a threshold that was just missed.
    """
    told = memory.told
    if not told:
        return None
    if keys.day in told or keys.stage in told:
        return Reason.ALREADY_TOLD
    for earlier in _told_at_other_stage(weighed, memory):
        if not _is_other_news(weighed.event, earlier, one.kind.tolerance_ratio):
            return Reason.ALREADY_TOLD
    return None


def _told_at_other_stage(weighed: Weighed, memory: Memory) -> list[Occurrence]:
    told = memory.told
    return [told[key] for key in weighed.other_stage if key in told] if told else []


def _is_other_news(event: Event, told: Occurrence, tolerance_ratio: Decimal) -> bool:
    """Whether this is a booking whose amount differs by more than the tolerance from what was told of its authorisation."""
    if not isinstance(event, TransactionPosted) or event.status is not TransactionStatus.POSTED or told.amount is None:
        return False
    if told.currency not in {None, event.amount.currency}:
        return True
    return abs(event.amount.amount - told.amount) > told.amount * tolerance_ratio


def _unreachable(one: Candidate, weighed: Weighed, now: datetime) -> Reason | None:
    """A mandatory kind waits for a phone; quiet hours are no reason for what is stale already."""
    preferences, kind = weighed.preferences, one.kind
    if not kind.mandatory and (preferences is None or preferences.usable_phone is None):
        return Reason.NO_USABLE_PHONE
    return Reason.QUIET_PAST_FRESHNESS if now < _stale_at(one, weighed) <= _not_before(kind, preferences, now) else None


def _is_stale(one: Candidate, weighed: Weighed, now: datetime) -> bool:
    """Whether it is news no more: its notice can only expire, so it must not stand in the way of what is fresh."""
    return _stale_at(one, weighed) <= now


def _stale_at(one: Candidate, weighed: Weighed) -> datetime:
    return weighed.event.occurred_at + one.kind.freshness


def _not_before(kind: AlertKind, preferences: Preferences | None, now: datetime) -> datetime:
    if kind.bypasses_quiet_hours:
        return now
    return quiet_until(now, preferences) or now


def _notify(
    told: list[tuple[Candidate, Keys]],
    standings: tuple[StandingChange, ...],
    weighed: Weighed,
    memory: Memory,
    now: datetime,
) -> Notify:
    """One notice for all that is told, the most important first; the order of the catalogue breaks ties."""
    first, *others = sorted([one for one, _ in told], key=_rank)
    still_news = () if _is_stale(first, weighed, now) else told
    facts = _facts(first, standings, weighed, memory)
    for one in others:
        facts |= {f"{one.kind.name}.{name}": fact for name, fact in _facts(one, standings, weighed, memory).items()}
    return Notify(
        kind=first.kind.name,
        also=tuple([one.kind.name for one in others]),
        occurrences=tuple([occurrence for _, keys in still_news for occurrence in _occurrences(keys, weighed.event)]),
        standings=standings,
        facts=facts,
        not_before=_not_before(first.kind, weighed.preferences, now),
        stale_at=_stale_at(first, weighed),
    )


def _rank(one: Candidate) -> int:
    return one.kind.alert_class.rank


def _occurrences(keys: Keys, event: Event) -> list[Occurrence]:
    """All that is told with the candidate and may not be told again."""
    money = event.amount if isinstance(event, TransactionPosted) else None
    return [
        Occurrence(
            customer_id=key.customer_id,
            kind=key.kind,
            scope=key.scope,
            amount=None if money is None else money.amount,
            currency=None if money is None else money.currency,
        )
        for key in (keys.day, keys.stage)
        if key is not None
    ]


def _facts(one: Candidate, standings: tuple[StandingChange, ...], weighed: Weighed, memory: Memory) -> dict[str, str]:
    """What was compared, for whoever asks why; amounts only where they decided."""
    event = weighed.event
    facts = {"rule": one.kind.rule, "repeat": one.repeat.value}
    if isinstance(event, TransactionPosted):
        facts["status"] = event.status.value
    if one.threshold is not None:
        compared = compared_money(event)
        facts["amount"] = _written(compared.amount, compared.currency)
        facts["threshold"] = _written(one.threshold.amount, compared.currency)
        facts["threshold_source"] = one.threshold.source
    for change in standings:
        if change.key.kind == one.kind.name:
            facts["side_before"] = "unknown" if change.before is None else change.before.side.value
            facts["side_after"] = change.after.side.value
            facts["sequence"] = str(change.after.sequence)
    earlier = next(iter(_told_at_other_stage(weighed, memory)), None)
    if earlier is not None and earlier.amount is not None and isinstance(event, TransactionPosted):
        facts["amount"] = _written(event.amount.amount, event.amount.currency)
        facts["told_amount"] = _written(earlier.amount, earlier.currency or event.amount.currency)
        facts["tolerance_ratio"] = f"{one.kind.tolerance_ratio:f}"
    return facts


def _written(amount: Decimal, currency: str) -> str:
    return f"{amount:f} {currency}"
