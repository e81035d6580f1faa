"""One member of the consumer group."""

from consumer.adapters.kafka_source.source import KafkaSource, SourceLimits

__all__ = ["KafkaSource", "SourceLimits"]
