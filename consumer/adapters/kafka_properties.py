"""What librdkafka thinks of its properties, found without a broker and told without their values."""

import logging
import re
from collections.abc import Mapping

from confluent_kafka import Consumer, KafkaException, Producer

TOGETHER = ""
"""Stands for all properties where librdkafka refuses how they go together."""

_PROPERTY = re.compile(r"[a-z0-9]+(?:\.[a-z0-9]+)+")
_STRATEGY = "partition.assignment.strategy"
_MIXED = (
    "names cooperative-sticky beside others: a member works either with it or with range and roundrobin, and a group moves "
    "from one to the other only by a stop of all its members"
)
_NOT_CONNECTING = frozenset({"bootstrap.servers"})
_SILENT = logging.Logger("librdkafka")  # noqa: LOG001 - what is said in a trial may hold values: nobody is to hear it
_SILENT.addHandler(logging.NullHandler())


def refusals(properties: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with each property, or with `TOGETHER`; empty if clients can be made of them. Connects to nothing."""
    offline = {name: value for name, value in properties.items() if name not in _NOT_CONNECTING}
    found = {name: why for name, value in offline.items() if (why := _alone(name, value))}
    if found:
        return found
    if _mixed(offline.get(_STRATEGY, "")):
        return {_STRATEGY: _MIXED}
    said = _said_by(Consumer, {**offline, "group.id": "trial"}) or _said_by(Producer, offline)
    return {TOGETHER: _together(said, offline)} if said else {}


def _alone(name: str, value: str) -> str | None:
    said = _said_by(Producer, {name: value})
    if said is None or said.startswith("Failed to create"):  # that is for all of them to say, when they are together
        return None
    if not _exists(name):
        return "librdkafka has no such property"
    return "librdkafka refuses the value"


def _mixed(strategies: str) -> bool:
    named = {name.strip() for name in strategies.split(",")}
    return "cooperative-sticky" in named and len(named) > 1


def _exists(name: str) -> bool:
    return "No such configuration property" not in (_said_by(Producer, {name: ""}) or "")


def _said_by(kind: type[Consumer] | type[Producer], config: Mapping[str, str]) -> str | None:
    """Make a client and let it go. librdkafka's own words may repeat a value: only names are taken out of them."""
    try:
        client = kind(dict(config), logger=_SILENT)
    except KafkaException as refused:
        return str(refused.args[0].str())
    except (TypeError, ValueError, AttributeError):
        return "not a string property"
    if isinstance(client, Consumer):
        client.close()
    return None


def _together(said: str, properties: Mapping[str, str]) -> str:
    values = set(properties.values())
    named = sorted({word for word in _PROPERTY.findall(said) if word not in values and _exists(word)})
    if named:
        return f"librdkafka refuses how the properties go together; look at {', '.join(named)}"
    subject = "SASL " if "sasl" in said.lower() else "TLS " if "ssl" in said.lower() else ""
    return f"librdkafka refuses how the {subject}properties go together"
