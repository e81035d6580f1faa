"""Schemas that a registry gave, remembered; and for a while, that it has none."""

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

import msgspec

from consumer.errors import DeadLetterReason, Undecodable

SCHEMAS_MAX = 1000
SCHEMA_CHARACTERS_MAX = 262_144
"""A longer one is refused: it would take a hundred times as much once it is understood."""
CHARACTERS_MAX = 32 * SCHEMA_CHARACTERS_MAX
"""Of all schemas that are remembered."""
UNKNOWN_FOR_S = 30.0
_Value = TypeVar("_Value")


class Refusal(msgspec.Struct, frozen=True):
    """Why what the registry has is no schema to decode with."""

    detail: str


Asking = Callable[[str, Callable[[], str | Refusal]], str | Refusal]
"""How a question is asked: given its name, and what asks it and remembers the answer. The answer, or it raises."""


def at_once(_: str, ask: Callable[[], str | Refusal]) -> str | Refusal:
    """On the thread that wants to know, which waits."""
    return ask()


class Memory:
    """A schema never changes under its name, so it is asked for once; one that is unknown again after a while.

    Any number of threads may use it: at worst two of them ask the same.
    """

    def __init__(self, *, unknown_for_s: float, clock: Callable[[], float], asking: Asking) -> None:
        """Nothing is known yet."""
        self._unknown_for_s = unknown_for_s
        self._clock = clock
        self._asking = asking
        self._found: OrderedDict[str, str | Refusal] = OrderedDict()
        self._unknown_until_s: OrderedDict[str, float] = OrderedDict()

    def schema(self, name: str, ask: Callable[[], str | Refusal | None]) -> str:
        """The schema; `ask` is called where it is not remembered, and says None where the registry has none.

        Raises Undecodable, and what `ask` and `asking` raise.
        """
        found = self._known(name) or self._asking(name, lambda: self._known(name) or self._asked(name, ask))
        if isinstance(found, Refusal):
            raise Undecodable(DeadLetterReason.SCHEMA_REFUSED, found.detail, schema=name)
        return found

    def _known(self, name: str) -> str | Refusal | None:
        """None where it must be asked for; raises Undecodable where the registry had none a while ago."""
        found = self._found.get(name)
        if found is None and self._unknown_until_s.get(name, 0.0) > self._clock():
            raise unknown(name)
        return found

    def _asked(self, name: str, ask: Callable[[], str | Refusal | None]) -> str | Refusal:
        found = ask()
        if found is None:
            _remember(self._unknown_until_s, name, self._clock() + self._unknown_for_s)
            raise unknown(name)
        if _characters(found) > SCHEMA_CHARACTERS_MAX:
            found = Refusal(f"the registry's schema has more than {SCHEMA_CHARACTERS_MAX} characters")
        _remember(self._found, name, found)
        while sum(map(_characters, tuple(self._found.values()))) > CHARACTERS_MAX:
            self._found.popitem(last=False)
        return found


def unknown(name: str) -> Undecodable:
    """What a record is that names a schema which the registry does not have."""
    return Undecodable(DeadLetterReason.UNKNOWN_SCHEMA, "the registry has no schema under this id", schema=name)


def _characters(found: str | Refusal) -> int:
    return 0 if isinstance(found, Refusal) else len(found)


def _remember(memory: OrderedDict[str, _Value], name: str, value: _Value) -> None:
    """As the newest, also where it was remembered before: the oldest makes room."""
    memory.pop(name, None)
    memory[name] = value
    if len(memory) > SCHEMAS_MAX:
        memory.popitem(last=False)
