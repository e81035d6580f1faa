"""Events, preferences and memory as JSON files, for trying out a decision by hand."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import msgspec

from consumer.core.event import NAMESPACE, Event, InvalidEvent
from consumer.core.event_fields import EVENT_TYPES, event_from_fields
from consumer.core.preferences import FULL_NAME, InvalidPreferences, Preferences, preferences_from_fields
from consumer.core.pseudonym import Pseudonyms
from consumer.core.record import Position
from consumer.core.standing import Memory, Occurrence, Side, Standing, StandingKey

Schema = Mapping[str, Any]
_NOWHERE = Position(topic="(file)", partition=0, offset=0)


class UnusableInput(ValueError):
    """A file that cannot be read as what it should be. Says which file, which field and what to write there."""


def read_event(path: Path, schemas: Path) -> Event:
    """The event in a JSON file: the fields of its schema, and `type` (`TransactionPosted`, ...)."""
    document = _document(path)
    if not isinstance(document, dict):
        raise UnusableInput(f"{path.name}: write one JSON object, the event's fields")
    name = str(document.pop("type", "")).rpartition(".")[2]
    if f"{NAMESPACE}.{name}" not in EVENT_TYPES:
        known = ", ".join(sorted(full_name.rpartition(".")[2] for full_name in EVENT_TYPES))
        raise UnusableInput(f'{path.name}: "type" names no event type; write one of {known}')
    try:
        return event_from_fields(f"{NAMESPACE}.{name}", _fields(path, schemas, name, document))
    except InvalidEvent as problem:
        raise UnusableInput(f"{path.name}: {problem}") from None


def read_preferences(path: Path, schemas: Path) -> dict[str, Preferences]:
    """The preferences in a JSON file, by customer: one object with the fields of `schemas/AlertPreferences`, or a list."""
    document = _document(path)
    name = FULL_NAME.rpartition(".")[2]
    try:
        found = [
            preferences_from_fields(_fields(path, schemas, name, one), _NOWHERE)
            for one in (document if isinstance(document, list) else [document])
        ]
    except InvalidPreferences as problem:
        raise UnusableInput(f"{path.name}: {problem}") from None
    return {preferences.customer_id: preferences for preferences in found}


class _StandingRow(msgspec.Struct, forbid_unknown_fields=True):
    customer_id: str
    kind: str
    side: Side
    sequence: int


class _ToldRow(msgspec.Struct, forbid_unknown_fields=True):
    customer_id: str
    kind: str
    scope: str
    amount: Decimal | None = None


class _MemoryFile(msgspec.Struct, forbid_unknown_fields=True):
    standings: list[_StandingRow] = []
    told: list[_ToldRow] = []


def read_memory(path: Path | None, event: Event, pseudonyms: Pseudonyms) -> Memory:
    """What was seen and told before: `{"standings": [...], "told": [...]}`; `<account>` in a scope is the event's."""
    if path is None:
        return Memory(standings={}, told={})
    try:
        content = msgspec.json.decode(path.read_bytes(), type=_MemoryFile)
    except OSError as problem:
        raise UnusableInput(f"{path.name}: cannot be read ({problem.strerror})") from None
    except msgspec.DecodeError as problem:
        raise UnusableInput(f"{path.name}: {problem}") from None
    account = pseudonyms.account(event.account.id)
    told = [
        Occurrence(
            customer_id=row.customer_id,
            kind=row.kind,
            scope=row.scope.replace("<account>", account),
            amount=row.amount,
        )
        for row in content.told
    ]
    return Memory(
        standings={
            StandingKey(customer_id=row.customer_id, account=account, kind=row.kind): Standing(
                side=row.side, sequence=row.sequence
            )
            for row in content.standings
        },
        told={occurrence.key: occurrence for occurrence in told},
    )


def _document(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as problem:
        raise UnusableInput(f"{path.name}: cannot be read ({problem.strerror})") from None
    except ValueError:
        raise UnusableInput(f"{path.name}: is not JSON in UTF-8") from None


def _fields(path: Path, schemas: Path, name: str, document: Any) -> Mapping[str, Any]:
    """The JSON object as the decoder would give it, by the newest version of the schema."""
    newest = max((schemas / name).glob("v*.avsc"), key=lambda file: int(file.stem[1:]))
    schema = json.loads(newest.read_text(encoding="utf-8"))
    return _typed(document, schema, f"{path.name}: {name}")  # type: ignore[no-any-return]


def _typed(value: Any, schema: Any, where: str) -> Any:
    """`value` as Python's type for the Avro `schema`: Decimal, aware datetime, and defaults where a field is absent."""
    if isinstance(schema, list):
        return None if value is None else _typed(value, next(one for one in schema if one != "null"), where)
    match schema:
        case {"logicalType": "decimal"}:
            return _decimal(value, where)
        case {"logicalType": "timestamp-micros"}:
            return _instant(value, where)
        case {"type": "record", "fields": fields}:
            return _record(value, fields, where)
        case {"type": "array", "items": items} if isinstance(value, list):
            return [_typed(one, items, f"{where}[{index}]") for index, one in enumerate(value)]
        case {"type": "map", "values": values} if isinstance(value, dict):
            return {key: _typed(one, values, f"{where}.{key}") for key, one in value.items()}
        case {"type": "enum", "symbols": symbols} if value not in symbols:
            raise UnusableInput(f"{where}: write one of {', '.join(symbols)}")
        case {"type": "array" | "map"}:
            raise UnusableInput(f"{where}: write a JSON {'list' if schema['type'] == 'array' else 'object'}")
        case str():
            return _plain(value, schema, where)
        case _:
            return value


def _record(value: Any, fields: list[Schema], where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UnusableInput(f"{where}: write a JSON object")
    known = {field["name"] for field in fields}
    if unknown := sorted(set(value) - known):
        raise UnusableInput(f"{where}: there is no field {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    typed = {}
    for field in fields:
        name = field["name"]
        if name not in value and "default" not in field:
            raise UnusableInput(f"{where}.{name} is missing")
        typed[name] = _typed(value[name] if name in value else field["default"], field["type"], f"{where}.{name}")
    return typed


def _decimal(value: Any, where: str) -> Decimal:
    try:
        number = Decimal(value) if isinstance(value, (str, int, Decimal)) and not isinstance(value, bool) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise UnusableInput(f'{where}: write an amount, as "12.50"')
    return number


def _instant(value: Any, where: str) -> datetime:
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        at = None
    if at is None or at.tzinfo is None:
        raise UnusableInput(f'{where}: write an instant with its offset, as "2026-11-22T14:30:00+01:00"')
    return at.astimezone(UTC)


_PLAIN: Mapping[str, tuple[type, str]] = {
    "string": (str, "a text in quotes"),
    "boolean": (bool, "true or false"),
    "int": (int, "a whole number"),
    "long": (int, "a whole number"),
}


def _plain(value: Any, schema: str, where: str) -> Any:
    kind, wanted = _PLAIN[schema]
    if type(value) is not kind:
        raise UnusableInput(f"{where}: write {wanted}")
    return value
