"""What to do about one event for one customer."""

import enum
from collections.abc import Mapping
from datetime import datetime

import msgspec

from consumer.core.standing import Occurrence, StandingChange


class Reason(enum.StrEnum):
    """Why nothing is told. The closed list; where kinds differ, the reason of the kind that came closest (the last here)."""

    NO_KIND = "no_kind"
    NO_PREFERENCES = "no_preferences"
    SWITCHED_OFF = "switched_off"
    NO_CONSENT = "no_consent"
    NOT_THIS_STAGE = "not_this_stage"
    FILTERED_OUT = "filtered_out"
    OTHER_CURRENCY = "other_currency"
    BELOW_THRESHOLD = "below_threshold"
    ABOVE_THRESHOLD = "above_threshold"
    OUT_OF_ORDER = "out_of_order"
    NOT_RECOVERED = "not_recovered"
    ALREADY_TOLD = "already_told"
    NO_USABLE_PHONE = "no_usable_phone"
    QUIET_PAST_FRESHNESS = "quiet_past_freshness"


class Notify(msgspec.Struct, frozen=True, kw_only=True):
    """Tell it. `kind` is what the text is about; `also` are the other kinds that count as told with it.

    `occurrences` are what may not be told again, `standings` what the event changes in memory, `facts` what was compared;
    `not_before` is now, or the end of the customer's quiet hours; `stale_at` the end of its freshness. Aware UTC.
    """

    kind: str
    also: tuple[str, ...]
    occurrences: tuple[Occurrence, ...]
    standings: tuple[StandingChange, ...]
    facts: Mapping[str, str]
    not_before: datetime
    stale_at: datetime


class Suppress(msgspec.Struct, frozen=True, kw_only=True):
    """Tell nothing, and why. The event may still change a standing: an account that recovers is silent."""

    reason: Reason
    standings: tuple[StandingChange, ...] = ()


Decision = Notify | Suppress
