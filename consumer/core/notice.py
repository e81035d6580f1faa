"""The one thing to tell one customer because of one event."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from consumer.core.catalogue import InDoubtPolicy
from consumer.core.event import Money
from consumer.core.masking import Masked
from consumer.core.preferences import DetailLevel
from consumer.core.record import Position
from consumer.core.standing import Occurrence, StandingChange

_EXACTLY = Decimal(0)


class EventKey(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What makes a notice one of a kind, for ever: redelivery and replay meet the same key."""

    tenant: str
    event_type: str
    event_id: str
    customer_id: str


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What intake hands to the outbox: masked values and facts, never a phone number, never a finished text.

    `kind` is what the text is about, `also` the other kinds that count as told with it. `rank`: the class's, 0 first.
    `values` fill the text's placeholders; `facts` are what was compared, for whoever asks why. `transaction_id` is set for
    transactions only. Instants are aware UTC.
    """

    key: EventKey
    kind: str
    also: tuple[str, ...]
    alert_class: str
    rank: int
    in_doubt: InDoubtPolicy
    detail_level: DetailLevel
    values: Mapping[str, Masked]
    facts: Mapping[str, str]
    catalogue_version: str
    occurred_at: datetime
    recorded_at: datetime
    stale_at: datetime
    not_before: datetime
    record: Position
    record_timestamp: datetime
    preferences: Position | None
    traceparent: str | None
    transaction_id: str | None
    occurrences: tuple[Occurrence, ...]

    def __repr__(self) -> str:
        """The key and the kind only: facts hold amounts."""
        return f"Notice(key={self.key!r}, kind={self.kind!r})"

    @property
    def kinds(self) -> tuple[str, ...]:
        """All that it tells of, what the text is about first."""
        return (self.kind, *self.also)


class Cancellation(msgspec.Struct, frozen=True, kw_only=True):
    """Cancel what this customer was going to be told of this transaction, if it has not begun and is undone as a whole.

    `amount` is what was given back; `tolerance_ratios`, by alert kind, by how much less still counts as all of it. `record`
    is the reversal's: when it is delivered again, what came behind it must not be cancelled by it. `same_id`: the reversal
    has the transaction's own id: another reversal under that id tells the same, and is not undone by it.
    """

    customer_id: str
    transaction_id: str
    same_id: bool
    record: Position
    amount: Money
    tolerance_ratios: Mapping[str, Decimal] = {}

    def covers(self, told: Iterable[Occurrence]) -> bool:
        """Whether nothing is left of what a notice with these occurrences would tell; of an unknown amount nothing is."""
        return all(one.amount is None or self._covers(one, one.amount) for one in told)

    def _covers(self, told: Occurrence, amount: Decimal) -> bool:
        if told.currency not in {None, self.amount.currency}:
            return False
        return self.amount.amount >= amount * (1 - self.tolerance_ratios.get(told.kind, _EXACTLY))


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What one decision changes in the outbox: applied together with all others of its batch, or not at all.

    Where `cancellation` cancels a notice, `notice` (the reversal) is recorded as cancelled: the customer never knew.
    """

    notice: Notice | None = None
    standings: tuple[StandingChange, ...] = ()
    cancellation: Cancellation | None = None
