"""What a customer asked for, and where to reach them."""

import enum
import re
from collections.abc import Iterable, Mapping
from datetime import time
from decimal import Decimal
from functools import lru_cache
from sys import intern
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from consumer.core.event import Channel, Direction, Money
from consumer.core.event_fields import known
from consumer.core.record import Position

FULL_NAME = "bank.events.v1.AlertPreferences"
_E164 = re.compile(r"\+[1-9][0-9]{6,14}\Z")
_MINUTES_A_DAY = 24 * 60
_SYMBOLS_MAX = 16
_TIME_ZONES_MAX = 1024


class InvalidPreferences(ValueError):
    """A decoded record that is no possible preferences. `args[0]` names field and rule, never the value."""


class DetailLevel(enum.StrEnum):
    """How much a text may tell. NONE: that something happened; SOME: amounts too; FULL: names and balances too."""

    NONE = "none"
    SOME = "some"
    FULL = "full"

    @property
    def rank(self) -> int:
        """0 for NONE, 1 for SOME, 2 for FULL."""
        return _RANKS[self]

    def lower_of(self, other: "DetailLevel") -> "DetailLevel":
        """The one of the two that tells less."""
        return min(self, other, key=lambda level: level.rank)


_RANKS = {level: place for place, level in enumerate(DetailLevel)}


class Repeat(enum.StrEnum):
    """How often the same thing is told."""

    EVERY_TIME = "every_time"
    ONCE_A_DAY = "once_a_day"
    UNTIL_RECOVERED = "until_recovered"


class Phone(msgspec.Struct, frozen=True):
    """A mobile number in E.164. Never printed."""

    e164: str

    def __post_init__(self) -> None:
        """Refuse what is not E.164."""
        if not _E164.match(self.e164):
            raise InvalidPreferences("phone is not in E.164: + and 7 to 15 digits")

    def __repr__(self) -> str:
        """Nothing of it."""
        return "Phone()"


class QuietHours(msgspec.Struct, frozen=True, kw_only=True):
    """The hours in which a customer's phone stays silent, by the clock on their wall; may run past midnight."""

    start: time
    end: time

    def __post_init__(self) -> None:
        """Refuse hours that never begin or never end."""
        if self.start == self.end:
            raise InvalidPreferences("quiet hours start and end at the same minute: no hour or every hour?")


_NO_LIMIT: frozenset[Any] = frozenset()


