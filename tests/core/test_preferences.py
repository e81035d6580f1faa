"""From decoded fields to preferences: complete, or refused without a word of what they hold."""

from collections.abc import Mapping
from datetime import time
from decimal import Decimal
from typing import Any

import pytest

from consumer.core.event import Channel, Direction
from consumer.core.preferences import (
    DetailLevel,
    Filters,
    InvalidPreferences,
    Phone,
    QuietHours,
    Repeat,
    preferences_from_fields,
)
from consumer.core.record import Position
from tests.builders import PHONE, euros, preferences

AT = Position(topic="bank.alert-preferences.v1", partition=2, offset=8)
NO_FILTERS: Mapping[str, Any] = {
    "directions": [],
    "channels": [],
    "merchant_categories": [],
    "countries": [],
    "account_ids": [],
}
ALERT: Mapping[str, Any] = {
    "kind": "large_debit",
    "enabled": True,
    "threshold": Decimal("75.0000"),
    "threshold_currency": "EUR",
    "repeat": "ONCE_A_DAY",
    "filters": {
        "directions": ["DEBIT"],
        "channels": ["ATM", "TELEPATHY"],
        "merchant_categories": ["5942"],
        "countries": ["IT"],
        "account_ids": ["acc-1"],
    },
}
FIELDS: Mapping[str, Any] = {
    "customer_id": "cust-1",
    "language": "it",
    "time_zone": "Europe/Rome",
    "phone": PHONE,
    "phone_verified": True,
    "detail_level": "SOME",
    "quiet_from_minute": 1350,
    "quiet_until_minute": 420,
    "consents": {"marketing": True},
    "alerts": [ALERT],
}


def refusal(**changes: Any) -> str:
    with pytest.raises(InvalidPreferences) as refused:
        preferences_from_fields({**FIELDS, **changes}, AT)
    return str(refused.value)


def test_preferences_are_read_whole() -> None:
    asked = preferences_from_fields(FIELDS, AT)

    assert (asked.customer_id, asked.language, asked.time_zone, asked.position) == ("cust-1", "it", "Europe/Rome", AT)
    assert asked.usable_phone == Phone(PHONE)
    assert asked.detail_level is DetailLevel.SOME
    assert asked.quiet_hours == QuietHours(start=time(22, 30), end=time(7))
    assert asked.consents == {"marketing": True}
    alert = asked.alerts["large_debit"]
    assert (alert.enabled, alert.threshold, alert.repeat) == (True, euros("75.0000"), Repeat.ONCE_A_DAY)


def test_filters_are_read_whole_and_a_channel_newer_than_this_version_is_other() -> None:
    assert preferences_from_fields(FIELDS, AT).alerts["large_debit"].filters == Filters(
        directions=frozenset({Direction.DEBIT}),
        channels=frozenset({Channel.ATM, Channel.OTHER}),
        merchant_categories=frozenset({"5942"}),
        countries=frozenset({"IT"}),
        account_ids=frozenset({"acc-1"}),
    )


def test_what_a_customer_leaves_open_stays_open() -> None:
    bare = {"kind": "low_balance", "enabled": False, "threshold": None, "threshold_currency": None, "repeat": None}
    open_ = {"phone": None, "quiet_from_minute": None, "quiet_until_minute": None}

    asked = preferences_from_fields({**FIELDS, **open_, "alerts": [{**bare, "filters": NO_FILTERS}]}, AT)

    assert (asked.usable_phone, asked.quiet_hours) == (None, None)
    alert = asked.alerts["low_balance"]
    assert (alert.enabled, alert.threshold, alert.repeat, alert.filters) == (False, None, None, Filters())


def test_a_phone_that_was_not_verified_cannot_be_used() -> None:
    assert preferences(phone_verified=False).usable_phone is None


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"customer_id": ""}, "customer_id is empty"),
        ({"phone": "3401234567"}, "phone is not in E.164: + and 7 to 15 digits"),
        ({"phone": "+391234567\n"}, "phone is not in E.164: + and 7 to 15 digits"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone is no IANA time zone that this machine knows"),
        ({"time_zone": "../../etc/passwd"}, "time_zone is no IANA time zone that this machine knows"),
        ({"time_zone": "Europe"}, "time_zone is no IANA time zone that this machine knows"),
        (
            {"quiet_from_minute": None},
            "quiet_from_minute and quiet_until_minute come together or not at all",
        ),
        (
            {"quiet_until_minute": None},
            "quiet_from_minute and quiet_until_minute come together or not at all",
        ),
        ({"quiet_from_minute": 1440}, "quiet_from_minute and quiet_until_minute lie between 0 and 1439"),
        (
            {"quiet_from_minute": 420},
            "quiet hours start and end at the same minute: no hour or every hour?",
        ),
        ({"detail_level": "MORE"}, "a field has a value or a type that its schema does not allow"),
        ({"consents": None}, "a field has a value or a type that its schema does not allow"),
        (
            {"alerts": [{**ALERT, "threshold_currency": None}]},
            "threshold and threshold_currency come together or not at all",
        ),
        (
            {"alerts": [{**ALERT, "threshold_currency": "euro"}]},
            "a field has a value or a type that its schema does not allow",
        ),
        ({"alerts": [{"kind": "large_debit"}]}, "field threshold is missing"),
    ],
)
def test_what_are_no_possible_preferences_is_refused_by_its_rule(changes: Mapping[str, Any], problem: str) -> None:
    assert refusal(**changes) == problem


def test_after_what_cannot_be_read_the_customer_can_still_be_reached_and_the_least_is_told() -> None:
    left = preferences(language="it").after_unreadable()

    assert (left.suspended, left.detail_level) == (True, DetailLevel.NONE)
    assert (left.usable_phone, left.language) == (Phone(PHONE), "it")


def test_the_lower_of_two_levels_tells_less() -> None:
    assert DetailLevel.FULL.lower_of(DetailLevel.SOME) is DetailLevel.SOME
    assert DetailLevel.NONE.lower_of(DetailLevel.FULL) is DetailLevel.NONE
    assert sorted(DetailLevel, key=lambda level: level.rank) == [DetailLevel.NONE, DetailLevel.SOME, DetailLevel.FULL]


def test_nothing_private_is_printed() -> None:
    asked = preferences_from_fields(FIELDS, AT)

    assert repr(asked) == ("Preferences(customer_id='cust-1', position=bank.alert-preferences.v1[2]@8)")
    assert PHONE not in repr((asked.phone, asked.alerts))
    assert "acc-1" not in repr(asked.alerts)
