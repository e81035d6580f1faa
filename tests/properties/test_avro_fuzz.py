"""Bytes, schemas and framings that nobody should have written: whatever comes is read, or refused for a known reason."""

import itertools
import json
import time
import tracemalloc
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumer.adapters.avro.framing import SCHEMA_HEADER, confluent_header, glue_compressed, glue_header, guid_header
from consumer.core.event import BalanceChanged, TransactionPosted
from consumer.core.preferences import Preferences
from consumer.core.record import Record
from consumer.errors import DeadLetterReason, Undecodable
from tests.avro import Listed, Schema, balance_fields, decoder, our_bytes, preferences_fields, schema
from tests.avro import transaction_fields as transaction_of
from tests.builders import record

FUZZ = settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SECONDS_MAX = 2.0  # of this thread
BYTES_MAX = 64 * 2**20
_NAMES = ("TransactionPosted", "BalanceChanged", "AlertPreferences")
_BODIES = {
    "TransactionPosted": our_bytes("TransactionPosted", transaction_of())[10:],
    "BalanceChanged": our_bytes("BalanceChanged", balance_fields())[10:],
    "AlertPreferences": our_bytes("AlertPreferences", preferences_fields())[10:],
}
_HOSTILE = [
    b"\x00",
    b"\x01",
    b"\x02",
    b"\xff" * 12,
    b"\xfe" + b"\xff" * 8 + b"\x01",
    b"\xff" * 9 + b"\x01",
    b"\x80\x89\x7a",
]
KNOWN = Listed({})
AVRO = decoder(KNOWN, glue=KNOWN)
_IDS = itertools.count(1)


@st.composite
def _types(draw: st.DrawFn, depth: int = 0) -> Any:
    """Any type of Avro, often one that should not be: endless, empty, enormous, named twice."""
    name = f"T{draw(st.integers(0, 6))}"
    plain = ["null", "boolean", "int", "long", "float", "double", "bytes", "string", name, "bank.events.v1.Channel"]
    kinds = ["plain", "fixed", "enum", "decimal"] + ["record", "array", "map", "union"] * (depth < 4)
    match draw(st.sampled_from(kinds)):
        case "fixed":
            return {"type": "fixed", "name": name, "size": draw(st.sampled_from([-1, 0, 1, 16, 2**31, 2**62]))}
        case "enum":
            return {"type": "enum", "name": name, "symbols": draw(st.lists(st.sampled_from("ABC"), max_size=3))}
        case "decimal":
            digits, scale = draw(st.sampled_from([0, 1, 5, 38, 10**9])), draw(st.sampled_from([-1, 0, 5, 10**9]))
            return {"type": "bytes", "logicalType": "decimal", "precision": digits, "scale": scale}
        case "record":
            types = draw(st.lists(_types(depth + 1), max_size=4))
            fields = [{"name": f"f{place}", "type": one} for place, one in enumerate(types)]
            return {"type": "record", "name": name, "fields": fields * draw(st.sampled_from([1, 1, 1, 2]))}
        case "array":
            return {"type": "array", "items": draw(_types(depth + 1))}
        case "map":
            return {"type": "map", "values": draw(_types(depth + 1))}
        case "union":
            return draw(st.lists(_types(depth + 1), max_size=3))
        case _:
            return draw(st.sampled_from(plain))


@st.composite
def _writers(draw: st.DrawFn) -> tuple[str, Schema]:
    """A schema of ours with fields more, fewer, elsewhere and of other types."""
    name = draw(st.sampled_from(_NAMES))
    document = schema(name)
    fields = document["fields"]
    for _ in range(draw(st.integers(0, 2))):
        match draw(st.sampled_from(["add", "add", "change", "drop", "move"])):
            case "add":
                place = draw(st.sampled_from([0, len(fields)]))
                fields.insert(place, {"name": f"x{draw(st.integers(0, 3))}", "type": draw(_types())})
            case "change":
                fields[draw(st.integers(0, len(fields) - 1))]["type"] = draw(_types())
            case "drop":
                fields.pop(draw(st.integers(0, len(fields) - 1)))
            case _:
                fields.insert(0, fields.pop(draw(st.integers(0, len(fields) - 1))))
    return name, document


@st.composite
def _contents(draw: st.DrawFn, name: str) -> bytes:
    """A record of ours: cut, extended, overwritten, or behind bytes that claim to be many."""
    content = _BODIES[name]
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(content)))
        some = draw(st.sampled_from(_HOSTILE) | st.binary(max_size=12))
        match draw(st.sampled_from(["insert", "overwrite", "cut", "flood"])):
            case "insert":
                content = content[:place] + some + content[place:]
            case "overwrite":
                content = content[:place] + some + content[place + len(some) :]
            case "cut":
                content = content[:place]
            case _:
                flood = draw(st.sampled_from([b"\x00", b"\x01", b"\x02", b"\x02\x00", b"\xff"]))
                content = some + flood * draw(st.sampled_from([10, 1000, 60_000])) + content
    return content


@st.composite
def _framings(draw: st.DrawFn, number: int, content: bytes) -> Record:
    guid = UUID(int=number)
    head = draw(st.sampled_from([confluent_header(number), guid_header(guid), glue_header(guid)]))
    match draw(st.sampled_from(["front", "front", "header", "zlib", "spoilt"])):
        case "front":
            return record(value=head + content)
        case "header":
            return record(value=content, headers=((SCHEMA_HEADER, guid_header(guid)),))
        case "zlib":
            whole = glue_compressed(guid, content)
            return record(value=whole[: draw(st.sampled_from([len(whole), len(whole) - 1, 20]))])
        case _:
            spoilt = draw(st.binary(max_size=20))
            return record(value=spoilt + content, headers=((SCHEMA_HEADER, draw(st.none() | st.binary(max_size=18))),))


@FUZZ
@given(st.data())
def test_whatever_comes_is_read_or_refused_for_a_known_reason_in_little_time_and_memory(data: st.DataObject) -> None:
    name, writer = data.draw(_writers())
    number = next(_IDS)
    KNOWN.schemas = dict.fromkeys((number, UUID(int=number)), json.dumps(writer))
    arrived = data.draw(_framings(number, data.draw(_contents(name))))
    tracemalloc.start()
    started_s = time.thread_time()

    for read in (AVRO.decode, AVRO.preferences):
        try:
            found = read(arrived)
        except Undecodable as problem:
            assert DeadLetterReason(problem.reason)  # noqa: PT017 - refused for a reason of the list, or not at all
            assert problem.detail != "the schema cannot be used"  # noqa: PT017 - we know why
        else:
            assert isinstance(found, (TransactionPosted, BalanceChanged, Preferences))

    elapsed_s, (_, peak_bytes) = time.thread_time() - started_s, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert elapsed_s < SECONDS_MAX
    assert peak_bytes < BYTES_MAX
