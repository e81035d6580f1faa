"""Writers' schemas by their id, remembered: a schema never changes under its id."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Self, TypeVar

import msgspec

from consumer.adapters.registry.exchange import ATTEMPTS_MAX, TOTAL_S, Answer, Exchange
from consumer.ports import DeadLetterReason, Unavailable, Undecodable

_Remembered = TypeVar("_Remembered")
SCHEMAS_MAX = 1000
UNKNOWN_FOR_S = 30.0
_ID_MAX = 2**31 - 1
_NOT_FOUND = frozenset({40401, 40402, 40403})
"""Confluent's codes for a subject, a version or a schema that is not there; a wrong path has another, or none."""


class _Refusal(msgspec.Struct, frozen=True):
    detail: str


class Registry:
    """Asks once for each schema; an id that the registry does not know is asked for again after a while.

    Any number of threads may use it; a question blocks the thread that asks, as long as Exchange allows.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        attempts_max: int = ATTEMPTS_MAX,
        total_s: float = TOTAL_S,
        unknown_for_s: float = UNKNOWN_FOR_S,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is asked yet. `url`: up to and with the base path; a user with a password, or a token, or neither."""
        self._exchange = Exchange(
            url,
            timeout_s=timeout_s,
            username=username,
            password=password,
            token=token,
            attempts_max=attempts_max,
            total_s=total_s,
            sleep=sleep,
            clock=clock,
        )
        self._unknown_for_s = unknown_for_s
        self._clock = clock
        self._found: OrderedDict[int, str | _Refusal] = OrderedDict()
        self._unknown_until_s: OrderedDict[int, float] = OrderedDict()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let the connections go."""
        self._exchange.close()

    def by_id(self, schema_id: int) -> str:
        """The Avro schema in JSON; as `ports.WriterSchemas` promises."""
        found = self._found.get(schema_id)
        if found is None:
            found = self._ask(schema_id)
        if isinstance(found, _Refusal):
            raise Undecodable(DeadLetterReason.SCHEMA_REFUSED, found.detail, schema=str(schema_id))
        return found

    def register(self, subject: str, schema: str) -> Answer:
        """Add the schema (JSON) as the subject's newest version; the answer tells its id, also if it was there before."""
        return self._exchange.post(f"subjects/{subject}/versions", {"schema": schema})

    def _ask(self, schema_id: int) -> str | _Refusal:
        """What the registry has under the id, remembered. An id that no registry gives is not asked for."""
        if schema_id > _ID_MAX or self._unknown_until_s.get(schema_id, 0.0) > self._clock():
            raise _unknown(schema_id)
        answer = self._exchange.get(f"schemas/ids/{schema_id}")
        if answer.ok:
            found = _schema(answer)
            _remember(self._found, schema_id, found)
            return found
        if answer.document.get("error_code") not in _NOT_FOUND:
            raise Unavailable("registry", "not_a_registry")
        _remember(self._unknown_until_s, schema_id, self._clock() + self._unknown_for_s)
        raise _unknown(schema_id)


def _schema(answer: Answer) -> str | _Refusal:
    schema, references = answer.document.get("schema"), answer.document.get("references")
    if not isinstance(schema, str):
        raise Unavailable("registry", "not_a_registry")
    if answer.document.get("schemaType", "AVRO") != "AVRO":
        return _Refusal("the registry's schema is not Avro")
    if references:
        return _Refusal("the registry's schema refers to others; register it with all its types written out")
    return schema


def _unknown(schema_id: int) -> Undecodable:
    return Undecodable(
        DeadLetterReason.UNKNOWN_SCHEMA, "the registry has no schema under this id", schema=str(schema_id)
    )


def _remember(memory: OrderedDict[int, _Remembered], schema_id: int, value: _Remembered) -> None:
    memory[schema_id] = value
    if len(memory) > SCHEMAS_MAX:
        memory.popitem(last=False)
