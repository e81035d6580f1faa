"""Leaving the group: with everything committed where Kafka answers, and soon where it does not."""

import contextlib
import logging
import threading

from confluent_kafka import Consumer, KafkaException

from consumer.adapters.kafka_source.commits import Commits
from consumer.adapters.kafka_source.partitions import Partitions
from consumer.adapters.kafka_source.translation import unplaced
from consumer.telemetry import Line, log

_POLL_S = 0.1
_POLLS_MAX = 15
_CLOSE_S = 1.0


def leave(consumer: Consumer, partitions: Partitions, commits: Commits, *, keeps_its_name: bool) -> None:
    """Commit what is processed, give everything back, close. Nobody uses the consumer afterwards.

    Takes 4 s at most: what Kafka has not taken by then is delivered again, and others wait until our session ends.
    `keeps_its_name`: the member's id stays when it has left, as with KIP-848.
    """
    with contextlib.suppress(KafkaException):
        consumer.pause(unplaced(partitions.keys))  # else what was fetched ahead would come instead of answers
        if _committed(consumer, partitions, commits):
            _give_back(consumer, partitions, keeps_its_name=keeps_its_name)
    closing = threading.Thread(target=_close, args=(consumer,), name="kafka-close", daemon=True)
    closing.start()
    closing.join(_CLOSE_S)


def _committed(consumer: Consumer, partitions: Partitions, commits: Commits) -> bool:
    """Whether Kafka has confirmed all of it. A synchronous commit would wait for one that is away until our session ends."""
    for _ in range(_POLLS_MAX):
        commits.last(consumer)
        if not partitions.unconfirmed(partitions.keys):
            return True
        consumer.poll(_POLL_S)
    log(Line.COMMIT_REFUSED, logging.WARNING, code="no_answer")
    return False


def _give_back(consumer: Consumer, partitions: Partitions, *, keeps_its_name: bool) -> None:
    """Wait until the coordinator is told, before librdkafka is told to close.

    A revocation that it makes while it closes may come when its group is gone already: what the callback then asks is
    never answered, and the call never returns. Or it closes without leaving, and others wait for our session to end.
    """
    consumer.unsubscribe()
    consumer.poll(0)
    for _ in range(_POLLS_MAX):
        if not partitions.keys and (keeps_its_name or not consumer.memberid()):
            return
        consumer.poll(_POLL_S)


def _close(consumer: Consumer) -> None:
    """Waits for a commit that is under way, however long: on a thread that the process need not wait for."""
    with contextlib.suppress(KafkaException):
        consumer.close()
