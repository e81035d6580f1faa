"""Telling a registry our schemas, one subject per topic."""

from collections.abc import Mapping, Sequence

import msgspec

from consumer.adapters.registry.client import Registry
from consumer.errors import Unavailable

_HTTP_CONFLICT = 409


class RegistrationRefused(Exception):
    """The registry does not take a schema. `str()` says which, and what to look at."""


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """One schema that the registry has now. `version` is ours (`v<N>.avsc`), `schema_id` what records are framed with."""

    subject: str
    version: int
    schema_id: int


def register(registry: Registry, topics: Mapping[str, Sequence[str]]) -> list[Registered]:
    """Add every version of each topic's schema, in JSON and the oldest first, under the subject `<topic>-value`.

    What is there already keeps its id, and nothing else is set. Raises RegistrationRefused or Unavailable; what was
    registered until then stays.
    """
    return [
        _registered(registry, f"{topic}-value", version, schema)
        for topic, schemas in topics.items()
        for version, schema in enumerate(schemas, start=1)
    ]


def _registered(registry: Registry, subject: str, version: int, schema: str) -> Registered:
    answer = registry.register(subject, schema)
    if answer.status == _HTTP_CONFLICT:
        raise RegistrationRefused(
            f"{subject}: the registry finds v{version} incompatible with what it has; look at the subject's versions there "
            "and at its compatibility level"
        )
    if not answer.ok:
        code = answer.document.get("error_code")
        code = code if isinstance(code, int) else answer.status
        raise RegistrationRefused(f"{subject}: the registry does not take v{version} (code {code})")
    schema_id = answer.document.get("id")
    if not isinstance(schema_id, int):
        raise Unavailable("registry", "not_a_registry")
    return Registered(subject=subject, version=version, schema_id=schema_id)
