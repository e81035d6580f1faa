"""From a record's bytes to an event or to preferences, by the schema that they were written with."""

import io
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from consumer.adapters.avro.density import VALUES_MAX, density
from consumer.adapters.avro.endings import Endings, ends_in
from consumer.adapters.avro.framing import (
    ConfluentGuid,
    ConfluentId,
    Fingerprint,
    GlueVersion,
    WriterSchema,
    framed,
    head_of,
    named_by,
    names_schema,
)
from consumer.adapters.avro.glance import Glancer, glancer
from consumer.adapters.avro.library import Library
from consumer.adapters.avro.numbers import refuse_long_numbers
from consumer.adapters.avro.parsing import read_schema
from consumer.adapters.avro.plans import plan
from consumer.adapters.avro.types import RecordType, SchemaRefused
from consumer.adapters.avro.values import Change, Unreadable
from consumer.adapters.avro.wire import Wire
from consumer.core.event import Event, InvalidEvent
from consumer.core.event_fields import EVENT_TYPES, event_from_fields
from consumer.core.preferences import (
    FULL_NAME,
    AlertPreference,
    InvalidPreferences,
    Preferences,
    alerts_from_fields,
    preferences_with,
)
from consumer.core.record import Fetched, Record
from consumer.core.screen import Glance
from consumer.errors import Awaited, DeadLetterReason, Undecodable
from consumer.ports import SchemaVersions, WriterSchemas

VALUE_BYTES_MAX = 262_144
AHEAD_MAX = timedelta(minutes=5)
_PREFERENCES = frozenset({FULL_NAME})
_ALERTS = "alerts"
_SCHEMAS_MAX = 1000
_CHARACTERS_MAX = 4_194_304
"""Of all schemas by which records can be read: understood, they take more than ten times as much."""
_Registry = TypeVar("_Registry", WriterSchemas, SchemaVersions)


class _Reading(msgspec.Struct, frozen=True, kw_only=True):
    """How records of one writer's schema, of so many `characters`, are read. `full_name`: that of our schema.

    `bytes_max`: of a record's content. `glance`: if it can be begun only. `endings`: if the alerts of preferences stand
    last, where many have the same bytes.
    """

    full_name: str
    characters: int
    bytes_max: float
    schema: RecordType
    wire: Wire
    change: Change
    glance: Glancer | None
    endings: Endings[Mapping[str, AlertPreference]] | None


class _Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why no record of a writer's schema can be read."""

    reason: DeadLetterReason
    detail: str


