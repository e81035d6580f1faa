"""What holds of quiet hours in every zone and every year."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.core.preferences import QuietHours
from consumer.core.timing import quiet_until
from tests.builders import preferences
from tests.properties.deciding_strategies import quiet_hours

ALL_ZONES = st.sampled_from(sorted(available_timezones() - {"localtime"}))
INSTANTS = st.datetimes(datetime(1985, 1, 1), datetime(2036, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - in UTC
A_DAY_AND_A_CHANGE = timedelta(hours=50)
"""A window that the clocks jumped out of lasts a second day; the longest jump, over the date line, is one day more."""


def on_the_wall(at: datetime, quiet: QuietHours, zone: str) -> bool:
    """Whether the wall shows quiet hours, written down minute by minute."""
    wall = at.astimezone(ZoneInfo(zone))
    minute, start, end = (t.hour * 60 + t.minute for t in (wall, quiet.start, quiet.end))
    return minute in {(start + step) % 1440 for step in range((end - start) % 1440)}


@given(INSTANTS, quiet_hours(), ALL_ZONES)
@settings(max_examples=100, deadline=None)
def test_quiet_hours_end_later_on_and_soon_and_outside_of_them(at: datetime, quiet: QuietHours, zone: str) -> None:
    until = quiet_until(at, preferences(quiet_hours=quiet, time_zone=zone))

    assert (until is not None) == on_the_wall(at, quiet, zone)
    if until is not None:
        assert at < until <= at + A_DAY_AND_A_CHANGE
        assert until.tzinfo is UTC
        assert not on_the_wall(until, quiet, zone)


@given(INSTANTS, quiet_hours(), ALL_ZONES)
@settings(max_examples=100, deadline=None)
def test_all_instants_of_one_window_wait_for_the_same_end(at: datetime, quiet: QuietHours, zone: str) -> None:
    customer = preferences(quiet_hours=quiet, time_zone=zone)
    until = quiet_until(at, customer)

    if until is not None:
        assert quiet_until(at + (until - at) / 2, customer) in {until, None}
        assert quiet_until(until, customer) is None
