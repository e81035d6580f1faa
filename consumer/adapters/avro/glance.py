"""The leading fields of an event, read without the rest of its record."""

import io
from collections.abc import Callable
from functools import lru_cache

import msgspec

from consumer.adapters.avro.types import ArrayType, DecimalType, EnumType, Primitive, RecordType, Type
from consumer.adapters.avro.values import DECIMAL_BYTES_MAX, DIGITS_MAX
from consumer.adapters.avro.wire import Wire
from consumer.core.event import CUSTOMERS_MAX, NAMESPACE
from consumer.core.screen import DIGITS, LEADING, TRANSACTION, Glance, Heading, heading

Glancer = Callable[[bytes, int], Glance | None]
"""From a record's value, and where its content starts in it, to what it begins with; None where it must be read in full."""

_TEXT = Primitive("string")
_ONE_ITEM, _NO_MORE_ITEMS, _THREE_LETTERS = 2, 0, b"\x06"
_SIGNED_OR_LONGER = 0x81
_HEADINGS_MAX = 4096


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
    factor, lowest, bound = _measures(event_type, amount)
    symbols = tuple(zip(symbol_names, meanings, strict=True))
    integer = int.from_bytes

    def glance(value: bytes, start: int) -> Glance | None:
        stream = io.BytesIO(value)
        stream.seek(start)
        try:
            fields = wire.read(stream)
        except Exception:  # noqa: BLE001 - bytes from outside: whoever reads all of it says what is wrong
            return None
        if len(fields["customer_ids"]) > CUSTOMERS_MAX:
            return None
        raw, customers = fields[amount_name], tuple(map(str.encode, fields["customer_ids"]))
        unscaled = integer(raw, "big", signed=True)
        begun = heading(event_type, fields["currency"], tuple([of[fields[name]] for name, of in symbols]))
        if begun is None or not customers or b"" in customers:
            return None
        if not 0 < len(raw) <= DECIMAL_BYTES_MAX or not lowest < unscaled < bound:
            return None
        return Glance(begun, customers, unscaled * factor)

    return glance


def _short(whole: Glancer, event_type: str, amount: DecimalType, meanings: tuple[dict[str, str], ...]) -> Glancer:
    """The same at a third of the cost for what nearly all records look like; `whole` reads all others.

    That is: one customer with an id in ASCII, a currency of three letters, and each length and each symbol in one byte. In
    Avro a number's lowest bit is its sign and a set highest bit says that it goes on: a byte with neither is twice the
    number.
    """
    factor, lowest, bound = _measures(event_type, amount)
    integer, headings, behind_amount = int.from_bytes, _headings(event_type, meanings), 4 + len(meanings)

    def glance(value: bytes, start: int) -> Glance | None:
        try:
            length = value[start + 1]
            customer_end = start + 2 + length // 2
            amount_length = value[customer_end + 1]
            amount_end = customer_end + 2 + amount_length // 2
            begun = headings(value[amount_end : amount_end + behind_amount])
            customer = value[start + 2 : customer_end]
            if (
                begun is None
                or value[start] != _ONE_ITEM
                or value[customer_end] != _NO_MORE_ITEMS
                or (length | amount_length) & _SIGNED_OR_LONGER
                or not customer.isascii()
                or not customer
                or not 0 < amount_length <= 2 * DECIMAL_BYTES_MAX
            ):
                return whole(value, start)
            unscaled = integer(value[customer_end + 2 : amount_end], "big", signed=True)
            return Glance(begun, (customer,), unscaled * factor) if lowest < unscaled < bound else None
        except IndexError:
            return None

    return glance


def _measures(event_type: str, amount: DecimalType) -> tuple[int, int, int]:
    """Ten-thousandths in a unit of the amount's last digit, and between how many of these units it is possible."""
    bound: int = 10 ** min(amount.precision, DIGITS_MAX)
    return 10 ** (DIGITS - amount.scale), -1 if event_type == TRANSACTION else -bound, bound


def _headings(event_type: str, meanings: tuple[dict[str, str], ...]) -> Callable[[bytes], Heading | None]:
    """From the bytes of currency and symbols to what they say; None where it is not short, or no event begins so."""
    places = [list(one.values()) for one in meanings]

    @lru_cache(_HEADINGS_MAX)
    def heading_of(found: bytes) -> Heading | None:
        length, currency, numbers = found[:1], found[1:4], found[4:]
        if length != _THREE_LETTERS or len(found) != 4 + len(places) or any(one & _SIGNED_OR_LONGER for one in numbers):
            return None
        try:
            symbols = tuple([of[one // 2] for of, one in zip(places, numbers, strict=True)])
            return heading(event_type, currency.decode(), symbols)
        except (IndexError, UnicodeDecodeError):
            return None

    return heading_of
