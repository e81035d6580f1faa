"""Who reads the events: a loop that only fetches them, the reference that also decodes them, and Avviso's whole intake."""

import io
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import fastavro
import msgspec
from confluent_kafka import Consumer, Message

from consumer.adapters import resources
from consumer.adapters.avro import Library
from consumer.adapters.outbox_sqlite import SqliteOutboxReader
from consumer.adapters.preference_table import PreferenceTable
from consumer.ports import RecordSource
from consumer.process import rare_collections
from tests.benchmarks.counting import SILENCE_S, CountingSource
from tests.benchmarks.population import BALANCES, TRANSACTIONS
from tests.benchmarks.prefetch import deliver_ahead, fetch_ahead
from tests.benchmarks.turns import Spent, Turn
from tests.benchmarks.wiring import Places, intake_of
from tests.brokers import fresh

BATCH_RECORDS = 500
_HEADER_BYTES = 10  # of an Avro single object


def consume(places: Places, count: int, turn: Turn) -> Spent:
    """Fetch, and look at nothing."""
    return _consumed(places, count, lambda _: None, turn)


def reference(places: Places, count: int, turn: Turn) -> Spent:
    """Fetch, and decode by the schema as it is shipped: what nobody can do without who reads every event."""
    schemas = _schemas()

    def decode(messages: Sequence[Message]) -> None:
        for message in messages:
            value: Any = message.value()
            stream = io.BytesIO(value)
            fastavro.schemaless_reader(stream, schemas[stream.read(_HEADER_BYTES)], None)

    return _consumed(places, count, decode, turn)


def avviso(places: Places, count: int, told: int, table: PreferenceTable, folder: Path, turn: Turn) -> Spent:
    """Everything that intake does, for a new group and on a new outbox: nothing was read, nothing was told.

    A share is a batch, until that is durable; the next one is read by then, as always.
    """
    stopping, spent = threading.Event(), list[Spent]()

    def done(records: int) -> None:
        if records < count:
            turn.pass_on()
        else:
            spent.append(turn.stop())

    def watched(source: RecordSource) -> RecordSource:
        return CountingSource(source, count, stopping, done=done)

    with ExitStack() as undo:
        outbox = Path(undo.enter_context(tempfile.TemporaryDirectory(dir=folder))) / "outbox.sqlite"
        settings = msgspec.structs.replace(places, group=fresh("avviso"), outbox=str(outbox)).settings()
        loop = undo.enter_context(intake_of(settings, table, watched, stopping))
        deliver_ahead(loop.source, places.filled())
        with rare_collections():  # as `run` does; whoever has a turn meanwhile is spared them too
            turn.start()
            loop.run()
        see_notices(outbox, told)
    return spent[0]


def see_notices(outbox: Path, expected: int) -> None:
    """Raises RuntimeError where there are not so many."""
    with SqliteOutboxReader.open(outbox) as reader:
        found = sum(reader.stats().values())
    if found != expected:
        raise RuntimeError(f"{found} notices stand in the outbox, not {expected}")


def _consumed(places: Places, count: int, take: Callable[[Sequence[Message]], None], turn: Turn) -> Spent:
    """All records, no offset committed. The last batch asks for no more than there is: it would wait for more."""
    filled, share_records = places.filled(), places.settings().intake.batch_records_max
    consumer = Consumer(
        {
            "bootstrap.servers": places.bootstrap_servers,
            "group.id": fresh("bare"),
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([places.transactions, places.balances])
    try:
        fetch_ahead(consumer, filled)
        seen, share = 0, 0
        turn.start()
        while seen < count:
            if share >= share_records:
                share = 0
                turn.pass_on()
            messages = _batch(consumer, count - seen)
            take(messages)
            seen += len(messages)
            share += len(messages)
        return turn.stop()
    finally:
        consumer.close()


def _batch(consumer: Consumer, left: int) -> Sequence[Message]:
    patient_until_s = time.monotonic() + SILENCE_S
    while not (messages := consumer.consume(min(BATCH_RECORDS, left), 1.0)):
        if time.monotonic() > patient_until_s:
            raise TimeoutError(f"{left} records are still to come, and none came for {SILENCE_S:.0f} s")
    return messages


def _schemas() -> Mapping[bytes, Any]:
    """Each schema as it is shipped, logical types and all, by the header of its records."""
    library = Library(resources.schemas())
    parsed = {}
    for name in (TRANSACTIONS, BALANCES):
        schema = fastavro.parse_schema(msgspec.json.decode(library.newest_text(name)))
        canonical = fastavro.schema.to_parsing_canonical_form(schema)
        fingerprint = fastavro.schema.fingerprint(canonical, "CRC-64-AVRO")
        parsed[b"\xc3\x01" + bytes.fromhex(fingerprint)] = schema
    return parsed
