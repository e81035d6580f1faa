"""Which schema a record was written with, and where its content begins."""

import zlib
from uuid import UUID

import msgspec

from consumer.core.record import Headers, Record, header_of
from consumer.errors import DeadLetterReason, Undecodable

SCHEMA_HEADER = "__value_schema_id"
"""Confluent's name of the record header that holds the GUID of the value's schema."""
CONFLUENT_BYTES = 5
SINGLE_OBJECT_BYTES = 10
GUID_BYTES = 17
GLUE_BYTES = 18
_CONFLUENT = b"\x00"
_GUID = b"\x01"
_GLUE = b"\x03"
_PLAIN, _ZLIB = b"\x00", b"\x05"
_SINGLE_OBJECT = b"\xc3\x01"


class ConfluentId(msgspec.Struct, frozen=True):
    """The registry's id of the writer's schema."""

    id: int

    def __str__(self) -> str:
        """As it stands in a dead letter's header."""
        return str(self.id)


class ConfluentGuid(msgspec.Struct, frozen=True):
    """The GUID of the writer's schema, the same in every registry of Confluent's."""

    guid: UUID

    def __str__(self) -> str:
        """As registries write it: with hyphens."""
        return str(self.guid)


class GlueVersion(msgspec.Struct, frozen=True):
    """AWS Glue's id of a version of the writer's schema."""

    version: UUID

    def __str__(self) -> str:
        """As Glue writes it: with hyphens."""
        return str(self.version)


class Fingerprint(msgspec.Struct, frozen=True):
    """CRC-64-AVRO of the writer's schema in parsing canonical form, in the order of its bytes on the wire."""

    digest: bytes

    def __str__(self) -> str:
        """As Avro's own tools write it: the number in hexadecimal."""
        return self.digest[::-1].hex()


WriterSchema = ConfluentId | ConfluentGuid | GlueVersion | Fingerprint


def framed(value: bytes | None, headers: Headers, bytes_max: int) -> tuple[bytes, bytes, int]:
    """The head that names the writer's schema, the bytes that hold the content, and where in these it begins.

    Looked for in this order: a GUID in the header `__value_schema_id` (01, then its 16 bytes; the value is all content);
    then at the front of the value Confluent's id (00, then four bytes, the highest first), a GUID (01 and 16 bytes), AWS
    Glue's framing (03, the compression: 00 none, 05 zlib, then the schema version's UUID), and Avro's single-object
    encoding (C3 01, then the fingerprint as eight bytes, the lowest first). One schema has one head, however framed.

    Raises Undecodable where it is none of these, where the value is empty, or has, inflated or not, more than `bytes_max`.
    """
    if not value:
        raise Undecodable(DeadLetterReason.NO_VALUE, "the record has no value")
    if len(value) > bytes_max:
        raise Undecodable(DeadLetterReason.TOO_LARGE, f"the value has more than {bytes_max} bytes")
    if headers and names_schema(headers):
        return _in_header(header_of(headers, SCHEMA_HEADER)), value, 0
    first = value[:1]
    if first == _CONFLUENT and len(value) >= CONFLUENT_BYTES:
        return value[:CONFLUENT_BYTES], value, CONFLUENT_BYTES
    if value[:2] == _SINGLE_OBJECT and len(value) >= SINGLE_OBJECT_BYTES:
        return value[:SINGLE_OBJECT_BYTES], value, SINGLE_OBJECT_BYTES
    if first == _GUID and len(value) >= GUID_BYTES:
        return value[:GUID_BYTES], value, GUID_BYTES
    if first == _GLUE and len(value) >= GLUE_BYTES:
        return _from_glue(value, bytes_max)
    raise Undecodable(
        DeadLetterReason.NO_FRAMING,
        "the value begins neither with Confluent's or AWS Glue's framing nor as an Avro single object",
    )


def head_of(record: Record, bytes_max: int) -> bytes:
    """The head alone: for that nothing is inflated, so what is compressed may still turn out to be no content."""
    value = record.value or b""
    if value[:2] == _GLUE + _ZLIB:
        value = _GLUE + _PLAIN + value[2:]
    return framed(value, record.headers, bytes_max)[0]


def names_schema(headers: Headers) -> bool:
    """Whether the schema is named by a header, whatever stands at the front of the value."""
    return any(name == SCHEMA_HEADER for name, _ in headers)


def named_by(head: bytes) -> WriterSchema:
    """The writer's schema that a head names."""
    match len(head):
        case 5:
            return ConfluentId(int.from_bytes(head[1:], "big"))
        case 17:
            return ConfluentGuid(UUID(bytes=head[1:]))
        case 18:
            return GlueVersion(UUID(bytes=head[2:]))
        case _:
            return Fingerprint(head[2:])


def confluent_header(schema_id: int) -> bytes:
    """What stands before the content in Confluent's framing."""
    return _CONFLUENT + schema_id.to_bytes(4, "big")


def guid_header(guid: UUID) -> bytes:
    """What names the schema by its GUID: the header's value, or what stands before the content."""
    return _GUID + guid.bytes


def glue_header(version: UUID) -> bytes:
    """What stands in AWS Glue's framing before content that is not compressed."""
    return _GLUE + _PLAIN + version.bytes


def glue_compressed(version: UUID, content: bytes) -> bytes:
    """A whole value in AWS Glue's framing, compressed."""
    return _GLUE + _ZLIB + version.bytes + zlib.compress(content)


def single_object_header(fingerprint: Fingerprint) -> bytes:
    """What stands before the content in Avro's single-object encoding."""
    return _SINGLE_OBJECT + fingerprint.digest


def _in_header(head: bytes | None) -> bytes:
    if head is None or head[:1] != _GUID or len(head) != GUID_BYTES:
        raise Undecodable(
            DeadLetterReason.NO_FRAMING, f"the header {SCHEMA_HEADER} is not 01 and the 16 bytes of a GUID"
        )
    return head


def _from_glue(value: bytes, bytes_max: int) -> tuple[bytes, bytes, int]:
    compression, version = value[1:2], value[2:GLUE_BYTES]
    head = _GLUE + _PLAIN + version
    if compression == _PLAIN:
        return head, value, GLUE_BYTES
    if compression != _ZLIB:
        raise Undecodable(DeadLetterReason.NO_FRAMING, "AWS Glue's framing names a compression that is not known")
    return head, _inflated(value, named_by(head), bytes_max), 0


def _inflated(value: bytes, schema: WriterSchema, bytes_max: int) -> bytes:
    """What was compressed; no more than the limit is ever inflated, whatever it would become."""
    inflating = zlib.decompressobj()
    try:
        content = inflating.decompress(value[GLUE_BYTES:], bytes_max + 1)
    except zlib.error:
        content = b""
    if len(content) > bytes_max:
        raise Undecodable(
            DeadLetterReason.TOO_LARGE, f"the value has more than {bytes_max} bytes, inflated", schema=str(schema)
        )
    if not inflating.eof:
        raise Undecodable(DeadLetterReason.UNDECODABLE, "the content is not what zlib compresses", schema=str(schema))
    if inflating.unused_data:
        raise Undecodable(
            DeadLetterReason.TRAILING_BYTES,
            f"{len(inflating.unused_data)} bytes are left behind the compressed content",
            schema=str(schema),
        )
    return content
