"""Under which keys an event is remembered for one customer."""

from functools import cached_property

import msgspec

from consumer.core.candidate import Candidate
from consumer.core.catalogue import Catalogue
from consumer.core.event import Event, TransactionPosted, TransactionStatus
from consumer.core.preferences import Preferences, Repeat
from consumer.core.pseudonym import Pseudonyms
from consumer.core.standing import Occurrence, OccurrenceKey, StandingKey
from consumer.core.timing import local_day

_SAME_PAYMENT = {
    TransactionStatus.AUTHORISED: TransactionStatus.POSTED,
    TransactionStatus.POSTED: TransactionStatus.AUTHORISED,
}


class Remembered(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One event for one customer. The account's pseudonym is worked out only if a key needs it, and then once."""

    event: Event
    customer_id: str
    preferences: Preferences | None
    catalogue: Catalogue
    pseudonyms: Pseudonyms

    def standing(self, one: Candidate) -> StandingKey:
        """Which side of the candidate's threshold the account is on."""
        return StandingKey(customer_id=self.customer_id, account=self._account, kind=one.kind.name)

    def day(self, one: Candidate) -> OccurrenceKey | None:
        """The customer's day on which it occurred, where the candidate is told once a day."""
        return self._key(one.kind.name, self._day) if one.repeat is Repeat.ONCE_A_DAY else None

    def stage(self, one: Candidate) -> OccurrenceKey | None:
        """The stage that the transaction is at, where it is a transaction."""
        if not isinstance(self.event, TransactionPosted):
            return None
        return self._key(one.kind.name, _stage(self.event, self.event.status))

    @cached_property
    def other_stage(self) -> tuple[OccurrenceKey, ...]:
        """The booking of an authorisation, or the authorisation of a booking, under every kind that may have told it.

        It is one payment, whichever kind it was told by. Other stages are news of their own.
        """
        if not isinstance(self.event, TransactionPosted):
            return ()
        other = _SAME_PAYMENT.get(self.event.status)
        if other is None:
            return ()
        scope = _stage(self.event, other)
        return tuple([self._key(name, scope) for name in self.catalogue.told_at(other)])

    def occurrence_keys(self, one: Candidate) -> tuple[OccurrenceKey, ...]:
        """All that may have been told already and would keep the candidate silent."""
        keys = (self.day(one), self.stage(one), *self.other_stage)
        return tuple(key for key in keys if key is not None)

    def occurrences(self, one: Candidate) -> tuple[Occurrence, ...]:
        """All that is told with the candidate and may not be told again."""
        money = self.event.amount if isinstance(self.event, TransactionPosted) else None
        return tuple(
            Occurrence(
                customer_id=key.customer_id,
                kind=key.kind,
                scope=key.scope,
                amount=money.amount if money else None,
                currency=money.currency if money else None,
            )
            for key in (self.day(one), self.stage(one))
            if key is not None
        )

    @cached_property
    def _account(self) -> str:
        return self.pseudonyms.account(self.event.account.id)

    @cached_property
    def _day(self) -> str:
        day = local_day(self.event.occurred_at, self.preferences)
        return f"day:{self._account}:{day}"

    def _key(self, kind: str, scope: str) -> OccurrenceKey:
        return OccurrenceKey(customer_id=self.customer_id, kind=kind, scope=scope)


def _stage(event: TransactionPosted, stage: TransactionStatus) -> str:
    return f"tx:{event.transaction_id}:{stage.value}"