class Filters(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an alert is limited to; an empty set is no limit. Kept by the thousand, so what is empty is not written."""

    directions: frozenset[Direction] = _NO_LIMIT
    channels: frozenset[Channel] = _NO_LIMIT
    merchant_categories: frozenset[str] = _NO_LIMIT
    countries: frozenset[str] = _NO_LIMIT
    account_ids: frozenset[str] = _NO_LIMIT

    def __repr__(self) -> str:
        """Nothing of it: account ids are private."""
        return "Filters()"


NO_FILTERS = Filters()
"""Of most alerts: one for all of them."""


class AlertPreference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a customer asked for of one alert kind. Absent threshold or repeat: as the catalogue says. Kept so too."""

    enabled: bool
    threshold: Money | None = None
    repeat: Repeat | None = None
    filters: Filters = NO_FILTERS


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """All that one customer asked for. `position`: the record that said so. `consents`: per alert class.

    Many customers may share one mapping of `alerts`: nobody changes it. `suspended`: the customer has said something since
    that cannot be read. Nothing optional is told until that is mended.
    """

    customer_id: str
    language: str
    time_zone: str
    detail_level: DetailLevel
    phone: Phone | None = None
    phone_verified: bool = False
    quiet_hours: QuietHours | None = None
    consents: Mapping[str, bool] = {}
    alerts: Mapping[str, AlertPreference] = {}
    suspended: bool = False
    position: Position

    def __post_init__(self) -> None:
        """Refuse what could not be used at night."""
        if not self.customer_id:
            raise InvalidPreferences("customer_id is empty")
        if not _is_time_zone(self.time_zone):
            raise InvalidPreferences("time_zone is no IANA time zone that this machine knows")

    @property
    def usable_phone(self) -> Phone | None:
        """The number to text: only one that the customer has verified."""
        return self.phone if self.phone_verified else None

    def after_unreadable(self) -> "Preferences":
        """What is left of it once a newer record cannot be read: where to reach the customer, for what is mandatory.

        The newer one may have asked that less be told, so the least is told.
        """
        return msgspec.structs.replace(self, suspended=True, detail_level=DetailLevel.NONE)

    def __repr__(self) -> str:
        """The customer's id and the record's position only."""
        return f"Preferences(customer_id={self.customer_id!r}, position={self.position})"


def preferences_from_fields(fields: Mapping[str, Any], position: Position) -> Preferences:
    """The preferences that the decoded `fields` of `schemas/AlertPreferences` tell of.

    Raises InvalidPreferences, naming the field and the rule, never the value.
    """
    return preferences_with(alerts_from_fields(fields), fields, position)


def alerts_from_fields(fields: Mapping[str, Any]) -> Mapping[str, AlertPreference]:
    """The part of it that many customers have in common: what they asked for of each alert kind."""
    try:
        return {intern(alert["kind"]): _alert(alert) for alert in fields["alerts"]}
    except (KeyError, ValueError, TypeError, AttributeError) as problem:
        raise _invalid(problem) from None


def preferences_with(
    alerts: Mapping[str, AlertPreference], fields: Mapping[str, Any], position: Position
) -> Preferences:
    """The rest of it, with `alerts` that are known already."""
    try:
        return Preferences(
            customer_id=fields["customer_id"],
            language=fields["language"],
            time_zone=fields["time_zone"],
            detail_level=_detail_level(fields["detail_level"]),
            phone=None if fields["phone"] is None else Phone(fields["phone"]),
            phone_verified=fields["phone_verified"],
            quiet_hours=_quiet_hours(fields["quiet_from_minute"], fields["quiet_until_minute"]),
            consents=dict(fields["consents"]),
            alerts=alerts,
            position=position,
        )
    except (KeyError, ValueError, TypeError, AttributeError) as problem:
        raise _invalid(problem) from None


def _invalid(problem: Exception) -> InvalidPreferences:
    """What is wrong, in our own words: foreign ones may quote a value."""
    match problem:
        case InvalidPreferences():
            return problem
        case KeyError():
            return InvalidPreferences(f"field {problem.args[0]} is missing")
        case _:
            return InvalidPreferences("a field has a value or a type that its schema does not allow")


@lru_cache(_SYMBOLS_MAX)
def _detail_level(symbol: str) -> DetailLevel:
    return DetailLevel(symbol.lower())


@lru_cache(_TIME_ZONES_MAX)
def _is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _quiet_hours(start_minute: int | None, end_minute: int | None) -> QuietHours | None:
    if start_minute is None and end_minute is None:
        return None
    if start_minute is None or end_minute is None:
        raise InvalidPreferences("quiet_from_minute and quiet_until_minute come together or not at all")
    if not (0 <= start_minute < _MINUTES_A_DAY and 0 <= end_minute < _MINUTES_A_DAY):
        raise InvalidPreferences("quiet_from_minute and quiet_until_minute lie between 0 and 1439")
    return QuietHours(start=time(*divmod(start_minute, 60)), end=time(*divmod(end_minute, 60)))


def _alert(fields: Mapping[str, Any]) -> AlertPreference:
    threshold: Decimal | None = fields["threshold"]
    currency: str | None = fields["threshold_currency"]
    if (threshold is None) != (currency is None):
        raise InvalidPreferences("threshold and threshold_currency come together or not at all")
    filters = _filters(fields["filters"])
    if threshold is None and fields["repeat"] is None and filters is NO_FILTERS:
        return _PLAIN[fields["enabled"]]
    return AlertPreference(
        enabled=fields["enabled"],
        threshold=None if threshold is None or currency is None else Money(amount=threshold, currency=currency),
        repeat=None if fields["repeat"] is None else Repeat(fields["repeat"].lower()),
        filters=filters,
    )


_PLAIN = {enabled: AlertPreference(enabled=enabled) for enabled in (True, False)}
"""Most of them, shared: a customer has one for each kind."""


def _filters(fields: Mapping[str, Any]) -> Filters:
    if not any(fields.values()):
        return NO_FILTERS
    return Filters(
        directions=_limit(Direction(symbol.lower()) for symbol in fields["directions"]),
        channels=_limit(known(Channel, symbol) for symbol in fields["channels"]),
        merchant_categories=_limit(fields["merchant_categories"]),
        countries=_limit(fields["countries"]),
        account_ids=_limit(fields["account_ids"]),
    )


def _limit(values: Iterable[Any]) -> frozenset[Any]:
    return frozenset(values) or _NO_LIMIT
