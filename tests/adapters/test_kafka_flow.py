"""What a seek that is refused means."""

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from consumer.adapters.kafka_source.flow import sought
from consumer.errors import Broken

PLACE = TopicPartition("events", 0, 7)


class Refusing(Consumer):
    """A client that seeks nowhere."""

    def __init__(self, code: int) -> None:
        super().__init__({"group.id": "group"})
        self._error = KafkaError(code)

    def seek(self, partition: TopicPartition) -> None:
        raise KafkaException(self._error)


@pytest.mark.parametrize("code", [KafkaError._STATE, KafkaError._PREV_IN_PROGRESS])
def test_what_has_stopped_or_is_stopping_cannot_be_sought(code: int) -> None:
    assert not sought(Refusing(code), PLACE)


def test_any_other_refusal_ends_the_process() -> None:
    with pytest.raises(Broken, match="_UNKNOWN_PARTITION"):
        sought(Refusing(KafkaError._UNKNOWN_PARTITION), PLACE)
