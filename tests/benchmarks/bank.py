"""The bank's customers in Kafka and in a local table: published once and loaded once, for all that needs them."""

from functools import cached_property
from pathlib import Path

from tests.benchmarks.customers import RECORD_BYTES, Customers
from tests.benchmarks.publishing import published
from tests.benchmarks.site import Site
from tests.benchmarks.table_load import COLD, WARM, Load, start_apart
from tests.benchmarks.wiring import Places
from tests.brokers import fresh, fresh_topic


class Bank:
    """As many customers with preferences as there should be; `folder` is where the table is kept."""

    def __init__(self, site: Site, customers: int, folder: Path) -> None:
        self._site = site
        self._folder = folder
        self.customers = Customers(count=customers)

    @cached_property
    def places(self) -> Places:
        """With a topic of preferences that is filled, and no topics of events yet."""
        kafka = self._site.kafka
        partitions = self._site.partitions(self.customers.count * RECORD_BYTES)
        topic = fresh_topic(kafka, "preferences", partitions, {"cleanup.policy": "compact"})
        if published(kafka.bootstrap_servers, self.customers.records(topic)) != self.customers.count:
            raise RuntimeError("not all preferences were published")
        return Places(
            bootstrap_servers=kafka.bootstrap_servers,
            transactions=fresh("nothing"),
            balances=fresh("nothing"),
            preferences=topic,
            dead_letters=fresh_topic(kafka, "dead-letters"),
            group=fresh("avviso"),
            table=str(self._folder / "preferences.lmdb"),
            outbox=str(self._folder / "outbox.sqlite"),
        )

    @cached_property
    def first_start(self) -> Load:
        """A process that fills the table from nothing, when first asked for."""
        return self._start(COLD)

    def filled(self) -> None:
        """See to it that the table is full; raises TimeoutError. Done by another process, so that this one stays small."""
        if not self.first_start.ready:
            raise TimeoutError(f"the table was not full after {self.first_start.took_s:.0f} s")

    def next_start(self) -> Load:
        """A process that opens the table as an earlier one left it."""
        self.filled()
        return self._start(WARM)

    def _start(self, start: str) -> Load:
        return start_apart(self.places, start, self.customers.count, self._site.scale.load_patience_s)
