"""From fields to a record's bytes: what a bank's core system does, for the sandbox and the tests."""

import io
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
from fastavro import parse_schema, schemaless_writer

from consumer.adapters.avro.framing import confluent_header, single_object_header
from consumer.adapters.avro.library import fingerprint_of

_SCHEMAS_MAX = 256


def single_object(schema: str, fields: Mapping[str, Any]) -> bytes:
    """`fields` in Avro's single-object encoding by `schema` (JSON): decimals as Decimal, instants as aware datetimes.

    Raises ValueError or TypeError where they do not fit the schema.
    """
    return _header(schema) + _content(schema, fields)


def confluent(schema_id: int, schema: str, fields: Mapping[str, Any]) -> bytes:
    """The same in Confluent's framing, under the id that a registry gave the schema."""
    return confluent_header(schema_id) + _content(schema, fields)


@lru_cache(_SCHEMAS_MAX)
def _header(schema: str) -> bytes:
    return single_object_header(fingerprint_of(schema))


@lru_cache(_SCHEMAS_MAX)
def _parsed(schema: str) -> Any:
    return parse_schema(msgspec.json.decode(schema))


def _content(schema: str, fields: Mapping[str, Any]) -> bytes:
    out = io.BytesIO()
    schemaless_writer(out, _parsed(schema), fields)
    return out.getvalue()
