"""Numbers on the wire: Avro knows none of more than 64 bits, and readers that take one read it as another."""

from collections.abc import Sequence

from consumer.adapters.avro.types import (
    ArrayType,
    DecimalType,
    EnumType,
    Field,
    FixedType,
    MapType,
    Primitive,
    RecordType,
    Type,
    UnionType,
)
from consumer.adapters.avro.values import Unreadable

_GOES_ON = 0x80
_HIGH = bytes(byte >= _GOES_ON for byte in range(256))
_NINE_HIGH = bytes([True] * 9)
_BITS = 64
_WIDTHS = {"null": 0, "boolean": 1, "float": 4, "double": 8}


def refuse_long_numbers(schema: RecordType, content: bytes, start: int) -> None:
    """Raises Unreadable, naming the field, for a number that takes more bits than Avro's longest.

    That takes nine bytes in a row of which each says that it goes on. Only where there are, in text that is not ASCII say,
    the record is walked through. What is wrong otherwise is for whoever reads it to say.
    """
    if _NINE_HIGH not in content.translate(_HIGH):
        return
    try:
        _Walk(content, start).past(schema)
    except IndexError:
        return


class _Walk:
    """From value to value, without reading any; raises IndexError where the bytes end too early."""

    def __init__(self, content: bytes, start: int) -> None:
        self._content = content
        self._at = start

    def past(self, of: Type) -> None:
        match of:
            case Primitive(kind="int" | "long") | EnumType():
                self._number()
            case Primitive(kind="bytes" | "string"):
                self._past_bytes(None)
            case Primitive(kind=kind):
                self._move(_WIDTHS[kind])
            case DecimalType() | FixedType():
                self._past_bytes(of.size)
            case ArrayType(items=inner) | MapType(values=inner):
                self._past_blocks(inner, named=isinstance(of, MapType))
            case UnionType(branches=branches):
                self.past(branches[_from_the_front(self._number())])
            case RecordType(fields=fields):
                self._past_fields(fields)

    def _past_fields(self, fields: Sequence[Field]) -> None:
        for field in fields:
            try:
                self.past(field.type)
            except Unreadable as problem:
                raise problem.inside(field.name) from None

    def _past_blocks(self, inner: Type, *, named: bool) -> None:
        while count := self._number():
            if count < 0:  # then the block's size in bytes follows
                self._number()
            for _ in range(abs(count)):
                if named:
                    self._past_bytes(None)
                self.past(inner)

    def _past_bytes(self, size: int | None) -> None:
        if size is None:  # then it stands before them
            size = max(self._number(), 0)
        self._move(size)

    def _move(self, count: int) -> None:
        """Not beyond the end: whatever a block claims to hold, its items take bytes, and come to an end with these."""
        self._at += count
        if self._at > len(self._content):
            raise IndexError

    def _number(self) -> int:
        number = shift = 0
        byte = _GOES_ON
        while byte & _GOES_ON:
            byte = self._content[self._at]
            self._at += 1
            number |= (byte & ~_GOES_ON) << shift
            shift += 7
            if number >> _BITS or shift > _BITS + 6:
                raise Unreadable("is a number, or holds one, of more than 64 bits")
        return (number >> 1) ^ -(number & 1)


def _from_the_front(index: int) -> int:
    if index < 0:
        raise IndexError
    return index
