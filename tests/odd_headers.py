"""Records whose headers no Python producer would write: librdkafka takes any bytes for a name."""

import ctypes

import confluent_kafka

from tests.brokers import Kafka

_PRODUCER, _TIMEOUT_MS = 0, 30_000
_TOPIC, _VALUE, _MSGFLAGS, _HEADERS, _END, _COPY = 1, 4, 7, 10, 0, 2


def produce_with_header(kafka: Kafka, topic: str, name: bytes, *values: bytes) -> None:
    """Records with one header of this name; returns when they are there."""
    library = ctypes.CDLL(confluent_kafka.cimpl.__file__)
    for function in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_headers_new"):
        getattr(library, function).restype = ctypes.c_void_p
    problem = ctypes.create_string_buffer(512)
    settings = ctypes.c_void_p(library.rd_kafka_conf_new())
    library.rd_kafka_conf_set(settings, b"bootstrap.servers", kafka.bootstrap_servers.encode(), problem, len(problem))
    producer = ctypes.c_void_p(library.rd_kafka_new(_PRODUCER, settings, problem, ctypes.c_size_t(len(problem))))
    assert producer.value, problem.value
    for value in values:
        headers = ctypes.c_void_p(library.rd_kafka_headers_new(ctypes.c_size_t(1)))
        library.rd_kafka_header_add(headers, name, ctypes.c_ssize_t(len(name)), b"1", ctypes.c_ssize_t(1))
        parts = (
            _TOPIC,
            topic.encode(),
            _VALUE,
            value,
            ctypes.c_size_t(len(value)),
            _MSGFLAGS,
            _COPY,
            _HEADERS,
            headers,
        )
        assert library.rd_kafka_producev(producer, *parts, _END) == 0
    assert library.rd_kafka_flush(producer, _TIMEOUT_MS) == 0
    library.rd_kafka_destroy(producer)
