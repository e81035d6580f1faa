"""The bank's list of alert kinds: what can be told, how it is treated, and what it is called."""

import enum
import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

import msgspec

from consumer.core.document import (
    MISSING,
    Refused,
    Section,
    decimal,
    duration,
    flag,
    named_in,
    one_of,
    text,
    whole_number,
)
from consumer.core.event import TransactionStatus
from consumer.core.preferences import Repeat
from consumer.core.rules import RULES, Rule

FRESHNESS_MAX = timedelta(days=7)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_EXACT = Decimal(0)


class InvalidCatalogue(ValueError):
    """A catalogue that cannot be used. `problems`: a line for each mistake, with its place and how to mend it."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        """All that is wrong, at once."""
        super().__init__("\n".join(("the alert catalogue cannot be used:", *problems)))
        self.problems = problems


class InDoubtPolicy(enum.StrEnum):
    """What to do with a send of which nobody knows whether it went out."""

    HOLD = "hold"
    RESEND = "resend"


class SmsType(enum.StrEnum):
    """How the provider treats a text: delivery first, or price first."""

    TRANSACTIONAL = "Transactional"
    PROMOTIONAL = "Promotional"


class AlertClass(msgspec.Struct, frozen=True, kw_only=True):
    """How a group of alert kinds is treated. `rank` 0 goes first; `consent_required`: told only after an explicit yes."""

    name: str
    rank: int
    sms_type: SmsType
    freshness: timedelta
    in_doubt: InDoubtPolicy
    bypasses_quiet_hours: bool = False
    consent_required: bool = False


class AlertKind(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be told.

    `event_type` and `rule` say which events it judges and how; `thresholds` are the catalogue's own per ISO 4217 code;
    `tolerance_ratio` is how far (0.05: five per cent) a posting may differ from its told authorisation without being told
    again. `freshness`, `in_doubt` and `bypasses_quiet_hours` are the class's unless the kind says otherwise.
    """

    name: str
    alert_class: AlertClass
    event_type: str
    rule: str
    enabled_by_default: bool
    mandatory: bool
    thresholds: Mapping[str, Decimal]
    repeat: Repeat
    tolerance_ratio: Decimal
    freshness: timedelta
    in_doubt: InDoubtPolicy
    bypasses_quiet_hours: bool


