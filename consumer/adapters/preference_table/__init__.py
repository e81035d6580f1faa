"""The customers' preferences: a Kafka topic, kept as a local table."""

from consumer.adapters.preference_table.boot import this_boot
from consumer.adapters.preference_table.pace import Pace
from consumer.adapters.preference_table.table import PreferenceTable

__all__ = ["Pace", "PreferenceTable", "this_boot"]
