"""The leading fields of an event, read without the rest of its record."""

import io
from collections.abc import Callable

import msgspec

from consumer.adapters.avro.types import ArrayType, DecimalType, EnumType, Primitive, RecordType, Type
from consumer.adapters.avro.values import DECIMAL_BYTES_MAX, DIGITS_MAX
from consumer.adapters.avro.wire import Wire
from consumer.core.event import NAMESPACE
from consumer.core.screen import DIGITS, LEADING, Glance

Glancer = Callable[[bytes, int], Glance | None]
"""From a record's value, and where its content starts in it, to what it begins with; None where that cannot be read."""

_TEXT = Primitive("string")


def glancer(writer: RecordType, reader: RecordType) -> Glancer | None:
    """How records of one writer's schema are glanced at.

    None unless it begins with the very fields that `LEADING` names, of the types that they have in ours: such records are
    read in full.
    """
    event_type = reader.name.removeprefix(f"{NAMESPACE}.")
    names = LEADING.get(event_type, ())
    leading = writer.fields[: len(names)]
    if not names or tuple(field.name for field in leading) != names:
        return None
    customers, amount, currency, *symbols = (field.type for field in leading)
    ours = {field.name: field.type for field in reader.fields}
    meanings = tuple(_meanings(written, ours[name]) for written, name in zip(symbols, names[3:], strict=True))
    if customers != ArrayType(_TEXT) or currency != _TEXT or not isinstance(amount, DecimalType):
        return None
    if amount.scale > DIGITS or any(one is None for one in meanings):
        return None
    wire = Wire(msgspec.structs.replace(writer, fields=leading))
    return _glancer(wire, event_type, amount, tuple(one for one in meanings if one is not None))


def _meanings(writer: Type, reader: Type) -> dict[str, str] | None:
    """What each of the writer's symbols is read as; empty where it is none of ours and nothing stands in for it."""
    if not isinstance(writer, EnumType) or not isinstance(reader, EnumType):
        return None
    known = frozenset(reader.symbols)
    return {symbol: symbol if symbol in known else reader.default or "" for symbol in writer.symbols}


def _glancer(wire: Wire, event_type: str, amount: DecimalType, meanings: tuple[dict[str, str], ...]) -> Glancer:
    _, amount_name, _, *symbol_names = LEADING[event_type]
    factor, bound = 10 ** (DIGITS - amount.scale), 10 ** min(amount.precision, DIGITS_MAX)
    symbols = tuple(zip(symbol_names, meanings, strict=True))
    integer = int.from_bytes

    def glance(value: bytes, start: int) -> Glance | None:
        stream = io.BytesIO(value)
        stream.seek(start)
        try:
            fields = wire.read(stream)
        except Exception:  # noqa: BLE001 - bytes from outside: whoever reads all of it says what is wrong
            return None
        raw = fields[amount_name]
        unscaled = integer(raw, "big", signed=True)
        if not 0 < len(raw) <= DECIMAL_BYTES_MAX or not -bound < unscaled < bound:
            return None
        return Glance(
            event_type=event_type,
            customer_ids=fields["customer_ids"],
            amount=unscaled * factor,
            currency=fields["currency"],
            symbols=tuple([meaning[fields[name]] for name, meaning in symbols]),
        )

    return glance
