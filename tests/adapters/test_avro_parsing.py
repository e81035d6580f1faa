"""A schema is as large as what its records become, however short it is written."""

import json
from typing import Any

import pytest

from consumer.adapters.avro.parsing import DEPTH_MAX, NODES_MAX, read_schema
from consumer.adapters.avro.types import NULL, DecimalType, FixedType, SchemaRefused, Type, UnionType

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


def of_field(of: Any, *, strict: bool = False, **field: Any) -> Type:
    document = {"type": "record", "name": "R", "namespace": "n", "fields": [{"name": "x", "type": of, **field}]}
    return read_schema(json.dumps(document), strict=strict).fields[0].type


def lists_in_lists(levels: int, innermost: Any) -> Any:
    return {"type": "array", "items": lists_in_lists(levels - 1, innermost)} if levels else innermost


@pytest.mark.parametrize(
    "wrap", [lambda of: {"type": "map", "values": of}, lambda of: ["null", of]], ids=["map", "union"]
)
def test_a_reference_is_as_deep_as_what_it_refers_to(wrap: Any) -> None:
    inner = {"type": "record", "name": "I", "fields": [{"name": "y", "type": wrap(lists_in_lists(20, "int"))}]}
    fields = [{"name": "first", "type": inner}]
    document = {"type": "record", "name": "R", "fields": fields}
    fields.append({"name": "second", "type": lists_in_lists(DEPTH_MAX - 1 - 22, "I")})
    read_schema(json.dumps(document))

    fields[1]["type"] = lists_in_lists(DEPTH_MAX - 22, "I")
    with pytest.raises(SchemaRefused, match=f"field second: the schema is deeper than {DEPTH_MAX} levels"):
        read_schema(json.dumps(document))


def test_a_decimal_has_no_more_digits_than_its_bytes_hold() -> None:
    decimal = {"type": "fixed", "name": "F", "size": 4, "logicalType": "decimal", "scale": 2}

    assert of_field(decimal | {"precision": 9}) == DecimalType(size=4, precision=9, scale=2)
    assert of_field(decimal | {"precision": 10}) == FixedType(name="n.F", size=4)
    assert of_field(decimal | {"precision": 1, "scale": 0, "size": 0}) == FixedType(name="n.F", size=0)


@pytest.mark.parametrize(
    ("of", "field", "problem"),
    [
        ("long", {"logicalType": "timestamp-micros"}, "field x: its logical type stands beside its type, not in it"),
        (
            {"type": {"type": "long", "logicalType": "timestamp-micros"}, "logicalType": "timestamp-millis"},
            {},
            "field x: its logical type is not known here",
        ),
        (["null", "string", "null"], {}, "field x: a union has two branches of one sort"),
        ([{"type": "map", "values": "int"}, {"type": "map", "values": "long"}], {}, "two branches of one sort"),
        (["bytes", {"type": "bytes", "logicalType": "decimal", "precision": 5}], {}, "two branches of one sort"),
    ],
)
def test_what_readers_would_ignore_or_not_tell_apart_is_refused_where_a_contract_is_checked(
    of: Any, field: dict[str, Any], problem: str
) -> None:
    of_field(of, **field)

    with pytest.raises(SchemaRefused, match=problem):
        of_field(of, strict=True, **field)


def test_branches_with_names_of_their_own_are_told_apart() -> None:
    fixed = [{"type": "fixed", "name": name, "size": 2} for name in ("A", "B")]

    assert of_field(fixed, strict=True) == UnionType((FixedType(name="n.A", size=2), FixedType(name="n.B", size=2)))


@pytest.mark.parametrize(
    ("of", "problem"),
    [
        ({"type": "enum", "name": "E" * 500, "symbols": ["A"]}, "a type's name is not allowed"),
        ({"type": "enum", "name": "E", "symbols": ["A"], "default": "B"}, "default is none of its symbols"),
        (["null", ["int", "string"]], "directly within another"),
        ([], "a union is empty"),
        ("Nowhere", "does not define"),
    ],
)
def test_what_is_no_schema_is_refused(of: Any, problem: str) -> None:
    with pytest.raises(SchemaRefused, match=problem):
        of_field(of)


def test_a_name_without_a_namespace_is_looked_for_in_the_one_around_it_and_then_in_none() -> None:
    outside = {"type": "fixed", "name": "F", "namespace": "", "size": 2}
    inside = {"type": "fixed", "name": "F", "size": 3}
    first = {"name": "x", "type": outside}
    document = {"type": "record", "name": "R", "namespace": "n", "fields": [first, {"name": "y", "type": "F"}]}

    assert [field.type for field in read_schema(json.dumps(document)).fields] == [FixedType(name="F", size=2)] * 2
    document["fields"] = [first, {"name": "z", "type": inside}, {"name": "y", "type": ["null", "F"]}]
    assert read_schema(json.dumps(document)).fields[2].type == UnionType((NULL, FixedType(name="n.F", size=3)))
