import json
import tracemalloc
import zlib
from uuid import UUID

import pytest

from consumer.adapters.avro.decoder import VALUE_BYTES_MAX
from consumer.adapters.avro.framing import (
    SCHEMA_HEADER,
    confluent_header,
    framed,
    glue_compressed,
    glue_header,
    guid_header,
    named_by,
)
from consumer.core.record import Record
from consumer.errors import Awaited, DeadLetterReason, Undecodable
from tests.avro import Listed, decoder, our_bytes, refusal, schema, transaction_fields
from tests.builders import record, transaction

GUID = UUID("89791762-2336-4186-9674-299b90a802e2")
VERSION = UUID("7d1f0c3e-8b62-4a35-9f10-2b8f4a6f9c11")
CONTENT = our_bytes("TransactionPosted", transaction_fields())[10:]
KNOWN = Listed({GUID: schema(), VERSION: schema(), 7: schema("BalanceChanged")})
COMPRESSED_BYTES_BEFORE = 18


def _with_header(value: bytes, head: bytes | None) -> Record:
    return record(value=value, headers=((SCHEMA_HEADER, head),))


def _glue_only(versions: Listed) -> Undecodable:
    with pytest.raises(Undecodable) as problem:
        decoder(glue=versions).decode(record(value=glue_header(VERSION) + CONTENT))
    return problem.value


@pytest.mark.parametrize(
    "framed_record",
    [
        _with_header(CONTENT, guid_header(GUID)),
        record(value=guid_header(GUID) + CONTENT),
        record(value=glue_header(VERSION) + CONTENT),
        record(value=glue_compressed(VERSION, CONTENT)),
    ],
    ids=["GUID in a header", "GUID in front", "Glue", "Glue, compressed"],
)
def test_an_event_is_read_however_its_schema_is_named(framed_record: Record) -> None:
    assert decoder(KNOWN, glue=KNOWN).decode(framed_record) == transaction()


def test_a_guid_in_the_header_counts_whatever_the_value_begins_with() -> None:
    content = our_bytes("TransactionPosted", transaction_fields(customer_ids=[]))[10:]

    named = _with_header(content, guid_header(GUID))

    head, _, start = framed(named.value, named.headers, VALUE_BYTES_MAX)

    assert content[:1] == b"\x00"
    assert (str(named_by(head)), start) == (str(GUID), 0)


def test_one_schema_is_asked_for_once_however_it_is_framed() -> None:
    known = Listed({GUID: schema(), VERSION: schema()})
    avro = decoder(known, glue=known)

    for value in (guid_header(GUID) + CONTENT, glue_header(VERSION) + CONTENT, glue_compressed(VERSION, CONTENT)):
        avro.decode(record(value=value))
    avro.decode(_with_header(CONTENT, guid_header(GUID)))

    assert known.asked == [GUID, VERSION]


@pytest.mark.parametrize(
    "head", [None, b"", b"\x01", guid_header(GUID)[:-1], guid_header(GUID) + b"\0", confluent_header(7), b"\0" * 17]
)
def test_a_header_that_holds_no_guid_is_a_dead_letter_and_never_looked_past(head: bytes | None) -> None:
    with pytest.raises(Undecodable) as problem:
        decoder(KNOWN).decode(_with_header(guid_header(GUID) + CONTENT, head))

    assert problem.value.reason == DeadLetterReason.NO_FRAMING


def test_the_last_of_several_headers_counts() -> None:
    headers = ((SCHEMA_HEADER, b"nonsense"), ("traceparent", b"x"), (SCHEMA_HEADER, guid_header(GUID)))

    assert decoder(KNOWN).decode(record(value=CONTENT, headers=headers)) == transaction()


@pytest.mark.parametrize(
    ("value", "named"), [(guid_header(GUID) + CONTENT, str(GUID)), (glue_header(VERSION) + CONTENT, str(VERSION))]
)
def test_without_the_registry_that_it_names_a_record_is_a_dead_letter(value: bytes, named: str) -> None:
    problem = refusal(value)

    assert (problem.reason, problem.schema) == (DeadLetterReason.NO_REGISTRY, named)


def test_a_version_that_glue_does_not_know_is_named() -> None:
    problem = _glue_only(Listed({}))

    assert (problem.reason, problem.schema) == (DeadLetterReason.UNKNOWN_SCHEMA, str(VERSION))


@pytest.mark.parametrize("value", [guid_header(GUID)[:-1], glue_header(VERSION)[:-1], b"\x03\x04" + b"x" * 40])
def test_a_framing_that_is_not_whole_or_not_known_is_none(value: bytes) -> None:
    assert refusal(value, KNOWN).reason == DeadLetterReason.NO_FRAMING


