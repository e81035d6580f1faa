"""Records of which many end in the same bytes: what these mean is worked out once."""

import io
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import msgspec

from consumer.adapters.avro.plans import plan, source_of
from consumer.adapters.avro.types import RecordType
from consumer.adapters.avro.values import Change
from consumer.adapters.avro.wire import Wire
from consumer.core.lately import Lately

ENDINGS_MAX = 40_000
"""Remembered of one writer's schema: about 50 MB when all are there."""
ENDING_BYTES_MAX = 1024
"""Longer ones are rare, and seldom the same."""
_T = TypeVar("_T")


class Endings(Generic[_T]):
    """What the last field of a writer's records means, by its bytes; the fields before it are read each time.

    A memory only: what it cannot say, for whatever reason, is for whoever reads the whole record, and says what is wrong.
    Any number of threads may use it.
    """

    def __init__(self, writer: RecordType, reader: RecordType, ending: str) -> None:
        """`writer` ends in the reader's field `ending` (`ends_in`)."""
        self._wire = Wire(msgspec.structs.replace(writer, fields=writer.fields[:-1]))
        others = tuple(field for field in reader.fields if field.name != ending)
        self._change: Change = plan(
            msgspec.structs.replace(writer, fields=writer.fields[:-1]), msgspec.structs.replace(reader, fields=others)
        )
        self._known = Lately[bytes, _T](ENDINGS_MAX)

    def recall(self, content: bytes, start: int) -> tuple[Mapping[str, Any], _T] | None:
        """The other fields, as the reader's schema says, and what the last one means; None if that is not remembered."""
        stream = io.BytesIO(content)
        stream.seek(start)
        try:
            fields = self._wire.read(stream)
            meaning = self._known.get(content[stream.tell() :])
            return None if meaning is None else (self._change(fields), meaning)
        except Exception:  # noqa: BLE001 - bytes from outside: whoever reads all of it says what is wrong
            return None

    def learn(self, content: bytes, start: int, meaning: _T) -> None:
        """Remember what the last field of this record means, which was read whole, to its last byte."""
        stream = io.BytesIO(content)
        stream.seek(start)
        self._wire.read(stream)
        ending = content[stream.tell() :]
        if len(ending) <= ENDING_BYTES_MAX:
            self._known.keep(ending, meaning)


def ends_in(writer: RecordType, reader: RecordType, ending: str) -> bool:
    """Whether the writer's last field is the one that the reader calls `ending`."""
    written = {field.name: field for field in writer.fields}
    [field] = [field for field in reader.fields if field.name == ending]
    return source_of(field, written) is writer.fields[-1]
