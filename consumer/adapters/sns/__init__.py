"""AWS SNS: one text, one request, and what each of its errors means."""

from consumer.adapters.sns.clients import Credentials
from consumer.adapters.sns.faults import failure_of
from consumer.adapters.sns.provider import SnsProvider

__all__ = ["Credentials", "SnsProvider", "failure_of"]
