"""What only an administrator's questions tell of the topic: which one it is, and how long it keeps tombstones."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import timedelta
from typing import Any, Generic, TypeVar

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # two are documented there, and left out of its types
    AdminClient,
    ConfigResource,
    ResourceType,
)

from consumer.telemetry import Line, log

KEPT_BY_DEFAULT = timedelta(hours=24)
"""Kafka's default, where the topic does not tell."""
_LONGEST_MS = 10 * 365 * 86_400_000
_RETENTION = "delete.retention.ms"
_NO_ID = "A" * 22
"""What brokers say that have no ids yet: sixteen bytes of zero."""

Value = TypeVar("Value")


class Question(Generic[Value]):
    """Asked by `ask`, which returns at once; the answer comes, or fails, within `timeout_s`. For one thread.

    `read` makes of an answer what is wanted; until there is one, `assumed` is. Where none came in time, none is waited for
    any more, but taken where it comes.
    """

    def __init__(
        self,
        ask: Callable[[], "Future[Any]"],
        read: Callable[[Any], Value],
        assumed: Value,
        *,
        what: str,
        topic: str,
        timeout_s: float,
    ) -> None:
        """Nothing is asked yet."""
        self.value = assumed
        self._ask = ask
        self._read = read
        self._what = what
        self._topic = topic
        self._timeout_s = timeout_s
        self._open: Future[Any] | None = None
        self._problem = ""
        self._is_silent = False

    @property
    def is_unknown_topic(self) -> bool:
        """Whether the last answer was that there is no such topic."""
        return self._problem == "UNKNOWN_TOPIC_OR_PART"

    def ask(self) -> None:
        """Unless the last question is still open."""
        if self._open is None:
            self._open = self._ask()

    def ask_anew(self) -> None:
        """Whatever is open: what was asked before may be answered by what was so before."""
        self._open = self._ask()

    def look(self) -> None:
        """Take the answer where it has come; waits for nothing."""
        if self._open is not None and self._open.done():
            self._take(self._open)

    def wait(self) -> None:
        """Take the answer to the question that is open."""
        if self._open is not None and (self._open.done() or not self._is_silent):
            self._take(self._open)

    def _take(self, answer: "Future[Any]") -> None:
        self._open, before = None, self._problem
        try:
            self.value = self._read(answer.result(self._timeout_s))
        except KafkaException as problem:
            self._problem = problem.args[0].name()
        except TimeoutError:
            self._problem = "no_answer"
        except (KeyError, TypeError, ValueError):
            self._problem = "no_sense"
        else:
            self._problem = ""
        self._is_silent = self._problem in {"_TIMED_OUT", "no_answer"}
        if self._problem not in {"", before}:
            log(Line.TOPIC_UNTOLD, logging.WARNING, what=self._what, topic=self._topic, code=self._problem)


class Administrator:
    """Puts the questions, by a client of its own that is made with the first of them."""

    def __init__(self, settings: Mapping[str, Any], *, topic: str, timeout_s: float) -> None:
        """Connects to nothing yet."""
        self._settings = dict(settings)
        self._topic = topic
        self._timeout_s = timeout_s
        self._connected: AdminClient | None = None

    def retention(self) -> Question[timedelta]:
        """For how long a tombstone can be read after it was written, at the least."""
        return Question(
            self._ask_configuration,
            _kept,
            KEPT_BY_DEFAULT,
            what=_RETENTION,
            topic=self._topic,
            timeout_s=self._timeout_s,
        )

    def identity(self) -> Question[str | None]:
        """The id of the topic: one that was deleted and made again has another. None: not known."""
        return Question(self._ask_description, _id, None, what="topic id", topic=self._topic, timeout_s=self._timeout_s)

    def close(self) -> None:
        """Ask nothing more. Not left to the garbage collector: on a client's own thread it would end the process."""
        self._connected = None

    def _ask_configuration(self) -> "Future[Any]":
        resource = ConfigResource(ResourceType.TOPIC, self._topic)
        answer: Future[Any] = self._client().describe_configs([resource], request_timeout=self._timeout_s)[resource]
        return answer

    def _ask_description(self) -> "Future[Any]":
        topics = TopicCollection([self._topic])
        answer: Future[Any] = self._client().describe_topics(topics, request_timeout=self._timeout_s)[self._topic]
        return answer

    def _client(self) -> AdminClient:
        if self._connected is None:
            self._connected = AdminClient(dict(self._settings), logger=logging.getLogger("librdkafka"))
        return self._connected


def _kept(configuration: Mapping[str, Any]) -> timedelta:
    return timedelta(milliseconds=min(max(int(configuration[_RETENTION].value), 0), _LONGEST_MS))


def _id(description: Any) -> str | None:
    topic_id = str(description.topic_id)
    return None if topic_id == _NO_ID else topic_id
