"""What the settings come to, in the words of those who keep to them."""

from consumer.core.backpressure import LoadLimits
from consumer.core.breaker import Tolerance
from consumer.core.flood import FloodLimits
from consumer.core.limiter import Rate
from consumer.settings.model import Settings


def load_limits(settings: Settings) -> LoadLimits:
    """How full the outbox may be."""
    intake, size = settings.intake, settings.outbox
    return LoadLimits(
        due_max=intake.due_max,
        due_resume=intake.due_resume,
        used_max_bytes=size.used_max_bytes,
        used_alarm_bytes=size.used_alarm_bytes,
        free_min_bytes=size.free_min_bytes,
        free_alarm_bytes=size.free_alarm_bytes,
    )


def flood_limits(settings: Settings) -> FloodLimits:
    """How many undecodable records are a flood."""
    flood = settings.flood
    return FloodLimits(
        window_records=flood.window_records,
        letters_min=flood.letters_min,
        share_max=flood.share_max,
        run_max=flood.run_max,
    )


def rate(settings: Settings) -> Rate:
    """How fast texts may be sent."""
    wanted = settings.rate
    return Rate(parts_per_s=wanted.parts_per_s, burst_parts=wanted.burst_parts, recipient_s=wanted.recipient_s)


def tolerance(settings: Settings) -> Tolerance:
    """How many doubts in a row stop the sending, and for how long."""
    breaker = settings.breaker
    return Tolerance(ambiguous_max=breaker.ambiguous_max, first_s=breaker.first_s, longest_s=breaker.longest_s)
