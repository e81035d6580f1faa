"""Quiet hours by the clock on the customer's wall, over midnight and in the nights in which clocks change."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from consumer.core.preferences import QuietHours
from consumer.core.timing import local_day, quiet_until
from tests.builders import NOW, preferences

ROME = ZoneInfo("Europe/Rome")


def quiet(start: str, end: str) -> QuietHours:
    return QuietHours(start=time.fromisoformat(start), end=time.fromisoformat(end))


def end_of(at: str, hours: QuietHours, zone: str = "Europe/Rome") -> str | None:
    """When the quiet hours end, for an instant on the wall (`...[fold]` for its second showing), as the wall shows it."""
    wall, _, fold = at.partition("[")
    instant = datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone), fold=1 if fold else 0)
    until = quiet_until(instant.astimezone(UTC), preferences(quiet_hours=hours, time_zone=zone))
    if until is None:
        return None
    assert until.tzinfo is UTC
    return until.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes")


def test_whoever_has_no_quiet_hours_may_be_texted_at_any_time() -> None:
    assert quiet_until(NOW, preferences(quiet_hours=None)) is None


def test_a_stranger_has_no_quiet_hours() -> None:
    assert quiet_until(NOW, None) is None


@pytest.mark.parametrize(
    ("at", "end"),
    [
        ("2026-11-22T12:59", None),
        ("2026-11-22T13:00", "2026-11-22T15:00+01:00"),
        ("2026-11-22T14:59", "2026-11-22T15:00+01:00"),
        ("2026-11-22T15:00", None),
    ],
)
def test_quiet_hours_begin_with_their_first_minute_and_end_before_their_last(at: str, end: str | None) -> None:
    assert end_of(at, quiet("13:00", "15:00")) == end


@pytest.mark.parametrize(
    ("at", "end"),
    [
        ("2026-11-22T21:59", None),
        ("2026-11-22T22:00", "2026-11-23T07:00+01:00"),
        ("2026-11-22T00:00", "2026-11-22T07:00+01:00"),
        ("2026-11-22T07:00", None),
    ],
)
def test_quiet_hours_run_past_midnight(at: str, end: str | None) -> None:
    assert end_of(at, quiet("22:00", "07:00")) == end


def test_the_night_in_which_the_clocks_go_forward_is_an_hour_shorter() -> None:
    assert end_of("2026-03-28T23:00", quiet("22:00", "07:00")) == "2026-03-29T07:00+02:00"


def test_an_end_that_the_clocks_jump_over_counts_as_they_stood_before() -> None:
    assert end_of("2026-03-29T01:00", quiet("22:00", "02:30")) == "2026-03-29T03:30+02:00"


def test_an_end_that_the_clocks_jump_over_into_quiet_hours_is_the_end_of_those() -> None:
    assert end_of("2026-03-29T01:00", quiet("03:15", "02:30")) == "2026-03-30T02:30+02:00"


@pytest.mark.parametrize(
    ("at", "end"),
    [
        ("2026-10-25T01:00", "2026-10-25T02:30+02:00"),
        ("2026-10-25T02:10", "2026-10-25T02:30+02:00"),
        ("2026-10-25T02:40", None),
        ("2026-10-25T02:10[again]", "2026-10-25T02:30+01:00"),
        ("2026-10-25T02:40[again]", None),
    ],
)
def test_an_end_that_the_clocks_show_twice_counts_at_the_next_showing(at: str, end: str | None) -> None:
    assert end_of(at, quiet("22:00", "02:30")) == end


def test_a_day_that_a_country_skipped_does_not_trap_anybody() -> None:
    assert end_of("2011-12-29T23:00", quiet("22:00", "07:00"), "Pacific/Apia") == "2011-12-31T07:00+14:00"


def test_the_day_is_the_one_on_the_customers_calendar() -> None:
    late = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)

    assert local_day(late, preferences(time_zone="Europe/Rome")) == "2026-11-23"
    assert local_day(late, preferences(time_zone="America/New_York")) == "2026-11-22"
    assert local_day(late, None) == "2026-11-22"