_WHOLE = glue_compressed(VERSION, CONTENT)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (_WHOLE[:-1], DeadLetterReason.UNDECODABLE),
        (_WHOLE[:COMPRESSED_BYTES_BEFORE], DeadLetterReason.UNDECODABLE),
        (_WHOLE[:COMPRESSED_BYTES_BEFORE] + CONTENT, DeadLetterReason.UNDECODABLE),
        (_WHOLE + b"\0", DeadLetterReason.TRAILING_BYTES),
        (glue_compressed(VERSION, CONTENT + b"\0"), DeadLetterReason.TRAILING_BYTES),
        (glue_compressed(VERSION, CONTENT[:-1]), DeadLetterReason.UNDECODABLE),
        (glue_compressed(VERSION, b""), DeadLetterReason.UNDECODABLE),
        (glue_compressed(VERSION, bytes(VALUE_BYTES_MAX)), DeadLetterReason.TRAILING_BYTES),
        (glue_compressed(VERSION, bytes(VALUE_BYTES_MAX + 1)), DeadLetterReason.TOO_LARGE),
    ],
)
def test_what_was_compressed_badly_or_is_no_event_is_a_dead_letter(value: bytes, reason: DeadLetterReason) -> None:
    with pytest.raises(Undecodable) as problem:
        decoder(glue=KNOWN).decode(record(value=value))

    assert (problem.value.reason, problem.value.schema) == (reason, str(VERSION))


def test_a_bomb_is_inflated_no_further_than_the_limit() -> None:
    bomb = glue_compressed(VERSION, b"")[:COMPRESSED_BYTES_BEFORE] + zlib.compress(bytes(200 * 2**20), 9)
    assert len(bomb) <= VALUE_BYTES_MAX
    tracemalloc.start()

    with pytest.raises(Undecodable) as problem:
        decoder(glue=KNOWN).decode(record(value=bomb))

    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert problem.value.reason == DeadLetterReason.TOO_LARGE
    assert peak_bytes < 32 * VALUE_BYTES_MAX


def test_nothing_of_the_content_is_told() -> None:
    problem = refusal(guid_header(GUID) + CONTENT[:-1], KNOWN)

    assert "cust-1" not in json.dumps([str(problem), problem.schema])


class Elsewhere(Listed):
    """A registry whose answers come later."""

    def by_id(self, schema_id: int | UUID) -> str:
        if schema_id not in self.schemas:
            self.asked.append(schema_id)
            raise Awaited("registry", "no_answer", str(schema_id))
        return super().by_id(schema_id)


_FRAMINGS = [
    (_with_header(CONTENT, guid_header(GUID)), GUID),
    (_with_header(_WHOLE, guid_header(GUID)), GUID),
    (record(value=guid_header(GUID) + CONTENT), GUID),
    (record(value=confluent_header(8) + CONTENT), 8),
    (record(value=glue_header(VERSION) + CONTENT), VERSION),
    (record(value=_WHOLE), VERSION),
]


@pytest.mark.parametrize(("framed_record", "named"), _FRAMINGS)
def test_what_a_record_waits_for_is_asked_for_and_named_as_decoding_it_does(
    framed_record: Record, named: UUID | int
) -> None:
    registry = Elsewhere({})
    avro = decoder(registry, glue=registry)

    awaited = avro.awaited(framed_record)

    with pytest.raises(Awaited) as decoding:
        avro.decode(framed_record)
    assert awaited is not None
    assert (awaited.what, awaited.schema) == (decoding.value.what, decoding.value.schema)
    assert registry.asked == [named, named]


def test_a_record_waits_no_more_once_the_answer_is_there_and_nobody_is_asked_again() -> None:
    registry = Elsewhere({})
    avro = decoder(registry)
    one = record(value=guid_header(GUID) + CONTENT)
    avro.awaited(one)

    registry.schemas[GUID] = json.dumps(schema())
    answered = avro.awaited(one)
    avro.decode(one)
    registry.asked.clear()

    assert (answered, avro.awaited(one), registry.asked) == (None, None, [])


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"{}",
        b"\x03\x05",
        confluent_header(8) + bytes(VALUE_BYTES_MAX),
        CONTENT,
        _WHOLE + bytes(VALUE_BYTES_MAX),
    ],
)
def test_what_is_a_dead_letter_whatever_a_registry_says_waits_for_nothing(value: bytes | None) -> None:
    registry = Elsewhere({})

    assert decoder(registry, glue=registry).awaited(record(value=value)) is None
    assert registry.asked == []


def test_nothing_waits_for_a_registry_that_there_is_not_or_for_one_that_has_no_such_schema() -> None:
    assert decoder().awaited(record(value=guid_header(GUID) + CONTENT)) is None
    assert decoder(Listed({})).awaited(record(value=guid_header(GUID) + CONTENT)) is None


def test_to_know_what_a_record_waits_for_nothing_is_inflated() -> None:
    damaged = record(value=_WHOLE[:COMPRESSED_BYTES_BEFORE] + b"no zlib")

    awaited = decoder(glue=Elsewhere({})).awaited(damaged)

    assert awaited is not None
    assert awaited.schema == str(VERSION)
