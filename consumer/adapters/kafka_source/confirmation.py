"""Since when a member of a group is known to be one, by what the group answers."""

import math


class Confirmation:
    """The time of a question from which on the session surely lasts, but for two intervals of heartbeats.

    Only a member is answered. That its session had not ended tells not how soon it will: who was frozen may have asked
    before its heartbeat left, and be too late with that. So it takes two answers, and the first question's time counts.
    librdkafka looks whether a heartbeat is due between a question and what is asked after its answer, and the coordinator
    takes in order what one connection brings: whose second question is answered has had a heartbeat taken that is not older
    than the first one by more than their interval.

    Where one is lost with its connection, the one before it counts, until the next is due: hence the second interval. What
    nobody can prove: what is done after a look at the clock may be done later than it seems.
    """

    def __init__(self) -> None:
        self._under_way_s: float | None = None
        self._before_s = -math.inf
        self.asked_s = -math.inf
        """When the last question was asked; monotonic, as all times here."""
        self.since_s = -math.inf

    def asked(self, now_s: float) -> None:
        """A question is on its way. An answer may be to one that was given up as never answered, which is older."""
        self.asked_s = now_s
        if self._under_way_s is None:
            self._under_way_s = now_s

    def answered(self, *, confirmed: bool) -> None:
        """`confirmed`: as to a member. What was refused for another reason tells nothing."""
        asked_s, self._under_way_s = self._under_way_s, None
        if confirmed and asked_s is not None:
            self.since_s, self._before_s = self._before_s, asked_s

    def ended(self) -> None:
        """The group has answered that it knows no such member; librdkafka may hear of that later."""
        self.since_s = self._before_s = -math.inf
