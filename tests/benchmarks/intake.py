"""Avviso's whole intake beside the loops that do less with the same records, for several mixtures of events."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import msgspec

from consumer.adapters.preference_table import PreferenceTable
from tests.benchmarks.bank import Bank
from tests.benchmarks.contenders import BATCH_RECORDS, avviso, consume, reference
from tests.benchmarks.customers import Customers, customer_id
from tests.benchmarks.measuring import Contest, Side
from tests.benchmarks.population import (
    BALANCES,
    ORDINARY,
    RECORD_BYTES,
    TRANSACTIONS,
    Mixture,
    events,
)
from tests.benchmarks.publishing import published
from tests.benchmarks.site import Site
from tests.benchmarks.wiring import Places, table_of, wait_until_ready
from tests.brokers import fresh_topic

_PATIENCE_S = 600.0


@contextmanager
def intake(site: Site, bank: Bank) -> Iterator[Sequence[Contest]]:
    """Fill the topics and open the table of preferences; hand out a contest for each mixture."""
    bank.filled()
    with table_of(bank.places.settings()) as table:
        wait_until_ready(table, _PATIENCE_S)
        _meet(table, bank.customers)
        yield [_contest(site, bank, table, mixture) for mixture in _mixtures(site)]


def _meet(table: PreferenceTable, customers: Customers) -> None:
    """Everybody was asked about once, as after some hours: the first time costs more than any other."""
    everybody = [customer_id(number).encode() for number in range(customers.count + customers.count // 2)]
    for start in range(0, len(everybody), BATCH_RECORDS):
        table.words(everybody[start : start + BATCH_RECORDS])


def _mixtures(site: Site) -> Iterator[Mixture]:
    yield ORDINARY
    yield from (Mixture(told=told) for told in site.scale.other_mixtures)


def with_events(site: Site, bank: Bank, mixture: Mixture, count: int) -> Places:
    """The bank's places with topics of their own for so many events, which are there already."""
    partitions = site.partitions(count * RECORD_BYTES)
    topics = {name: fresh_topic(site.kafka, name, partitions) for name in (TRANSACTIONS, BALANCES)}
    stream = events(mixture, count, bank.customers, topics)
    if published(site.kafka.bootstrap_servers, stream) != count:
        raise RuntimeError("not all events were published")
    return msgspec.structs.replace(bank.places, transactions=topics[TRANSACTIONS], balances=topics[BALANCES])


def _contest(site: Site, bank: Bank, table: PreferenceTable, mixture: Mixture) -> Contest:
    count, places = site.scale.records, with_events(site, bank, mixture, site.scale.records)
    settings = places.settings()
    decoded = Side(
        name="reference",
        does=f"consume({BATCH_RECORDS}) and fastavro.schemaless_reader, nothing done with the event, no offset committed",
        do=partial(reference, places, count),
    )
    ours = Side(
        name="Avviso",
        does="poll, screen, decode, decide, outbox on SQLite with synchronous=FULL, offsets committed",
        do=partial(avviso, places, count, mixture.told_of(count), table, site.folder),
    )
    fetched = Side(name="consume", does=f"consume({BATCH_RECORDS}) only", do=partial(consume, places, count))
    return Contest(
        name=f"intake, {mixture.name}",
        unit="records",
        count=count,
        sides=(decoded, ours, fetched) if mixture is ORDINARY else (decoded, ours),
        circumstances={
            **mixture.shares(),
            "customers with preferences": bank.customers.count,
            "and without": bank.customers.count // 2,
            "of whom were asked about before": "all",
            "sets of wishes": bank.customers.sets_of_wishes(),
            "partitions": 2 * site.partitions(count * RECORD_BYTES),
            "batch": settings.intake.batch_records_max,
            "framing": "Avro single object",
        },
    )
