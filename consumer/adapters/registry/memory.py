"""Schemas that a registry gave, remembered; and for a while, that it has none."""

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

import msgspec

from consumer.errors import DeadLetterReason, Undecodable

SCHEMAS_MAX = 1000
UNKNOWN_FOR_S = 30.0
_Value = TypeVar("_Value")


class Refusal(msgspec.Struct, frozen=True):
    """Why what the registry has is no schema to decode with."""

    detail: str


class Memory:
    """A schema never changes under its name, so it is asked for once; one that is unknown again after a while.

    Any number of threads may use it: at worst two of them ask the same.
    """

    def __init__(self, *, unknown_for_s: float, clock: Callable[[], float]) -> None:
        """Nothing is known yet."""
        self._unknown_for_s = unknown_for_s
        self._clock = clock
        self._found: OrderedDict[str, str | Refusal] = OrderedDict()
        self._unknown_until_s: OrderedDict[str, float] = OrderedDict()

    def schema(self, name: str, ask: Callable[[], str | Refusal | None]) -> str:
        """The schema; `ask` is called where it is not remembered, and says None where the registry has none.

        Raises Undecodable, and what `ask` raises.
        """
        found = self._found.get(name) or self._asked(name, ask)
        if isinstance(found, Refusal):
            raise Undecodable(DeadLetterReason.SCHEMA_REFUSED, found.detail, schema=name)
        return found

    def _asked(self, name: str, ask: Callable[[], str | Refusal | None]) -> str | Refusal:
        if self._unknown_until_s.get(name, 0.0) > self._clock():
            raise unknown(name)
        found = ask()
        if found is None:
            _remember(self._unknown_until_s, name, self._clock() + self._unknown_for_s)
            raise unknown(name)
        _remember(self._found, name, found)
        return found


def unknown(name: str) -> Undecodable:
    """What a record is that names a schema which the registry does not have."""
    return Undecodable(DeadLetterReason.UNKNOWN_SCHEMA, "the registry has no schema under this id", schema=name)


def _remember(memory: OrderedDict[str, _Value], name: str, value: _Value) -> None:
    memory[name] = value
    if len(memory) > SCHEMAS_MAX:
        memory.popitem(last=False)
