"""A glance sees what fastavro reads of the same bytes, or leaves the record alone."""

import io
import json
from typing import Any

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from consumer.adapters.avro.framing import SINGLE_OBJECT_BYTES
from consumer.adapters.avro.glance import glancer
from consumer.adapters.avro.parsing import read_schema
from consumer.adapters.avro.wire import Wire
from consumer.core.screen import LEADING, Glance, heading
from tests.avro import balance_fields, our_bytes, schema, transaction_fields
from tests.properties.test_avro_round_trip import BALANCES, TRANSACTIONS

EXAMPLES = settings(max_examples=400, deadline=None)
OURS = {name: read_schema(json.dumps(schema(name))) for name in LEADING}
GLANCERS = {name: glancer(ours, ours) for name, ours in OURS.items()}
LEADERS = {
    name: Wire(msgspec.structs.replace(ours, fields=ours.fields[: len(LEADING[name])])) for name, ours in OURS.items()
}
BEYOND = 10**20  # more digits than the precision of both amounts
RECORDS = st.one_of(
    TRANSACTIONS.map(lambda fields: ("TransactionPosted", our_bytes("TransactionPosted", fields))),
    BALANCES.map(lambda fields: ("BalanceChanged", our_bytes("BalanceChanged", fields))),
)


def seen(name: str, value: bytes) -> Glance | None:
    glance = GLANCERS[name]
    assert glance is not None
    return glance(value, SINGLE_OBJECT_BYTES)


def read(name: str, value: bytes) -> Glance | None:
    """The same by the leading fields alone, as fastavro reads them."""
    try:
        fields: dict[str, Any] = LEADERS[name].read(io.BytesIO(value[SINGLE_OBJECT_BYTES:]))
    except Exception:  # noqa: BLE001 - whatever bytes may provoke
        return None
    _, amount_name, _, *symbols = LEADING[name]
    raw = fields[amount_name]
    unscaled = int.from_bytes(raw, "big", signed=True)
    begun = heading(name, fields["currency"], tuple(fields[symbol] for symbol in symbols))
    customers = tuple(one.encode() for one in fields["customer_ids"])
    if not 0 < len(raw) <= 16 or abs(unscaled) >= BEYOND or (unscaled < 0 and name == "TransactionPosted"):
        return None
    return Glance(begun, customers, unscaled) if begun is not None and customers and all(customers) else None


@EXAMPLES
@given(RECORDS)
def test_every_record_begins_as_it_was_written(one: tuple[str, bytes]) -> None:
    assert seen(*one) == read(*one)


@EXAMPLES
@given(RECORDS, st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=3), st.integers(0, 80))
@example(("TransactionPosted", our_bytes("TransactionPosted", transaction_fields())), [], 0)
@example(("BalanceChanged", our_bytes("BalanceChanged", balance_fields())[:26]), [], 0)
def test_spoilt_and_cut_bytes_are_never_seen_as_something_else(
    one: tuple[str, bytes], spoilt: list[tuple[int, int]], cut: int
) -> None:
    name, whole = one
    value = bytearray(whole)
    for place, byte in spoilt:
        if SINGLE_OBJECT_BYTES + place < len(value):
            value[SINGLE_OBJECT_BYTES + place] = byte
    short = bytes(value[: len(value) - cut])

    assert seen(name, short) == read(name, short)


@EXAMPLES
@given(st.sampled_from(sorted(LEADING)), st.binary(max_size=40))
def test_any_bytes_are_seen_as_fastavro_reads_them(name: str, content: bytes) -> None:
    value = bytes(SINGLE_OBJECT_BYTES) + content

    assert seen(name, value) == read(name, value)