class AvroDecoder:
    """Reads by the writer's schema, from the registry or among our own, and understands it as our newest one says.

    What goes wrong with one record is Undecodable, whatever it is; what goes wrong with the registry is Unavailable. Any
    number of threads may use it.
    """

    def __init__(
        self,
        *,
        schemas: Path,
        registry: WriterSchemas | None,
        now: Callable[[], datetime],
        glue: SchemaVersions | None = None,
        value_bytes_max: int = VALUE_BYTES_MAX,
        ahead_max: timedelta = AHEAD_MAX,
    ) -> None:
        """`schemas`: the folder of our own; raises Broken where it is unusable. Events beyond `ahead_max` are refused."""
        self._library = Library(schemas)
        self._registry = registry
        self._glue = glue
        self._now = now
        self._value_bytes_max = value_bytes_max
        self._ahead_max = ahead_max
        self._readings: OrderedDict[bytes, _Reading | _Refusal] = OrderedDict()

    def glances(self, records: Fetched) -> Sequence[Glance | None]:
        """What each begins with; None where only `decode` can tell: it is no event, or a registry must be asked.

        What begins with the same head as the one before is framed as that, and nothing is looked up for it.
        """
        seen: list[Glance | None] = []
        glance: Glancer = _unseen
        head, size, length_max = b"", 1, 0.0
        for value, headers in zip(records.columns.values, records.columns.headers, strict=True):
            if value and value[:size] == head and not (headers and names_schema(headers)):
                seen.append(glance(value, size) if len(value) <= length_max else None)
                continue
            try:
                named, content, start = framed(value, headers, self._value_bytes_max)
            except Undecodable:
                seen.append(None)
                continue
            glance, bytes_max = self._glancer(named)
            seen.append(glance(content, start) if len(content) - start <= bytes_max else None)
            head, size = (named, start) if start else (b"", 1)  # no value begins with that
            length_max = min(self._value_bytes_max, bytes_max + start)
        return seen

    def _glancer(self, head: bytes) -> tuple[Glancer, float]:
        """How what was written so is glanced at, and how many bytes of it at most."""
        reading = self._readings.get(head) or self._learn_ours(head)
        if not isinstance(reading, _Reading) or reading.glance is None:
            return _unseen, 0.0
        return reading.glance, reading.bytes_max

    def decode(self, record: Record) -> Event:
        """The event that the record tells of; its type is the full name of the schema, whatever the topic."""
        head, content, start, reading = self._found(record, EVENT_TYPES)
        fields = _read(content, start, head, reading)
        try:
            event = event_from_fields(reading.full_name, fields)
        except InvalidEvent as problem:
            raise _refused(head, DeadLetterReason.INVALID_EVENT, str(problem)) from None
        if event.occurred_at - self._now() > self._ahead_max:
            ahead_s = self._ahead_max.total_seconds()
            raise _refused(head, DeadLetterReason.FROM_FUTURE, f"occurred_at lies more than {ahead_s:.0f} s ahead")
        return event

    def awaited(self, record: Record) -> Awaited | None:
        """What the registry is still to say before the record can be decoded; asked by this, if nobody has yet."""
        try:
            head = head_of(record, self._value_bytes_max)
            if head not in self._readings:
                self._text(named_by(head))
        except Awaited as awaited:
            return awaited
        except Undecodable:
            return None
        return None

    def preferences(self, record: Record) -> Preferences:
        """What the record says that a customer asked for; a record without a value is for the caller to understand."""
        head, content, start, reading = self._found(record, _PREFERENCES)
        recalled = None if reading.endings is None else reading.endings.recall(content, start)
        try:
            if recalled is not None:
                fields, alerts = recalled
                return preferences_with(alerts, fields, record.position)
            fields = _read(content, start, head, reading)
            alerts = alerts_from_fields(fields)
            if reading.endings is not None:
                reading.endings.learn(content, start, alerts)
            return preferences_with(alerts, fields, record.position)
        except InvalidPreferences as problem:
            raise _refused(head, DeadLetterReason.INVALID_PREFERENCES, str(problem)) from None

    def _found(self, record: Record, expected: Collection[str]) -> tuple[bytes, bytes, int, _Reading]:
        """The head of the record, the bytes that hold its content, where that begins, and how it is read."""
        head, content, start = framed(record.value, record.headers, self._value_bytes_max)
        reading = self._readings.get(head) or self._learn(head)
        if isinstance(reading, _Refusal):
            raise _refused(head, reading.reason, reading.detail)
        if reading.full_name not in expected:
            raise _refused(head, DeadLetterReason.WRONG_TYPE, "the schema is not of a kind that is read here")
        if len(content) - start > reading.bytes_max:
            raise _refused(head, DeadLetterReason.TOO_LARGE, f"it could become more than {VALUES_MAX} values")
        try:
            refuse_long_numbers(reading.schema, content, start)
        except Unreadable as problem:
            raise _unreadable_field(head, problem) from None
        return head, content, start, reading

    def _learn(self, head: bytes) -> _Reading | _Refusal:
        """How to read what was written so; remembered, but not that the registry does not know it: it may, later."""
        reading = _reading(self._text(named_by(head)), self._library)
        self._readings[head] = reading
        while len(self._readings) > _SCHEMAS_MAX or self._characters > _CHARACTERS_MAX:
            self._readings.popitem(last=False)
        return reading

    @property
    def _characters(self) -> int:
        return sum(one.characters for one in tuple(self._readings.values()) if isinstance(one, _Reading))

    def _learn_ours(self, head: bytes) -> _Reading | _Refusal | None:
        """The same for schemas that nobody need be asked for."""
        writer = named_by(head)
        ours = isinstance(writer, Fingerprint) and self._library.text(writer) is not None
        return self._learn(head) if ours else None

    def _text(self, writer: WriterSchema) -> str:
        match writer:
            case Fingerprint():
                text = self._library.text(writer)
                if text is None:
                    raise Undecodable(
                        DeadLetterReason.UNKNOWN_SCHEMA, "no schema of ours has this fingerprint", schema=str(writer)
                    )
                return text
            case ConfluentId():
                return _asked(self._registry, writer).by_id(writer.id)
            case ConfluentGuid():
                return _asked(self._registry, writer).by_guid(writer.guid)
            case GlueVersion():
                return _asked(self._glue, writer).by_version(writer.version)


