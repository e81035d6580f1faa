"""Numbers that no writer writes are refused wherever they stand, and everything else may look however it likes."""

import io
import json
from typing import Any

import fastavro
import pytest

from consumer.adapters.avro.numbers import refuse_long_numbers
from consumer.adapters.avro.parsing import read_schema
from consumer.adapters.avro.types import Primitive
from consumer.adapters.avro.values import Unreadable, promotion
from consumer.errors import Undecodable
from tests.acceptance.stage import preference_fields
from tests.avro import decoder, our_bytes
from tests.builders import record

GREEK = "\u0395\u03bb\u03bb\u03b7\u03bd\u03b9\u03ba\u03ae \u03a4\u03c1\u03ac\u03c0\u03b5\u03b6\u03b1"
INNER = {"type": "record", "name": "Inner", "fields": [{"name": "deep", "type": "long"}]}
FIELDS: dict[str, tuple[Any, Any]] = {
    "text": ("string", GREEK),
    "raw": ("bytes", b"\xff" * 40),
    "flag": ("boolean", True),
    "small": ("int", -(2**31)),
    "single": ("float", 0.5),
    "real": ("double", -0.1),
    "nothing": ("null", None),
    "number": ({"type": "fixed", "name": "F", "size": 12}, b"\xfe" * 12),
    "money": ({"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 2}, b"\xff" * 9),
    "fixed_money": (
        {"type": "fixed", "name": "M", "size": 9, "logicalType": "decimal", "precision": 20, "scale": 2},
        b"\xff" * 9,
    ),
    "symbol": ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, "B"),
    "items": ({"type": "array", "items": "long"}, [-(2**63), 2**63 - 1, 0]),
    "by_name": ({"type": "map", "values": ["null", "string"]}, {GREEK: GREEK, "none": None}),
    "maybe": (["null", "long"], -(2**63)),
}


def schema(*last: Any) -> Any:
    fields = [{"name": name, "type": of} for name, (of, _) in FIELDS.items()]
    return {"type": "record", "name": "R", "fields": [*fields, {"name": "last", "type": last[0]}]}


def written(document: Any, last: Any) -> bytes:
    stream = io.BytesIO()
    plain = json.loads(json.dumps(document).replace('"logicalType": "decimal", ', ""))
    fastavro.schemaless_writer(stream, plain, {name: value for name, (_, value) in FIELDS.items()} | {"last": last})
    return stream.getvalue()


def refuse(document: Any, content: bytes) -> None:
    refuse_long_numbers(read_schema(json.dumps(document)), b"head" + content, 4)


@pytest.mark.parametrize(
    ("of", "value", "field"),
    [
        ("long", 7, "last"),
        (INNER, {"deep": 7}, "last.deep"),
        ({"type": "array", "items": "int"}, [1, 7], "last"),
    ],
)
def test_a_long_number_is_found_behind_whatever_stands_before_it(of: Any, value: Any, field: str) -> None:
    document = schema(of)
    content = written(document, value)
    refuse(document, content)
    head, _, tail = content.rpartition(b"\x0e")

    with pytest.raises(Unreadable) as refused:
        refuse(document, head + b"\x8e" + b"\x80" * 9 + b"\x01" + tail)

    assert refused.value.path == field


def test_blocks_that_tell_their_size_are_walked_through() -> None:
    document = {"type": "record", "name": "R", "fields": [{"name": "x", "type": {"type": "array", "items": "long"}}]}
    lowest = b"\xff" * 9 + b"\x01"

    refuse(document, b"\x01" + b"\x14" + lowest + b"\x00")
    with pytest.raises(Unreadable):
        refuse(document, b"\x01" + b"\x14" + b"\xff" * 9 + b"\x02" + b"\x00")


TOO_LONG = b"\x8e" + b"\x80" * 9 + b"\x01"


@pytest.mark.parametrize(
    ("of", "written"),
    [
        ({"type": "array", "items": "double"}, b"\x01" + b"\x10" + b"\x00" * 8 + b"\x00"),
        ({"type": "array", "items": "string"}, b"\x02" + b"\x01" + b"\x00"),
    ],
    ids=["a block that tells its size", "a text of minus one bytes"],
)
def test_a_long_number_is_found_behind(of: Any, written: bytes) -> None:
    fields = [{"name": "x", "type": of}, {"name": "last", "type": "long"}]

    with pytest.raises(Unreadable) as refused:
        refuse({"type": "record", "name": "R", "fields": fields}, written + TOO_LONG)

    assert refused.value.path == "last"


def test_a_number_of_nothing_but_zeros_that_goes_on_is_too_long() -> None:
    with pytest.raises(Unreadable):
        refuse({"type": "record", "name": "R", "fields": [{"name": "x", "type": "long"}]}, b"\x80" * 20 + b"\x00")


@pytest.mark.parametrize("of", ["float", "double", "boolean", {"type": "fixed", "name": "F", "size": 3}])
def test_no_more_items_are_walked_past_than_the_record_has_bytes_for(of: Any) -> None:
    """Else this would take years."""
    most = b"\xfe" + b"\xff" * 8 + b"\x01"

    refuse({"type": "record", "name": "R", "fields": [{"name": "x", "type": {"type": "array", "items": of}}]}, most)


def test_a_branch_before_the_first_is_none() -> None:
    document = {"type": "record", "name": "R", "fields": [{"name": "x", "type": ["null", "long"]}]}

    refuse(document, b"\x01" + TOO_LONG)


@pytest.mark.parametrize("content", [b"\xff" * 9, b"\x09" + b"\xff" * 30, b""])
def test_what_is_wrong_otherwise_is_left_to_whoever_reads_it(content: bytes) -> None:
    refuse({"type": "record", "name": "R", "fields": [{"name": "x", "type": ["null", "string"]}]}, content)


@pytest.mark.parametrize("byte", [2, 5, 255])
def test_a_boolean_is_zero_or_one(byte: int) -> None:
    fields = preference_fields(phone="+393401234567", phone_verified=True)
    head, phone, tail = our_bytes("AlertPreferences", fields).partition(b"+393401234567")

    with pytest.raises(Undecodable) as refused:
        decoder().preferences(record(value=head + phone + bytes([byte]) + tail[1:]))

    assert refused.value.detail == "field phone_verified: is no boolean: its byte is neither 0 nor 1"


@pytest.mark.parametrize("wanted", ["int", "long"])
def test_an_int_has_32_bits(wanted: str) -> None:
    change = promotion(Primitive("int"), Primitive(wanted), ())

    assert change is not None
    assert [change(2**31 - 1), change(-(2**31))] == [2**31 - 1, -(2**31)]
    for beyond in (2**31, -(2**31) - 1):
        with pytest.raises(Unreadable, match="more than 32 bits"):
            change(beyond)
