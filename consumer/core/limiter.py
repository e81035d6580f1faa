"""How much may be sent now: parts per second in all, and one text a second to one recipient."""

from collections import OrderedDict
from datetime import datetime, timedelta

import msgspec

_NO_WAIT = timedelta(0)


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider grants.

    `parts_per_s` in the long run and `burst_parts` at once. Throttling halves the rate, never below
    `slowest_parts_per_s` and at most once in `halving_s`; it grows back by `growth_parts_per_s` each second. One recipient
    gets a text every `recipient_s`; `recipients_max` of them are remembered.
    """

    parts_per_s: float = 20.0
    burst_parts: float = 20.0
    slowest_parts_per_s: float = 0.5
    halving_s: float = 1.0
    growth_parts_per_s: float = 0.1
    recipient_s: float = 1.0
    recipients_max: int = 10_000

    def __post_init__(self) -> None:
        """Refuse what would never send, or send without limit."""
        if not 0 < self.slowest_parts_per_s <= self.parts_per_s:
            raise ValueError("slowest_parts_per_s lies above 0 and not above parts_per_s")
        if self.burst_parts < 1:
            raise ValueError("burst_parts is at least 1")
        if min(self.halving_s, self.growth_parts_per_s, self.recipient_s) < 0 or self.recipients_max < 1:
            raise ValueError(
                "halving_s, growth_parts_per_s and recipient_s are not negative, recipients_max is at least 1"
            )


class Limiter:
    """A token bucket of parts whose rate halves when the provider throttles and grows back slowly.

    Its caller holds a lock around each call and tells the time, which may repeat itself but never runs backwards far.
    """

    def __init__(self, rate: Rate, now: datetime) -> None:
        """Start with a full bucket."""
        self._limits = rate
        self._parts = rate.burst_parts
        self._parts_per_s = rate.parts_per_s
        self._filled_at = now
        self._halved_at = now - timedelta(seconds=rate.halving_s)
        self._sent_at: OrderedDict[str, datetime] = OrderedDict()

    @property
    def parts_per_s(self) -> float:
        """The rate of now, as throttling has left it."""
        return self._parts_per_s

    def room(self, now: datetime) -> int:
        """How many whole parts could be taken at once."""
        self._fill(now)
        return max(0, int(self._parts))

    def wait(self, now: datetime) -> timedelta:
        """How long until there is room for a part; 0 if there is."""
        self._fill(now)
        return self._until(1.0)

    def take(self, *, parts: int, recipient: str, now: datetime) -> timedelta:
        """0 if the parts are taken, else how long to wait before it is worth asking again; nothing is taken then.

        `recipient` is any stand-in for the phone. A text of more parts than the burst goes when the bucket is full, and
        what is missing is made up for afterwards.
        """
        self._fill(now)
        wait = max(self._recipient_wait(recipient, now), self._until(min(float(parts), self._limits.burst_parts)))
        if wait > _NO_WAIT:
            return wait
        self._parts -= parts
        self._remember(recipient, now)
        return _NO_WAIT

    def slow_down(self, now: datetime) -> None:
        """The provider throttles: halve the rate. Calls that were throttled together count once."""
        self._fill(now)
        self._parts = min(self._parts, 0.0)
        if now - self._halved_at >= timedelta(seconds=self._limits.halving_s):
            self._parts_per_s = max(self._parts_per_s / 2, self._limits.slowest_parts_per_s)
            self._halved_at = now

    def _fill(self, now: datetime) -> None:
        elapsed_s = (now - self._filled_at).total_seconds()
        if elapsed_s <= 0:
            return
        self._filled_at = now
        self._parts = min(self._parts + elapsed_s * self._parts_per_s, self._limits.burst_parts)
        self._parts_per_s = min(
            self._parts_per_s + elapsed_s * self._limits.growth_parts_per_s, self._limits.parts_per_s
        )

    def _until(self, parts: float) -> timedelta:
        missing = parts - self._parts
        # A microsecond more, so that rounding never makes the wait end just before the part is there.
        return _NO_WAIT if missing <= 0 else timedelta(seconds=missing / self._parts_per_s, microseconds=1)

    def _recipient_wait(self, recipient: str, now: datetime) -> timedelta:
        if recipient not in self._sent_at:
            return _NO_WAIT
        return max(_NO_WAIT, self._sent_at[recipient] + timedelta(seconds=self._limits.recipient_s) - now)

    def _remember(self, recipient: str, now: datetime) -> None:
        self._sent_at[recipient] = now
        self._sent_at.move_to_end(recipient)
        forgettable = now - timedelta(seconds=self._limits.recipient_s)
        while len(self._sent_at) > self._limits.recipients_max or next(iter(self._sent_at.values())) < forgettable:
            self._sent_at.popitem(last=False)