def _unseen(_: bytes, __: int) -> None:
    """A Glancer: of what must be read in full."""


def _asked(registry: _Registry | None, writer: WriterSchema) -> _Registry:
    if registry is None:
        which = "AWS Glue" if isinstance(writer, GlueVersion) else "registry"
        raise Undecodable(DeadLetterReason.NO_REGISTRY, f"no {which} is set to ask for the id", schema=str(writer))
    return registry


def _refused(head: bytes, reason: DeadLetterReason, detail: str) -> Undecodable:
    return Undecodable(reason, detail, schema=str(named_by(head)))


def _reading(text: str, library: Library) -> _Reading | _Refusal:
    try:
        schema = read_schema(text)
        reader = library.readers.get(schema.name)
        if reader is None:
            return _Refusal(reason=DeadLetterReason.WRONG_TYPE, detail="the schema's full name is none of ours")
        return _Reading(
            full_name=reader.name,
            characters=len(text),
            bytes_max=VALUES_MAX / density(schema),
            schema=schema,
            wire=Wire(schema),
            change=plan(schema, reader),
            glance=glancer(schema, reader),
            endings=_endings(schema, reader),
        )
    except SchemaRefused as problem:
        return _Refusal(reason=DeadLetterReason.SCHEMA_REFUSED, detail=str(problem))
    except Exception:  # noqa: BLE001 - a schema comes from outside as its records do: it must not stop those after it
        return _Refusal(reason=DeadLetterReason.SCHEMA_REFUSED, detail="the schema cannot be used")


def _endings(writer: RecordType, reader: RecordType) -> Endings[Mapping[str, AlertPreference]] | None:
    if reader.name not in _PREFERENCES or not ends_in(writer, reader, _ALERTS):
        return None
    return Endings(writer, reader, _ALERTS)


def _read(content: bytes, start: int, head: bytes, reading: _Reading) -> Mapping[str, Any]:
    stream = io.BytesIO(content)
    stream.seek(start)
    try:
        fields: dict[str, Any] = reading.wire.read(stream)
    except Exception:  # noqa: BLE001 - bytes from outside: whatever they provoke is a dead letter, never a crash
        raise _refused(head, DeadLetterReason.UNDECODABLE, _unreadable(content, start, reading)) from None
    left = len(content) - stream.tell()
    if left:
        raise _refused(head, DeadLetterReason.TRAILING_BYTES, f"{left} bytes are left behind the last field")
    try:
        return reading.change(fields)  # type: ignore[no-any-return]
    except Unreadable as problem:
        raise _unreadable_field(head, problem) from None


def _unreadable_field(head: bytes, problem: Unreadable) -> Undecodable:
    return _refused(head, DeadLetterReason.UNDECODABLE, f"field {problem.path}: {problem.rule}")


def _unreadable(content: bytes, start: int, reading: _Reading) -> str:
    """Which field it was: looked for only where something went wrong."""
    stream = io.BytesIO(content)
    stream.seek(start)
    return f"field {reading.wire.unreadable_field(stream)}: the bytes are not what the schema says"
