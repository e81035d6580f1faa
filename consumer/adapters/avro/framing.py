"""Which schema a record was written with: the few bytes before its content."""

import msgspec

from consumer.ports import DeadLetterReason, Undecodable

_CONFLUENT = b"\x00"
_SINGLE_OBJECT = b"\xc3\x01"
CONFLUENT_BYTES = 5
SINGLE_OBJECT_BYTES = 10


class ConfluentId(msgspec.Struct, frozen=True):
    """The registry's id of the writer's schema."""

    id: int

    def __str__(self) -> str:
        """As it stands in a dead letter's header."""
        return str(self.id)


class Fingerprint(msgspec.Struct, frozen=True):
    """CRC-64-AVRO of the writer's schema in parsing canonical form, in the order of its bytes on the wire."""

    digest: bytes

    def __str__(self) -> str:
        """As Avro's own tools write it: the number in hexadecimal."""
        return self.digest[::-1].hex()


WriterSchema = ConfluentId | Fingerprint


def header(value: bytes) -> bytes:
    """The bytes before the content: they name the writer's schema.

    Confluent's framing (0, then the id as four bytes, the highest first) is looked for before Avro's single-object encoding
    (C3 01, then the fingerprint as eight bytes, the lowest first). Raises Undecodable where it is neither.
    """
    if value[0] == _CONFLUENT[0] and len(value) >= CONFLUENT_BYTES:
        return value[:CONFLUENT_BYTES]
    if value[:2] == _SINGLE_OBJECT and len(value) >= SINGLE_OBJECT_BYTES:
        return value[:SINGLE_OBJECT_BYTES]
    raise Undecodable(
        DeadLetterReason.NO_FRAMING, "the value begins neither with Confluent's framing nor as an Avro single object"
    )


def named_by(head: bytes) -> WriterSchema:
    """The writer's schema that a header names."""
    if len(head) == CONFLUENT_BYTES:
        return ConfluentId(int.from_bytes(head[1:], "big"))
    return Fingerprint(head[2:])


def confluent_header(schema_id: int) -> bytes:
    """What stands before the content in Confluent's framing."""
    return _CONFLUENT + schema_id.to_bytes(4, "big")


def single_object_header(fingerprint: Fingerprint) -> bytes:
    """What stands before the content in Avro's single-object encoding."""
    return _SINGLE_OBJECT + fingerprint.digest
