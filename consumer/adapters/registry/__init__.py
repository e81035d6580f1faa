"""A Confluent-compatible schema registry: asked for writers' schemas, and told ours."""

from consumer.adapters.registry.client import Registry
from consumer.adapters.registry.registration import Registered, RegistrationRefused, register

__all__ = ["Registered", "RegistrationRefused", "Registry", "register"]
