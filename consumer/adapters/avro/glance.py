"""The leading fields of an event, read without the rest of its record."""

import io
from collections.abc import Callable, Mapping
from itertools import product

import msgspec

from consumer.adapters.avro.types import ArrayType, DecimalType, EnumType, Primitive, RecordType, Type
from consumer.adapters.avro.values import DECIMAL_BYTES_MAX, DIGITS_MAX
from consumer.adapters.avro.wire import Wire
from consumer.core.event import NAMESPACE
from consumer.core.screen import DIGITS, LEADING, Glance

Glancer = Callable[[bytes, int], Glance | None]
"""From a record's value, and where its content starts in it, to what it begins with; None where that cannot be read."""

_TEXT = Primitive("string")
_ONE_ITEM, _NO_MORE_ITEMS, _THREE_LETTERS = 2, 0, 6
_SIGNED_OR_LONGER = 0x81
_SYMBOLS_MAX = 16
"""Of each field, those that are known by their bytes: each needs one byte, and all combinations fit in memory."""


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
    known = tuple(one for one in meanings if one is not None)
    whole = _whole(wire, event_type, amount, known)
    return whole if amount.size is not None else _short(whole, event_type, amount, known)


def _meanings(writer: Type, reader: Type) -> dict[str, str] | None:
    """What each of the writer's symbols is read as; empty where it is none of ours and nothing stands in for it."""
    if not isinstance(writer, EnumType) or not isinstance(reader, EnumType):
        return None
    known = frozenset(reader.symbols)
    return {symbol: symbol if symbol in known else reader.default or "" for symbol in writer.symbols}


def _whole(wire: Wire, event_type: str, amount: DecimalType, meanings: tuple[dict[str, str], ...]) -> Glancer:
    """By fastavro, whatever the record looks like."""
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


def _short(whole: Glancer, event_type: str, amount: DecimalType, meanings: tuple[dict[str, str], ...]) -> Glancer:
    """The same at a third of the cost for what nearly all records look like; `whole` reads all others.

    That is: one customer, a currency of three letters, and each length and each symbol in one byte. In Avro a number's
    lowest bit is its sign and a set highest bit says that it goes on: a byte with neither is twice the number.
    """
    factor, bound = 10 ** (DIGITS - amount.scale), 10 ** min(amount.precision, DIGITS_MAX)
    symbols_of = _in_bytes(meanings)
    symbol_bytes = len(meanings)
    integer = int.from_bytes

    def glance(value: bytes, start: int) -> Glance | None:
        try:
            length = value[start + 1]
            amount_at = start + 4 + length // 2
            amount_length = value[amount_at - 1]
            currency_at = amount_at + 1 + amount_length // 2
            symbols_at = currency_at + 3
            symbols = symbols_of.get(value[symbols_at : symbols_at + symbol_bytes])
            if (
                symbols is None
                or value[start] != _ONE_ITEM
                or value[amount_at - 2] != _NO_MORE_ITEMS
                or value[currency_at - 1] != _THREE_LETTERS
                or (length | amount_length) & _SIGNED_OR_LONGER
                or not 0 < amount_length <= 2 * DECIMAL_BYTES_MAX
                or symbols_at > len(value)
            ):
                return whole(value, start)
            unscaled = integer(value[amount_at : currency_at - 1], "big", signed=True)
            if not -bound < unscaled < bound:
                return None
            return Glance(
                event_type=event_type,
                customer_ids=[value[start + 2 : amount_at - 2].decode()],
                amount=unscaled * factor,
                currency=value[currency_at:symbols_at].decode(),
                symbols=symbols,
            )
        except (IndexError, UnicodeDecodeError):
            return None

    return glance


def _in_bytes(meanings: tuple[dict[str, str], ...]) -> Mapping[bytes, tuple[str, ...]]:
    """What the places of the first symbols, one byte each, are read as."""
    places = [list(enumerate(one.values()))[:_SYMBOLS_MAX] for one in meanings]
    return {
        bytes(2 * place for place, _ in combination): tuple(meaning for _, meaning in combination)
        for combination in product(*places)
    }
