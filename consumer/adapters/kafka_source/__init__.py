"""One member of the consumer group."""

from consumer.adapters.kafka_source.limits import SourceLimits
from consumer.adapters.kafka_source.source import KafkaSource

__all__ = ["KafkaSource", "SourceLimits"]
