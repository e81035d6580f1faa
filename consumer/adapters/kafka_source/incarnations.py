"""Whether a topic is still the one that was read: deleted and made again it has the same name, and other records."""

import contextlib
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection

from consumer.adapters.kafka_source.asking import Asker

_CONFIRM_S = 0.5
_ASK_S = 5.0
_LATE_S = 0.5
_SILENCE_S = 10.0
_NO_ID = "AAAAAAAAAAAAAAAAAAAAAA"
"""What a broker without topic ids answers."""
_ABSENT = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.UNKNOWN_TOPIC_ID})


class Incarnations:
    """Kafka's own id of each topic that is held, learnt when it is assigned and asked for again before each commit.

    Its offsets begin anew with a new id: what was read before must not be committed into it, else as many of its records
    would be skipped. While nobody answers, and where brokers know no ids, a topic counts as the same.
    """

    def __init__(self, asker: Asker, clock: Callable[[], float]) -> None:
        """`clock`: monotonic seconds."""
        self._asker = asker
        self._clock = clock
        self._renewals = asker.renewals
        self._asked: dict[str, Future[Any]] = {}
        self._known: dict[str, str] = {}
        self._recreated: set[str] = set()
        self._silent_until_s = -math.inf

    def holds(self, topics: Iterable[str]) -> None:
        """These are read now, and no others; who is new is asked for its id, and not waited for."""
        self._forget_what_is_never_answered()
        held = frozenset(topics)
        for topic in (self._known.keys() | self._asked.keys()) - held:
            self._known.pop(topic, None)
            self._asked.pop(topic, None)
        new = held - self._known.keys() - self._asked.keys()
        if new:
            self._asked |= self._ask(new, _ASK_S)

    def same(self, topics: Iterable[str]) -> Collection[str]:
        """Without those that were made again, or are not there at all; waits for a moment."""
        self._forget_what_is_never_answered()
        self._learn()
        wanted = frozenset(topics)
        self._ask_again(wanted)
        doubtful = wanted & self._known.keys()
        if not doubtful or self._clock() < self._silent_until_s:
            return wanted
        try:
            found = {topic: _id(answer) for topic, answer in self._ask(doubtful, _CONFIRM_S).items()}
        except _Unanswered:
            self._silent_until_s = self._clock() + _SILENCE_S
            self._asker.renew()
            return wanted
        others = {topic for topic, topic_id in found.items() if topic_id != self._known[topic]}
        self._recreated |= {topic for topic in others if found[topic] is not None}
        return wanted - others

    def take_recreated(self) -> Collection[str]:
        """Topics that were found to be others than before, each once; from now on the new ones count."""
        found, self._recreated = self._recreated, set()
        for topic in found:
            self._known.pop(topic, None)
        return found

    def _ask_again(self, wanted: frozenset[str]) -> None:
        """For those whose question came to nothing: else they would count as the same for as long as they are held."""
        nameless = wanted - self._known.keys() - self._asked.keys()
        if nameless and self._clock() >= self._silent_until_s:
            self._asked |= self._ask(nameless, _ASK_S)

    def _learn(self) -> None:
        for topic, answer in tuple(self._asked.items()):
            if answer.done():
                del self._asked[topic]
                with contextlib.suppress(_Unanswered):
                    found = _id(answer)
                    if found is not None:
                        self._known[topic] = found

    def _ask(self, topics: Collection[str], timeout_s: float) -> Mapping[str, Future[Any]]:
        if self._asker.client is None:
            return {}
        return self._asker.client.describe_topics(TopicCollection(list(topics)), request_timeout=timeout_s)

    def _forget_what_is_never_answered(self) -> None:
        """The old client's questions."""
        if self._renewals != self._asker.renewals:
            self._renewals = self._asker.renewals
            self._asked.clear()


class _Unanswered(Exception):
    """Nobody says which topic it is."""


def _id(answer: Future[Any]) -> str | None:
    """None where there is no such topic. As text: two equal ids of confluent-kafka do not compare equal."""
    try:
        found = str(answer.result(_CONFIRM_S + _LATE_S).topic_id)
    except KafkaException as problem:
        if problem.args[0].code() in _ABSENT:
            return None
        raise _Unanswered from None
    except TimeoutError:
        raise _Unanswered from None
    if found == _NO_ID:
        raise _Unanswered
    return found