class Catalogue(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """All alert kinds, in the order that breaks ties. `version` changes with every change of the file."""

    version: str
    kinds: tuple[AlertKind, ...]

    def kind(self, name: str) -> AlertKind:
        """The kind called `name`; KeyError where the catalogue has none."""
        return self._by_name[name]

    def kinds_for(self, event_type: str) -> tuple[AlertKind, ...]:
        """The kinds that judge events of this type, in catalogue order."""
        return self._by_event_type.get(event_type, ())

    def told_at(self, stage: TransactionStatus) -> tuple[str, ...]:
        """The names of the kinds that tell of transactions at this stage, in catalogue order."""
        return self._by_stage[stage]

    @cached_property
    def _by_name(self) -> Mapping[str, AlertKind]:
        return {kind.name: kind for kind in self.kinds}

    @cached_property
    def _by_event_type(self) -> Mapping[str, tuple[AlertKind, ...]]:
        types = dict.fromkeys(kind.event_type for kind in self.kinds)
        return {name: tuple(kind for kind in self.kinds if kind.event_type == name) for name in types}

    @cached_property
    def _by_stage(self) -> Mapping[TransactionStatus, tuple[str, ...]]:
        return {
            stage: tuple(kind.name for kind in self.kinds if stage in RULES[kind.rule].stages)
            for stage in TransactionStatus
        }


def catalogue_from(document: Mapping[str, Any]) -> Catalogue:
    """The catalogue that a parsed YAML document tells of; `consumer/alerts.yaml` shows every key and what it means.

    Raises InvalidCatalogue with all that is wrong in it.
    """
    problems: list[str] = []
    top = Section(document, "", problems)
    version = top.get("version", text)
    classes = _classes(top.section("classes"))
    kinds = _kinds(top.section("kinds"), classes)
    top.close()
    if problems:
        raise InvalidCatalogue(tuple(problems))
    return Catalogue(version=version, kinds=kinds)


def _classes(section: Section) -> Mapping[str, AlertClass]:
    classes = {}
    for name in section.keys:
        one = _named(section, name)
        classes[name] = AlertClass(
            name=name,
            rank=one.get("rank", whole_number),
            sms_type=one.get("sms_type", one_of(SmsType)),
            freshness=one.get("freshness", _freshness),
            in_doubt=one.get("in_doubt", one_of(InDoubtPolicy)),
            bypasses_quiet_hours=one.get("bypasses_quiet_hours", flag, default=False),
            consent_required=one.get("consent_required", flag, default=False),
        )
        one.close()
    return classes


def _kinds(section: Section, classes: Mapping[str, AlertClass]) -> tuple[AlertKind, ...]:
    if section.given and not section.keys:
        section.problem("", "describe at least one kind: a catalogue without any tells nothing")
    return tuple(_kind(name, _named(section, name), classes) for name in section.keys)


def _named(section: Section, name: Any) -> Section:
    if not isinstance(name, str) or not _NAME.match(name):
        section.problem(str(name), "name it in small letters, digits and underscores, a letter first, 40 at most")
    return section.section(name)


_NO_CLASS = AlertClass(
    name="", rank=0, sms_type=SmsType.TRANSACTIONAL, freshness=FRESHNESS_MAX, in_doubt=InDoubtPolicy.HOLD
)


def _kind(name: str, one: Section, classes: Mapping[str, AlertClass]) -> AlertKind:
    """The kind; where its class or its rule is unknown the rest is still read, for what else is wrong."""
    alert_class = one.get("class", named_in(classes))
    rule_name = one.get("rule", _rule_name)
    rule = RULES.get(rule_name)
    treated = _NO_CLASS if alert_class is MISSING else alert_class
    mandatory = one.get("mandatory", flag, default=False)
    if mandatory is True and treated.consent_required:
        one.problem("mandatory", f"write false: nobody can be made to consent, and class {treated.name} requires it")
    kind = AlertKind(
        name=name,
        alert_class=treated,
        event_type=rule.event_type if rule else "",
        rule=rule_name,
        enabled_by_default=one.get("enabled_by_default", flag, default=False),
        mandatory=mandatory,
        thresholds=_thresholds(one, rule),
        repeat=_repeat(one, rule),
        tolerance_ratio=_tolerance_ratio(one, rule),
        freshness=one.get("freshness", _freshness, default=treated.freshness),
        in_doubt=one.get("in_doubt", one_of(InDoubtPolicy), default=treated.in_doubt),
        bypasses_quiet_hours=one.get("bypasses_quiet_hours", flag, default=treated.bypasses_quiet_hours),
    )
    one.close()
    return kind


def _thresholds(one: Section, rule: Rule | None) -> Mapping[str, Decimal]:
    if rule is not None and not rule.has_threshold:
        if one.has("thresholds"):
            one.problem("thresholds", "take them out: the rule compares no amount with a threshold")
            one.get("thresholds", _anything)
        return {}
    if rule is None and not one.has("thresholds"):
        return {}
    amounts = one.section("thresholds")
    for currency in amounts.keys:
        if not isinstance(currency, str) or not _CURRENCY.match(currency):
            amounts.problem(str(currency), "write the three capital letters of an ISO 4217 currency code")
    return {currency: amounts.get(currency, decimal) for currency in amounts.keys}


def _repeat(one: Section, rule: Rule | None) -> Repeat:
    standing = rule is not None and rule.has_standing
    repeat = one.get("repeat", one_of(Repeat), default=Repeat.UNTIL_RECOVERED if standing else Repeat.EVERY_TIME)
    if repeat is Repeat.UNTIL_RECOVERED and rule is not None and not standing:
        one.problem("repeat", "write every_time or once_a_day: only a balance can recover")
    return repeat


def _tolerance_ratio(one: Section, rule: Rule | None) -> Decimal:
    ratio = one.get("tolerance_ratio", _ratio, default=_EXACT)
    if one.has("tolerance_ratio") and rule is not None and rule.has_standing:
        one.problem("tolerance_ratio", "take it out: a balance has no authorisation to be compared with")
    return ratio


def _rule_name(value: Any) -> str:
    named_in(RULES)(value)
    return str(value)


def _freshness(value: Any) -> timedelta:
    freshness = duration(value)
    if freshness > FRESHNESS_MAX:
        raise Refused(f"write {FRESHNESS_MAX.days} d at most: nobody wants older news as an SMS")
    return freshness


def _ratio(value: Any) -> Decimal:
    ratio = decimal(value)
    if not 0 <= ratio <= 1:
        raise Refused('write a share between 0 and 1 in quotes, as "0.05" for five per cent')
    return ratio


def _anything(value: Any) -> Any:
    return value
