"""A Kafka cluster inside this process: librdkafka's own mock brokers, over real TCP."""

import ctypes
import enum
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import confluent_kafka.cimpl

_PRODUCER = 0
_ERROR_BYTES = 512
_SILENT = b"0"


class Api(enum.IntEnum):
    """Kafka's numbers of the requests that a test may have refused."""

    PRODUCE = 0
    FETCH = 1
    LIST_OFFSETS = 2
    METADATA = 3
    OFFSET_COMMIT = 8
    OFFSET_FETCH = 9
    FIND_COORDINATOR = 10
    JOIN_GROUP = 11
    HEARTBEAT = 12
    CONSUMER_GROUP_HEARTBEAT = 68


class EmbeddedKafka:
    """Brokers that speak Kafka's protocol to any client on this machine, up in milliseconds and gone with the process.

    Enough for topics, groups, commits and idempotent producers. It keeps 5 MiB of each partition and compacts nothing; it
    has no administration: topics are made by `create_topic`. Brokers are numbered from 1. Close it after its last client.
    """

    def __init__(self, brokers: int = 1) -> None:
        """Start `brokers` brokers; raises RuntimeError where the installed librdkafka has no mock cluster."""
        self._library = _librdkafka()
        self._handle = _silent_handle(self._library)
        self._cluster = self._library.rd_kafka_mock_cluster_new(self._handle, brokers)
        if not self._cluster:
            self._library.rd_kafka_destroy(self._handle)
            raise RuntimeError("librdkafka could not start its mock cluster")
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, 0)
        self.bootstrap_servers: str = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()

    def create_topic(self, name: str, partitions: int = 1, config: Mapping[str, str] | None = None) -> None:
        """A topic that nobody has used yet. `config` is taken for the sake of real brokers; this one has no retention."""
        del config
        code = self._library.rd_kafka_mock_topic_create(self._cluster, name.encode(), partitions, 1)
        if code:
            raise RuntimeError(f"the mock cluster refused the topic {name} (code {code})")

    def refuse(self, api: Api, *codes: int) -> None:
        """Answer the next requests of this kind with these error codes, one request each; 0 lets one pass."""
        array = (ctypes.c_int * len(codes))(*codes)
        self._library.rd_kafka_mock_push_request_errors_array(self._cluster, int(api), len(codes), array)

    def stop_refusing(self, api: Api) -> None:
        """Forget what `refuse` has left of this kind."""
        self._library.rd_kafka_mock_clear_request_errors(self._cluster, int(api))

    def broker_down(self, broker: int = 1) -> None:
        """Cut the broker's connections and take no new ones; what it holds is kept."""
        self._library.rd_kafka_mock_broker_set_down(self._cluster, broker)

    def broker_up(self, broker: int = 1) -> None:
        """Take connections again."""
        self._library.rd_kafka_mock_broker_set_up(self._cluster, broker)

    def slow_down(self, milliseconds: int, broker: int = 1) -> None:
        """Answer every request so much later; 0 ends it."""
        self._library.rd_kafka_mock_broker_set_rtt(self._cluster, broker, milliseconds)

    def hear_members_every(self, milliseconds: int) -> None:
        """Of groups that rebalance by KIP-848; the others' members have a setting for it."""
        self._library.rd_kafka_mock_set_group_consumer_heartbeat_interval_ms(self._cluster, milliseconds)

    def lead(self, topic: str, partition: int, broker: int) -> None:
        """Let this broker lead the partition; -1: nobody leads it, and it can be neither read nor written."""
        code = self._library.rd_kafka_mock_partition_set_leader(self._cluster, topic.encode(), partition, broker)
        if code:
            raise RuntimeError(f"the mock cluster kept the leader of {topic}[{partition}] (code {code})")

    def delete_records(self, topic: str, partition: int, before_offset: int) -> None:
        """Forget the records before this offset, as retention does."""
        code = self._library.rd_kafka_mock_partition_delete_records(
            self._cluster, topic.encode(), partition, before_offset
        )
        if code:
            raise RuntimeError(f"the mock cluster kept the records of {topic}[{partition}] (code {code})")

    def close(self) -> None:
        """End all brokers; a second call does nothing."""
        if self._cluster:
            self._library.rd_kafka_mock_cluster_destroy(self._cluster)
            self._library.rd_kafka_destroy(self._handle)
            self._cluster = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _silent_handle(library: ctypes.CDLL) -> int:
    """A client that only owns the brokers. It has nobody to connect to, and would say so on stderr."""
    config = library.rd_kafka_conf_new()
    complaint = ctypes.create_string_buffer(_ERROR_BYTES)
    library.rd_kafka_conf_set(config, b"log_level", _SILENT, complaint, _ERROR_BYTES)
    handle: int | None = library.rd_kafka_new(_PRODUCER, config, complaint, _ERROR_BYTES)
    if not handle:
        raise RuntimeError("librdkafka could not start a client for its mock cluster")
    return handle


def _librdkafka() -> ctypes.CDLL:
    """The very library that confluent_kafka runs on: what its extension module is linked to, wherever a wheel keeps it."""
    library = ctypes.CDLL(confluent_kafka.cimpl.__file__)
    if not hasattr(library, "rd_kafka_mock_cluster_new"):
        raise RuntimeError("this build of confluent-kafka has no embedded brokers")
    pointer, text, number, long = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_int64
    for name, result, arguments in (
        ("rd_kafka_conf_new", pointer, ()),
        ("rd_kafka_conf_set", number, (pointer, text, text, text, ctypes.c_size_t)),
        ("rd_kafka_new", pointer, (number, pointer, text, ctypes.c_size_t)),
        ("rd_kafka_destroy", None, (pointer,)),
        ("rd_kafka_mock_cluster_new", pointer, (pointer, number)),
        ("rd_kafka_mock_cluster_destroy", None, (pointer,)),
        ("rd_kafka_mock_cluster_bootstraps", text, (pointer,)),
        ("rd_kafka_mock_group_initial_rebalance_delay_ms", None, (pointer, ctypes.c_int32)),
        ("rd_kafka_mock_set_group_consumer_heartbeat_interval_ms", None, (pointer, number)),
        ("rd_kafka_mock_topic_create", number, (pointer, text, number, number)),
        ("rd_kafka_mock_push_request_errors_array", None, (pointer, ctypes.c_int16, ctypes.c_size_t, pointer)),
        ("rd_kafka_mock_clear_request_errors", None, (pointer, ctypes.c_int16)),
        ("rd_kafka_mock_broker_set_down", number, (pointer, ctypes.c_int32)),
        ("rd_kafka_mock_broker_set_up", number, (pointer, ctypes.c_int32)),
        ("rd_kafka_mock_broker_set_rtt", number, (pointer, ctypes.c_int32, number)),
        ("rd_kafka_mock_partition_set_leader", number, (pointer, text, ctypes.c_int32, ctypes.c_int32)),
        ("rd_kafka_mock_partition_delete_records", number, (pointer, text, ctypes.c_int32, long)),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
