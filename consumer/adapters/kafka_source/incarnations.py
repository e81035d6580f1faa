"""Whether a topic is still the one that was read: deleted and made again it has the same name, and other records."""

import logging
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import Future
from typing import Any

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

_GROUP_ONLY = ("group.protocol", "group.instance.id", "group.remote.assignor", "partition.assignment.strategy")
_CONFIRM_S = 0.5
_ASK_S = 5.0
_LATE_S = 0.5
_NO_ID = "AAAAAAAAAAAAAAAAAAAAAA"
"""What a broker without topic ids answers."""


class Incarnations:
    """Kafka's own id of each topic that is held, learnt when it is assigned and asked for again before each commit.

    Its offsets begin anew with a new id: what was read before must not be committed into it, else as many of its records
    would be skipped. Brokers that know no ids leave a topic unknown, and an unknown topic counts as the same.
    """

    def __init__(self, settings: Mapping[str, str | int | float | bool]) -> None:
        """`settings`: the member's own; connects with the first question."""
        kept = {name: value for name, value in settings.items() if name not in _GROUP_ONLY}
        self._admin: AdminClient | None = AdminClient({"log_level": 2, **kept}, logger=logging.getLogger("librdkafka"))
        self._asked: dict[str, Future[Any]] = {}
        self._known: dict[str, str] = {}
        self._recreated: set[str] = set()

    def holds(self, topics: Iterable[str]) -> None:
        """These are read now, and no others; who is new is asked for its id, and not waited for."""
        held = frozenset(topics)
        for topic in (self._known.keys() | self._asked.keys()) - held:
            self._known.pop(topic, None)
            self._asked.pop(topic, None)
        new = held - self._known.keys() - self._asked.keys()
        if new:
            self._asked |= self._ask(new, _ASK_S)

    def same(self, topics: Iterable[str]) -> Collection[str]:
        """Those of them that have not been made again; waits for a moment. What is not answered is not among them."""
        self._learn()
        wanted = frozenset(topics)
        doubtful = wanted & self._known.keys()
        same = set(wanted - doubtful)
        if doubtful:
            for topic, answer in self._ask(doubtful, _CONFIRM_S).items():
                found = _id(answer)
                if found == self._known[topic]:
                    same.add(topic)
                elif found is not None:
                    self._recreated.add(topic)
        return same

    def take_recreated(self) -> Collection[str]:
        """Topics that were found to be others than before, each once; from now on the new ones count."""
        found, self._recreated = self._recreated, set()
        for topic in found:
            self._known.pop(topic, None)
        return found

    def close(self) -> None:
        """Ask nothing more. Not left to the garbage collector: on the client's own thread it would end the process."""
        self._admin = None

    def _learn(self) -> None:
        for topic, answer in tuple(self._asked.items()):
            if answer.done():
                found = _id(self._asked.pop(topic))
                if found is not None:
                    self._known[topic] = found

    def _ask(self, topics: Collection[str], timeout_s: float) -> Mapping[str, Future[Any]]:
        if self._admin is None:
            return {}
        return self._admin.describe_topics(TopicCollection(list(topics)), request_timeout=timeout_s)


def _id(answer: Future[Any]) -> str | None:
    """None where the topic is not there, or nobody says. As text: two equal ids of confluent-kafka do not compare equal."""
    try:
        found = str(answer.result(_CONFIRM_S + _LATE_S).topic_id)
    except (KafkaException, TimeoutError):
        return None
    return None if found == _NO_ID else found
