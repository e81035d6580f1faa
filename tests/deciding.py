"""What tests of deciding share: the catalogue that ships, variants of it, and customers who remember what they were told."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from consumer.adapters.catalogue_file import load_catalogue
from consumer.adapters.resources import catalogue
from consumer.core.catalogue import AlertKind, Catalogue
from consumer.core.decision import Decision, Notify, Reason, Suppress, decide
from consumer.core.event import Event
from consumer.core.preferences import AlertPreference, Preferences
from consumer.core.standing import Memory, Questions
from consumer.core.weighing import questions, weigh
from tests.builders import NOW, PSEUDONYMS, preferences

CATALOGUE = load_catalogue(catalogue())


def catalogue_with(name: str, **changes: Any) -> Catalogue:
    """The catalogue that ships, with one kind of it changed."""
    kinds = tuple(msgspec.structs.replace(kind, **changes) if kind.name == name else kind for kind in CATALOGUE.kinds)
    return msgspec.structs.replace(CATALOGUE, kinds=kinds)


def only(*names: str, **changes: Any) -> Preferences:
    """A customer who asked for these kinds and said no to all others."""
    alerts = {kind.name: AlertPreference(enabled=kind.name in names) for kind in CATALOGUE.kinds}
    return preferences(alerts=alerts, **changes)


def wishing(name: str, **changes: Any) -> Preferences:
    """A customer who asked for one kind only, in their own way."""
    asked = only(name)
    alert = msgspec.structs.replace(AlertPreference(enabled=True), **changes)
    return msgspec.structs.replace(asked, alerts={**asked.alerts, name: alert})


def empty() -> Memory:
    return Memory(standings={}, told={})


def decided(
    event: Event,
    asked: Preferences | None = None,
    *,
    memory: Memory | None = None,
    kinds: Catalogue = CATALOGUE,
    now: datetime = NOW,
) -> Decision:
    """The decision for one customer who was never told anything, unless `memory` says so."""
    who = asked if asked is not None else preferences()
    return decide(weigh(event, who.customer_id, who, kinds, PSEUDONYMS), memory or empty(), now)


def decided_for_a_stranger(event: Event, kinds: Catalogue = CATALOGUE) -> Decision:
    return decide(weigh(event, "cust-1", None, kinds, PSEUDONYMS), empty(), NOW)


def asked_about(event: Event, asked: Preferences, kinds: Catalogue = CATALOGUE) -> Questions:
    return questions([weigh(event, asked.customer_id, asked, kinds, PSEUDONYMS)])


def in_turn(
    events: Sequence[Event],
    asked: Preferences | None = None,
    *,
    kinds: Catalogue = CATALOGUE,
    memory: Memory | None = None,
    now: datetime = NOW,
) -> list[Decision]:
    """The decisions of one customer, each learnt before the next; memory holds no more than what was asked for."""
    who = asked if asked is not None else preferences()
    remembered = memory if memory is not None else empty()
    decisions = []
    for event in events:
        wanted = questions([weigh(event, who.customer_id, who, kinds, PSEUDONYMS)])
        recalled = Memory(
            standings={key: value for key, value in remembered.standings.items() if key in wanted.standings},
            told={key: value for key, value in remembered.told.items() if key in wanted.occurrences},
        )
        decision = decide(weigh(event, who.customer_id, who, kinds, PSEUDONYMS), recalled, now)
        remembered.learn(decision.standings, decision.occurrences if isinstance(decision, Notify) else ())
        decisions.append(decision)
    return decisions


def in_short(decision: Decision) -> str | Reason:
    """The kind that is told, or the reason why nothing is."""
    return decision.reason if isinstance(decision, Suppress) else decision.kind


def reason(decision: Decision) -> Reason:
    assert isinstance(decision, Suppress), f"told as {decision}"
    return decision.reason


def notified(decision: Decision) -> Notify:
    assert isinstance(decision, Notify), f"suppressed: {decision}"
    return decision


def kind(name: str) -> AlertKind:
    return CATALOGUE.kind(name)
