"""A client that asks what a member's own connections would answer late, or not at all."""

import logging
import math
import threading
from collections.abc import Callable, Mapping

from confluent_kafka.admin import AdminClient

_GROUP_ONLY = ("group.protocol", "group.instance.id", "group.remote.assignor", "partition.assignment.strategy")
_OWN = {"metadata.max.age.ms": 1000}
"""Else a partition that had no leader when it was asked for counts as one without for a quarter of an hour."""
_SILENCE_S = 10.0


class Asker:
    """Belongs to no group, and has connections of its own: on the member's, each question waits for a fetch under way.

    Not left to the garbage collector: on one of the client's own threads that would end the process.
    """

    def __init__(self, settings: Mapping[str, str | int | float | bool], clock: Callable[[], float]) -> None:
        """`settings`: the member's own. Connects by itself, asked or not. `clock`: monotonic seconds."""
        kept = {name: value for name, value in settings.items() if name not in _GROUP_ONLY}
        self._settings = {"log_level": 2, **kept, **_OWN}
        self._clock = clock
        self._renewed_at_s = -math.inf
        self.client: AdminClient | None = self._connected()
        self.renewals = 0
        """What was asked before the last one is never answered."""

    def renew(self) -> None:
        """Where nobody has answered; not again within ten seconds.

        A client asks but one broker, and when that is gone it may take minutes to look for another.
        """
        if self.client is None or self._clock() < self._renewed_at_s + _SILENCE_S:
            return
        self._renewed_at_s = self._clock()
        self._let_go()
        self.client = self._connected()
        self.renewals += 1

    def close(self) -> None:
        """Ask nothing more."""
        self._let_go()

    def _connected(self) -> AdminClient:
        return AdminClient(dict(self._settings), logger=logging.getLogger("librdkafka"))

    def _let_go(self) -> None:
        """On a thread of its own: an end waits for connections that are just being made, and for names being looked up."""
        held = [self.client]
        self.client = None
        threading.Thread(target=held.clear, name="kafka-asker-end", daemon=True).start()
