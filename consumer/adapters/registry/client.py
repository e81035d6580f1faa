"""Writers' schemas by their id or GUID, remembered: a schema never changes under either."""

import time
from collections.abc import Callable
from typing import Self
from uuid import UUID

from consumer.adapters.registry.exchange import ATTEMPTS_MAX, TOTAL_S, Answer, Exchange
from consumer.adapters.registry.memory import UNKNOWN_FOR_S, Asking, Memory, Refusal, at_once, unknown
from consumer.adapters.registry.tls import Tls
from consumer.errors import Unavailable

_ID_MAX = 2**31 - 1
_NOT_FOUND = frozenset({40401, 40402, 40403})
"""Confluent's codes for a subject, a version or a schema that is not there; a wrong path has another, or none."""
_HTTP_NOT_FOUND = 404


class Registry:
    """Asks once for each schema; an id that the registry does not know is asked for again after a while.

    Any number of threads may use it; asked `at_once`, a question blocks the thread that asks, as long as Exchange allows.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        tls: Tls | None = None,
        attempts_max: int = ATTEMPTS_MAX,
        total_s: float = TOTAL_S,
        unknown_for_s: float = UNKNOWN_FOR_S,
        asking: Asking = at_once,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is asked yet. `url`: up to and with the base path; a user with a password, or a token, or neither.

        `tls` for what is not usual there; raises Broken where its files are unusable.
        """
        self._exchange = Exchange(
            url,
            timeout_s=timeout_s,
            username=username,
            password=password,
            token=token,
            tls=tls,
            attempts_max=attempts_max,
            total_s=total_s,
            sleep=sleep,
            clock=clock,
        )
        self._memory = Memory(unknown_for_s=unknown_for_s, clock=clock, asking=asking)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let the connections go."""
        self._exchange.close()

    def by_id(self, schema_id: int) -> str:
        """The Avro schema in JSON; as `ports.WriterSchemas` promises."""
        name = str(schema_id)
        if schema_id > _ID_MAX:
            raise unknown(name)
        return self._memory.schema(name, lambda: self._under(f"schemas/ids/{name}"))

    def by_guid(self, guid: UUID) -> str:
        """The same by GUID. A registry that knows no GUIDs at all has none under this one: no outage, it would never end."""
        name = str(guid)
        return self._memory.schema(name, lambda: self._under(f"schemas/guids/{name}"))

    def register(self, subject: str, schema: str) -> Answer:
        """Add the schema (JSON) as the subject's newest version; the answer tells its id, also if it was there before."""
        return self._exchange.post(f"subjects/{subject}/versions", {"schema": schema})

    def _under(self, path: str) -> str | Refusal | None:
        answer = self._exchange.get(path)
        if answer.ok:
            return _schema(answer)
        if not (_says_unknown(answer) or self._has_no(path, answer)):
            raise Unavailable("registry", "not_a_registry")
        return None

    def _has_no(self, path: str, answer: Answer) -> bool:
        """Whether it is a registry that knows no such path: then it does know what stands under ids."""
        if answer.status != _HTTP_NOT_FOUND or not path.startswith("schemas/guids/"):
            return False
        proof = self._exchange.get(f"schemas/ids/{_ID_MAX}")
        return proof.ok or _says_unknown(proof)


def _says_unknown(answer: Answer) -> bool:
    code = answer.document.get("error_code")
    return isinstance(code, int) and code in _NOT_FOUND


def _schema(answer: Answer) -> str | Refusal:
    schema, references = answer.document.get("schema"), answer.document.get("references")
    if not isinstance(schema, str):
        raise Unavailable("registry", "not_a_registry")
    if (answer.document.get("schemaType") or "AVRO") != "AVRO":
        return Refusal("the registry's schema is not Avro")
    if references:
        return Refusal("the registry's schema refers to others; register it with all its types written out")
    return schema
