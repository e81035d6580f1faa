"""Avviso with a Kafka client that ends itself for good once records of a first batch are recorded."""

import ctypes
from collections.abc import Mapping

import confluent_kafka.cimpl
from confluent_kafka import Consumer, KafkaError

from consumer import app
from consumer.__main__ import main
from consumer.adapters.kafka_source import KafkaSource
from consumer.core.record import Delivery


class Breaking(KafkaSource):
    """As soon as something is processed. librdkafka was seen never to return from closing such a client."""

    def processed(self, ends: Mapping[Delivery, int]) -> None:
        super().processed(ends)
        break_for_good(self._consumer)


def break_for_good(consumer: Consumer) -> None:
    """By librdkafka's own means for tests; confluent_kafka keeps its client right behind what every Python object has."""
    library = ctypes.CDLL(confluent_kafka.cimpl.__file__)
    library.rd_kafka_test_fatal_error.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p)
    client = ctypes.c_void_p.from_address(id(consumer) + object.__basicsize__)
    assert library.rd_kafka_test_fatal_error(client, KafkaError._FATAL, b"as told") == 0


if __name__ == "__main__":
    vars(app)["KafkaSource"] = Breaking
    main()
