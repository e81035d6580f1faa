"""How long the preferences topic keeps a tombstone: who was away longer may have missed one."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import timedelta
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # two are documented there, and left out of its types
    AdminClient,
    ConfigResource,
    ResourceType,
)

from consumer.telemetry import Line, log

ASSUMED = timedelta(hours=24)
"""Kafka's default, where the topic does not tell."""
_LONGEST_MS = 10 * 365 * 86_400_000
_NAME = "delete.retention.ms"

Answer = Future[Mapping[str, Any]]
"""The topic's configuration by name; each entry has a `value`."""


class Retention:
    """Asks by `ask`, which returns at once; its answer comes, or fails, within `timeout_s`. For one thread."""

    def __init__(self, ask: Callable[[], Answer], *, topic: str, timeout_s: float) -> None:
        """Nothing is asked yet."""
        self._ask = ask
        self._topic = topic
        self._timeout_s = timeout_s
        self._kept = ASSUMED
        self._open: Answer | None = None
        self._problem = ""

    def look(self) -> timedelta:
        """What is known by now, or assumed. Asks, or takes the answer where it has come; waits for nothing."""
        if self._open is None:
            self._open = self._ask()
        elif self._open.done():
            self._take(self._open)
        return self._kept

    def kept(self) -> timedelta:
        """What the topic says now. Waits for the answer, but not where one had to be done without before."""
        if self._open is None:
            self._open = self._ask()
        if self._open.done() or not self._problem:
            self._take(self._open)
        return self._kept

    def _take(self, answer: Answer) -> None:
        self._open, before = None, self._problem
        try:
            kept_ms = int(answer.result(self._timeout_s)[_NAME].value)
        except KafkaException as problem:
            self._problem = problem.args[0].name()
        except TimeoutError:
            self._problem = "no_answer"
        except (KeyError, TypeError, ValueError):
            self._problem = "no_number"
        else:
            self._problem = ""
            self._kept = timedelta(milliseconds=min(max(kept_ms, 0), _LONGEST_MS))
        if self._problem not in {"", before}:
            kept_s = int(self._kept.total_seconds())
            log(Line.PREFERENCES_RETENTION, logging.WARNING, topic=self._topic, code=self._problem, kept_s=kept_s)


def asking(settings: Mapping[str, Any], topic: str, timeout_s: float) -> Callable[[], Answer]:
    """Asks Kafka, by a client of its own that is made with the first question."""
    clients: list[AdminClient] = []
    resource = ConfigResource(ResourceType.TOPIC, topic)

    def ask() -> Answer:
        if not clients:
            clients.append(AdminClient(dict(settings), logger=logging.getLogger("librdkafka")))
        answer: Answer = clients[0].describe_configs([resource], request_timeout=timeout_s)[resource]
        return answer

    return ask
