"""How long a group bears with a member of which it hears nothing."""

import contextlib
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import ConfigResource, ResourceType  # type: ignore[attr-defined]  # left out of its types

from consumer.adapters.kafka_source.asking import Asker

_CLASSIC_MS = {"session.timeout.ms": 45_000, "heartbeat.interval.ms": 3_000}
_KIP_848_MS = {"consumer.session.timeout.ms": 45_000, "consumer.heartbeat.interval.ms": 5_000}
"""Each with what is taken where nobody has set it, or where nobody says: librdkafka's defaults, and the brokers'."""
_ASK_S = 5.0
_FOR_NOW = frozenset({KafkaError._TIMED_OUT, KafkaError._TRANSPORT, KafkaError.COORDINATOR_LOAD_IN_PROGRESS})  # noqa: SLF001


class Session:
    """A setting of the member's own; with KIP-848 one of the group, which is asked for: it wants `DescribeConfigs` on it."""

    def __init__(self, settings: Mapping[str, str | int | float | bool], asker: Asker, group: str) -> None:
        self._asker = asker
        self._group = group
        self._times_ms = [int(settings.get(name, usual)) for name, usual in _CLASSIC_MS.items()]
        self._asked: Future[Any] | None = None
        self._renewals = asker.renewals
        self._open = settings.get("group.protocol") == "consumer"
        self._heartbeats = 2 if self._open else 1
        if self._open:
            self._times_ms = list(_KIP_848_MS.values())
            self._ask()

    @property
    def silence_s(self) -> float:
        """From a poll on, after which the session may have ended: the last heartbeat may lie an interval before the poll.

        With KIP-848 from a question on, and two intervals: one that was lost with its connection is missed by the next only.
        """
        if self._open:
            self._learn()
        session_ms, heartbeat_ms = self._times_ms
        return max(session_ms - self._heartbeats * heartbeat_ms, session_ms / 2) / 1000

    def _ask(self) -> None:
        """Of the group as it is: what is set for it, else what is set for all groups."""
        self._renewals, self._asked = self._asker.renewals, None
        if self._asker.client is not None:
            about = ConfigResource(ResourceType.GROUP, self._group)
            [self._asked] = self._asker.client.describe_configs([about], request_timeout=_ASK_S).values()

    def _learn(self) -> None:
        if self._renewals != self._asker.renewals:
            self._ask()
        if self._asked is None or not self._asked.done():
            return
        try:
            said = self._asked.result()
        except KafkaException as problem:
            self._open = problem.args[0].code() in _FOR_NOW
            if self._open:
                self._ask()
            return
        self._open = False
        with contextlib.suppress(KeyError, TypeError, ValueError):  # an older broker, which does not say
            self._times_ms = [int(said[name].value) for name in _KIP_848_MS]
