"""Where a partition that has stopped is read on."""

from confluent_kafka import Consumer, KafkaError, KafkaException

from consumer.adapters.kafka_source.incarnations import Incarnations
from consumer.adapters.kafka_source.partitions import Key, Partitions
from consumer.adapters.kafka_source.translation import unplaced
from consumer.telemetry import Line, alarm


def start_of(
    consumer: Consumer, key: Key, partitions: Partitions, incarnations: Incarnations, timeout_s: float
) -> int | None:
    """None, and an alarm, where that is not in the topic any more. Raises KafkaException; then it is asked again later."""
    [partition] = unplaced([key])
    offset = partitions.resume_at(key)
    if offset is None:
        [committed] = consumer.committed([partition], timeout_s)
        if committed.error is not None:
            raise KafkaException(committed.error)
        offset = committed.offset
    low, high = consumer.get_watermark_offsets(partition, timeout_s)
    if offset < 0:
        return low  # not OFFSET_BEGINNING: librdkafka's own look for it may outlive a rebalance, and begin again later
    if low <= offset <= high:
        return offset
    if key[0] not in incarnations.same([key[0]]):
        raise KafkaException(KafkaError(KafkaError._UNKNOWN_TOPIC))  # noqa: SLF001 - made again, or nobody says
    alarm(Line.OFFSET_OUT_OF_RANGE, topic=key[0], partition=key[1], offset=offset)
    return None
