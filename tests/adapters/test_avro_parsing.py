"""A schema is as large as what its records become, however short it is written."""

import json
from typing import Any

import pytest

from consumer.adapters.avro.parsing import NODES_MAX, read_schema
from consumer.adapters.avro.types import SchemaRefused

PARTS: list[Any] = [
    "long",
    ["null", "string"],
    {"type": "array", "items": "long"},
    {"type": "map", "values": ["null", "bytes"]},
]


def referring(of: Any, times: int) -> str:
    """A record of a hundred such fields, named so many times."""
    part = {"type": "record", "name": "Part", "fields": [{"name": f"f{number}", "type": of} for number in range(100)]}
    fields = [{"name": f"r{number}", "type": "Part" if number else part} for number in range(times)]
    return json.dumps({"type": "record", "name": "Whole", "fields": fields})


@pytest.mark.parametrize("of", PARTS, ids=str)
def test_every_reference_counts_as_all_that_it_refers_to(of: Any) -> None:
    read_schema(referring(of, 2))

    with pytest.raises(SchemaRefused, match=f"more than {NODES_MAX} types"):
        read_schema(referring(of, NODES_MAX // 100 + 2))
