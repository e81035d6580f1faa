"""Why nothing is told: the closed list."""

import enum


class Reason(enum.StrEnum):
    """In the order in which an alert kind is judged; where kinds differ, that of the kind that came closest (the last here).

    NO_KIND: the catalogue has no kind for such an event. SUSPENDED: the customer's newest preferences cannot be read.
    NOT_THIS_STAGE: the catalogue has a kind, but not at this status of the transaction.
    OTHER_CURRENCY: there is no threshold in the event's currency. BELOW_THRESHOLD: a transaction too small; ABOVE_THRESHOLD:
    a balance that is high enough. OUT_OF_ORDER: a later event of the account came first. NOT_RECOVERED: told, and the
    balance has not been above the threshold since. ALREADY_TOLD: this transaction, or this day, was told.
    """

    NO_KIND = "no_kind"
    NO_PREFERENCES = "no_preferences"
    SUSPENDED = "suspended"
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

    def closer_of(self, other: "Reason") -> "Reason":
        """The one of the two that comes later in the list."""
        return other if _PLACE[other] > _PLACE[self] else self


_PLACE = {reason: place for place, reason in enumerate(Reason)}
