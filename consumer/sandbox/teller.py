"""Publishes what the bank says, when it says it, through a Kafka producer of its own."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from confluent_kafka import Producer

from consumer.sandbox.bank import Happening
from consumer.sandbox.screen import Passing, Screen

_FLUSH_S = 10.0


class Teller:
    """Happenings to records: encoded by their schema, or as the bytes they are.

    `encode` takes a schema's name and its fields; `topics` says where each schema's records go.
    """

    def __init__(
        self, *, bootstrap_servers: str, topics: Mapping[str, str], encode: Callable[[str, Mapping[str, object]], bytes]
    ) -> None:
        """Connect on the first record."""
        self._producer = Producer(
            {"bootstrap.servers": bootstrap_servers, "linger.ms": 2, "enable.idempotence": True, "log_level": 0}
        )
        self._topics = topics
        self._encode = encode
        self.published: Counter[str] = Counter()

    def publish(self, happening: Happening) -> None:
        """One record, not yet acknowledged."""
        value = happening.raw if happening.fields is None else self._encode(happening.schema, happening.fields)
        self._producer.produce(self._topics[happening.schema], value=value, key=happening.key)
        self._producer.poll(0)
        self.published[happening.schema] += 1

    def publish_all(self, happenings: Iterable[Happening]) -> None:
        """All of them at once, and wait until the broker has them. Raises RuntimeError if it does not take them."""
        for happening in happenings:
            self.publish(happening)
        self.flush()

    def publish_in_time(
        self, happenings: Iterable[Happening], *, start: datetime, screen: Screen, stopping: threading.Event
    ) -> None:
        """Each at its second after `start` (aware UTC), shown as it goes, until the last or `stopping`."""
        for happening in happenings:
            ahead_s = happening.at_s - (datetime.now(UTC) - start).total_seconds()
            if stopping.wait(max(ahead_s, 0)):
                break
            self.publish(happening)
            screen.passing(Passing(at=datetime.now(UTC), schema=happening.schema, note=happening.note))
        self.flush()

    def flush(self) -> None:
        """Wait until the broker has everything. Raises RuntimeError if it does not take it."""
        left = self._producer.flush(_FLUSH_S)
        if left:
            raise RuntimeError(f"{left} records were not acknowledged within {_FLUSH_S:.0f} s")
