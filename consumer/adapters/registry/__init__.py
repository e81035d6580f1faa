"""Schema registries, Confluent-compatible ones and AWS Glue's: asked for writers' schemas; the former are told ours."""

from consumer.adapters.registry.client import Registry
from consumer.adapters.registry.errands import Errands
from consumer.adapters.registry.glue import GlueSchemas
from consumer.adapters.registry.memory import Asking, at_once
from consumer.adapters.registry.registration import Registered, RegistrationRefused, register
from consumer.adapters.registry.tls import Tls

__all__ = [
    "Asking",
    "Errands",
    "GlueSchemas",
    "Registered",
    "RegistrationRefused",
    "Registry",
    "Tls",
    "at_once",
    "register",
]
