"""A Kafka source under test, polled until something is so."""

import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import pytest

from consumer.adapters.kafka_source import KafkaSource, SourceLimits
from consumer.core.record import Record
from tests.brokers import Kafka

DEADLINE_S = 40.0
COOPERATIVE: dict[str, str] = {}
EAGER = {"partition.assignment.strategy": "range"}
KIP_848 = {"group.protocol": "consumer"}
each_protocol = pytest.mark.parametrize(
    "protocol", [COOPERATIVE, EAGER, KIP_848], ids=["cooperative", "eager", "kip848"]
)
each_incremental_protocol = pytest.mark.parametrize("protocol", [COOPERATIVE, KIP_848], ids=["cooperative", "kip848"])
each_classic_protocol = pytest.mark.parametrize("protocol", [COOPERATIVE, EAGER], ids=["cooperative", "eager"])


class Member:
    """One member of a group with the clock in the test's hand. Short sessions: a rebalance must not take a minute."""

    def __init__(
        self,
        kafka: Kafka,
        group: str,
        *topics: str,
        sole_owner: bool = False,
        settings: Mapping[str, Any] | None = None,
        **limits: Any,
    ) -> None:
        self.now_s = 0.0
        changes = dict(settings or {})
        if changes.get("group.protocol") != "consumer":
            changes = {"session.timeout.ms": 2000, "heartbeat.interval.ms": 200, **changes}
        self.source = KafkaSource(
            {"bootstrap.servers": kafka.bootstrap_servers, "reconnect.backoff.max.ms": 200, **changes},
            group=group,
            topics=topics,
            sole_owner=sole_owner,
            clock=lambda: self.now_s,
            limits=SourceLimits(**limits),
        )
        self.received: list[Record] = []
        self.before_revoke: Callable[[], None] = lambda: None

    @property
    def values(self) -> list[bytes | None]:
        return [record.value for record in self.received]

    def poll(self, timeout_s: float = 0.05) -> Sequence[Record]:
        """Once; the clock moves by as much as the poll may wait."""
        polled = self.source.poll(records_max=100, timeout_s=timeout_s, before_revoke=self.before_revoke)
        records = list(polled)
        self.received += records
        self.now_s += timeout_s
        return records

    def hold_back(self, record: Record) -> None:
        """Its partition waits at this record."""
        self.source.hold_back(record.delivery, record.position.offset)

    def let_go(self, record: Record) -> None:
        """Its partition goes on."""
        self.source.let_go(record.delivery)

    def poll_until(self, so: Callable[[], bool], *others: "Member") -> None:
        """Keep polling, and the others with it, until it is so."""
        deadline_s = time.monotonic() + DEADLINE_S
        while not so():
            assert time.monotonic() < deadline_s, f"not so after {DEADLINE_S} s; received {self.received}"
            for one in (self, *others):
                one.poll()

    def receive(self, count: int) -> list[bytes | None]:
        """Poll until this many have come in all; returns their values."""
        self.poll_until(lambda: len(self.received) >= count)
        return self.values

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.source.close()
