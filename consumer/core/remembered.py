"""Under which keys an event is remembered for one customer."""

from collections.abc import Iterable

import msgspec

from consumer.core.candidate import Candidate
from consumer.core.catalogue import Catalogue
from consumer.core.event import Event, TransactionPosted, TransactionStatus
from consumer.core.preferences import Preferences, Repeat
from consumer.core.pseudonym import Pseudonyms
from consumer.core.standing import OccurrenceKey, StandingKey
from consumer.core.timing import local_day

_SAME_PAYMENT = {
    TransactionStatus.AUTHORISED: TransactionStatus.POSTED,
    TransactionStatus.POSTED: TransactionStatus.AUTHORISED,
}


class Keys(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is remembered of one candidate.

    `standing`: which side of its threshold the account is on, for rules that have one. `day`: the customer's day on which it
    occurred, where it is told once a day. `stage`: that the transaction is at, where it is one.
    """

    standing: StandingKey | None
    day: OccurrenceKey | None
    stage: OccurrenceKey | None


def keyed(
    found: Iterable[Candidate], event: Event, customer_id: str, preferences: Preferences | None, pseudonyms: Pseudonyms
) -> tuple[tuple[Candidate, Keys], ...]:
    """Each candidate with its keys. The account stands in them as a pseudonym, worked out only where one needs it."""
    candidates = tuple(found)
    account = pseudonyms.account(event.account.id) if any(map(_needs_account, candidates)) else ""
    stage = _stage(event, event.status) if isinstance(event, TransactionPosted) else None
    return tuple(
        [(one, _keys(one, event, customer_id, preferences, account=account, stage=stage)) for one in candidates]
    )


def other_stage(event: Event, customer_id: str, catalogue: Catalogue) -> tuple[OccurrenceKey, ...]:
    """The booking of an authorisation, or the authorisation of a booking, under every kind that may have told it.

    It is one payment, whichever kind it was told by. Other stages are news of their own.
    """
    other = _SAME_PAYMENT.get(event.status) if isinstance(event, TransactionPosted) else None
    if other is None or not isinstance(event, TransactionPosted):
        return ()
    scope = _stage(event, other)
    return tuple([OccurrenceKey(customer_id=customer_id, kind=kind, scope=scope) for kind in catalogue.told_at(other)])


def _needs_account(one: Candidate) -> bool:
    return one.side is not None or one.repeat is Repeat.ONCE_A_DAY


def _keys(
    one: Candidate, event: Event, customer_id: str, preferences: Preferences | None, *, account: str, stage: str | None
) -> Keys:
    kind, standing, day = one.kind.name, None, None
    if one.side is not None:
        standing = StandingKey(customer_id=customer_id, account=account, kind=kind)
    if one.repeat is Repeat.ONCE_A_DAY:
        scope = f"day:{account}:{local_day(event.occurred_at, preferences)}"
        day = OccurrenceKey(customer_id=customer_id, kind=kind, scope=scope)
    return Keys(
        standing=standing,
        day=day,
        stage=None if stage is None else OccurrenceKey(customer_id=customer_id, kind=kind, scope=stage),
    )


def _stage(event: TransactionPosted, stage: TransactionStatus) -> str:
    return f"tx:{event.transaction_id}:{stage.value}"
