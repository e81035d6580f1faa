"""Avro: from a record's bytes to an event or to preferences, and the keeping of our own schemas."""

from consumer.adapters.avro.check import Problem, check
from consumer.adapters.avro.decoder import AvroDecoder
from consumer.adapters.avro.encoding import confluent, single_object
from consumer.adapters.avro.library import Library

__all__ = ["AvroDecoder", "Library", "Problem", "check", "confluent", "single_object"]
