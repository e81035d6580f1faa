"""What must be remembered between events: standings, and what was told already."""

import enum
from collections.abc import Set as AbstractSet
from decimal import Decimal

import msgspec

_INSTANTS_FROM = 10**15
"""As an instant, in microseconds, September 2001; as a number, more events than an account ever sees."""


class Side(enum.StrEnum):
    """Which side of a threshold an account was last seen on."""

    BELOW = "below"
    ABOVE = "above"


class StandingKey(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Whose standing: one customer, one account (its pseudonym), one alert kind."""

    customer_id: str
    account: str
    kind: str


class Standing(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The last applied event's side and its place in the account's order (`Event.order`)."""

    side: Side
    sequence: int

    def precedes(self, order: int) -> bool:
        """Whether an event at this place of the order is newer.

        A number and an instant cannot be compared: where the core system has begun to number its events, or has stopped,
        what comes later counts as newer. Otherwise every account would be out of order for ever.
        """
        same_scale = (order >= _INSTANTS_FROM) == (self.sequence >= _INSTANTS_FROM)
        return order > self.sequence if same_scale else True


class StandingChange(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Write `after` if the standing is still `before` (None: there was none)."""

    key: StandingKey
    before: Standing | None
    after: Standing


class Occurrence(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What may be told once.

    `scope` is a transaction and its stage (`tx:<id>:posted`) or an account's local day (`day:<account>:2026-11-22`). What is
    told until it recovers needs none: its standing guards it. `amount` in `currency` is what was told of a payment, for the
    tolerance between authorisation and posting.
    """

    customer_id: str
    kind: str
    scope: str
    amount: Decimal | None = None
    currency: str | None = None

    @property
    def key(self) -> "OccurrenceKey":
        """The identity, without what was told."""
        return OccurrenceKey(customer_id=self.customer_id, kind=self.kind, scope=self.scope)

    def __repr__(self) -> str:
        """The key and the kind only: an amount is the customer's own affair."""
        return f"Occurrence(customer_id={self.customer_id!r}, kind={self.kind!r}, scope={self.scope!r})"


class OccurrenceKey(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The identity of an occurrence."""

    customer_id: str
    kind: str
    scope: str


class Questions(msgspec.Struct, frozen=True, kw_only=True):
    """What a batch needs to remember before it can be decided."""

    standings: AbstractSet[StandingKey] = frozenset()
    occurrences: AbstractSet[OccurrenceKey] = frozenset()


class Memory(msgspec.Struct, kw_only=True):
    """The answers, and what the batch adds to them as its decisions are folded in order. Not frozen: it is the fold."""

    standings: dict[StandingKey, Standing] = {}
    told: dict[OccurrenceKey, Occurrence] = {}

    def learn(self, standings: tuple[StandingChange, ...], occurrences: tuple[Occurrence, ...]) -> None:
        """Take in what a decision just changed, for the events after it."""
        for change in standings:
            self.standings[change.key] = change.after
        for occurrence in occurrences:
            self.told[occurrence.key] = occurrence
