"""When a customer may be texted, by the clock on their own wall."""

from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from consumer.core.preferences import Preferences, QuietHours

_DAY = timedelta(days=1)
_ZONES_MAX = 1024  # IANA knows about 600 names


def quiet_until(at: datetime, preferences: Preferences | None) -> datetime | None:
    """When the quiet hours end that `at` (aware) lies in, as aware UTC; None if the customer may be texted at `at`.

    The hours are those that a clock on the wall shows: they run past midnight where they end before they start, and last an
    hour more or less in the night in which the clocks change. An end that the clocks jump over counts as they stood before
    the jump; one that they show twice counts at the first showing, if that is still to come.
    """
    if preferences is None or preferences.quiet_hours is None:
        return None
    quiet, zone = preferences.quiet_hours, _zone(preferences.time_zone)
    until = at.astimezone(UTC)
    while _is_quiet(until.astimezone(zone).time(), quiet):
        until = _next_end(until, quiet, zone)
    return None if until == at else until


def local_day(at: datetime, preferences: Preferences | None) -> str:
    """The day of `at` (aware) on the customer's calendar, as ISO 8601; in UTC where nothing is known of the customer."""
    zone = UTC if preferences is None else _zone(preferences.time_zone)
    return at.astimezone(zone).date().isoformat()


@lru_cache(maxsize=_ZONES_MAX)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _is_quiet(wall: time, quiet: QuietHours) -> bool:
    if quiet.start < quiet.end:
        return quiet.start <= wall < quiet.end
    return wall >= quiet.start or wall < quiet.end


def _next_end(at: datetime, quiet: QuietHours, zone: ZoneInfo) -> datetime:
    """The first instant after `at`, which is quiet, at which the wall shows the end."""
    wall = at.astimezone(zone)
    day = wall.date() if wall.time() < quiet.end else wall.date() + _DAY
    end = datetime.combine(day, quiet.end, zone)
    first = end.astimezone(UTC)
    return first if first > at else end.replace(fold=1).astimezone(UTC)
