"""The bank's list of alert kinds: what can be told, how it is treated, and what it is called."""

import enum
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

import msgspec

from consumer.core.preferences import Repeat


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


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """All alert kinds, in the order that breaks ties. `version` changes with every change of the file."""

    version: str
    kinds: tuple[AlertKind, ...]

    def kind(self, name: str) -> AlertKind:
        """The kind called `name`; KeyError where the catalogue has none."""
        for kind in self.kinds:
            if kind.name == name:
                return kind
        raise KeyError(name)

    def kinds_for(self, event_type: str) -> tuple[AlertKind, ...]:
        """The kinds that judge events of this type, in catalogue order."""
        return tuple(kind for kind in self.kinds if kind.event_type == event_type)
