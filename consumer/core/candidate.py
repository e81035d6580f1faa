"""Which alert kinds an event gives reason for, as far as can be told without memory."""

import msgspec

from consumer.core.catalogue import AlertKind, Catalogue
from consumer.core.event import Event, event_type
from consumer.core.preferences import AlertPreference, Preferences, Repeat
from consumer.core.reason import Reason
from consumer.core.rules import (
    RULES,
    Rule,
    Threshold,
    amount_missed,
    compared_money,
    passes,
    stage_missed,
    threshold_of,
)
from consumer.core.standing import Side

UNSAID = AlertPreference(enabled=False)
"""What stands for a kind of which the customer said nothing, once it is clear that it is wanted."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A kind that may be told, as this customer asked for it. `threshold`: in the event's currency, if its rule has one.

    `side` is where the event puts the account, for rules with a standing; ABOVE is not told, but remembered.
    """

    kind: AlertKind
    rule: Rule
    repeat: Repeat
    threshold: Threshold | None = None
    side: Side | None = None


def candidates(event: Event, preferences: Preferences | None, catalogue: Catalogue) -> tuple[list[Candidate], Reason]:
    """The candidates in catalogue order, and the reason of the closest of the other kinds."""
    found: list[Candidate] = []
    closest = Reason.NO_KIND
    for kind in catalogue.kinds_for(event_type(event)):
        rule = RULES[kind.rule]
        if not rule.concerns(event):
            continue
        judged = _judge(kind, rule, event, preferences)
        if isinstance(judged, Candidate):
            found.append(judged)
        else:
            closest = closest.closer_of(judged)
    return found, closest


def unwanted(kind: AlertKind, preferences: Preferences | None) -> Reason | None:
    """Why the customer is not to be told of this kind at all: unknown, suspended, switched off, no consent; or None.

    A mandatory kind asks nobody. Where the customer said nothing of it, the catalogue decides; whoever refused consent for
    its class is not told, whether or not the class requires it.
    """
    if kind.mandatory:
        return None
    if preferences is None:
        return Reason.NO_PREFERENCES
    if preferences.suspended:
        return Reason.SUSPENDED
    asked = preferences.alerts.get(kind.name)
    if not (kind.enabled_by_default if asked is None else asked.enabled):
        return Reason.SWITCHED_OFF
    consent = preferences.consents.get(kind.alert_class.name, not kind.alert_class.consent_required)
    return None if consent else Reason.NO_CONSENT


def _judge(kind: AlertKind, rule: Rule, event: Event, preferences: Preferences | None) -> Candidate | Reason:
    if reason := unwanted(kind, preferences):
        return reason
    if stage_missed(rule, event):
        return Reason.NOT_THIS_STAGE
    asked = UNSAID if preferences is None else preferences.alerts.get(kind.name, UNSAID)
    if not (kind.mandatory or passes(event, asked.filters)):
        return Reason.FILTERED_OUT
    repeat = _repeat(kind, rule, asked)
    if not rule.compares:
        return Candidate(kind=kind, rule=rule, repeat=repeat)
    compared = compared_money(event)
    threshold = threshold_of(rule, compared.currency, kind.thresholds, asked.threshold, widest=kind.mandatory)
    if threshold is None:
        return Reason.OTHER_CURRENCY
    missed = amount_missed(rule, compared.amount, threshold)
    if not rule.has_standing:
        return missed or Candidate(kind=kind, rule=rule, repeat=repeat, threshold=threshold)
    side = Side.ABOVE if missed else Side.BELOW
    return Candidate(kind=kind, rule=rule, repeat=repeat, threshold=threshold, side=side)


def _repeat(kind: AlertKind, rule: Rule, asked: AlertPreference) -> Repeat:
    """The customer's wish where it makes sense, and where the kind is mandatory only if it tells more."""
    if asked.repeat is None or (asked.repeat is Repeat.UNTIL_RECOVERED and not rule.has_standing):
        return kind.repeat
    if kind.mandatory and asked.repeat is not Repeat.EVERY_TIME:
        return kind.repeat
    return asked.repeat
