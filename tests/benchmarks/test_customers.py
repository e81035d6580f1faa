"""The millions of records that are put together from pieces are what an ordinary writer would write."""

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from consumer.adapters import resources
from consumer.adapters.avro import AvroDecoder
from consumer.adapters.catalogue_file import load_catalogue
from consumer.core.decision import Decision, Notify, Reason, decide
from consumer.core.event import Event
from consumer.core.preferences import Preferences
from consumer.core.standing import Memory
from consumer.core.weighing import weigh
from consumer.sandbox.encoding import SingleObjects
from tests.benchmarks.customers import PREFERENCES, RECORD_BYTES, Customers, Switches, customer_id, fields, switches
from tests.benchmarks.population import BALANCES, ORDINARY, TRANSACTIONS, Mixture, Sort, events
from tests.benchmarks.wishes import SAMPLES, wishes_of
from tests.builders import NOW, PSEUDONYMS, euros, record, transaction

CATALOGUE = load_catalogue(resources.catalogue())
BECOMES = {
    Sort.NOTHING_ON: {Reason.NO_PREFERENCES, Reason.SWITCHED_OFF},
    Sort.MISSED: {Reason.BELOW_THRESHOLD, Reason.FILTERED_OUT},
    Sort.COMFORTABLE: {Reason.ABOVE_THRESHOLD},
    Sort.TOLD: {"large_debit"},
}


def decoder() -> AvroDecoder:
    return AvroDecoder(schemas=resources.schemas(), registry=None, now=lambda: datetime.now(UTC))


def decided(event: Event, preferences: Preferences | None, now: datetime) -> Decision:
    return decide(weigh(event, event.customer_ids[0], preferences, CATALOGUE, PSEUDONYMS), Memory(), now)


def by_sort(count: int) -> Iterator[tuple[Sort, Decision]]:
    """That many events, each decided by the preferences that were published, as our own decoder reads both."""
    customers, read = Customers(count=3000), decoder()
    asked = {one.key: read.preferences(record(value=one.value)) for one in customers.records("preferences")}
    stream = events(ORDINARY, count, customers, {name: name for name in (TRANSACTIONS, BALANCES)})
    for sort, one in zip(ORDINARY.sorts(count), stream, strict=True):
        event = read.decode(record(value=one.value))
        yield sort, decided(event, asked.get(event.customer_ids[0]), event.occurred_at + timedelta(minutes=2))


def test_a_record_from_pieces_is_the_one_that_is_encoded_as_a_whole() -> None:
    encode = SingleObjects(resources.schemas())

    records = list(Customers(count=200).records("preferences"))

    assert [one.value for one in records] == [encode(PREFERENCES, fields(number)) for number in range(200)]
    assert [one.key for one in records] == [customer_id(number) for number in range(200)]
    assert {switches(number) for number in range(200)} == set(Switches)


@pytest.mark.parametrize("number", range(8))
def test_who_shares_a_record_asked_for_the_same(number: int) -> None:
    theirs = {"customer_id": "", "phone": ""}

    assert fields(number + 2 * SAMPLES, **theirs) == fields(number, **theirs)
    assert switches(number + 2 * SAMPLES) is switches(number)


def test_no_record_is_larger_than_the_topics_have_room_for() -> None:
    of_the_brokers = 70

    assert (
        max(len(one.key) + len(one.value) for one in Customers(count=9000).records("")) + of_the_brokers < RECORD_BYTES
    )


def test_a_million_customers_ask_for_more_than_a_cache_holds_and_some_things_are_popular() -> None:
    chance = random.Random(1)

    assert 20_000 < Customers(count=1_000_000).sets_of_wishes() < SAMPLES
    drawn = [wishes_of(chance.randrange(SAMPLES)).heard_of for _ in range(2000)]
    assert len(drawn) / 2 < len(set(drawn)) < len(drawn)


def test_no_two_customers_have_one_id() -> None:
    assert len({customer_id(number) for number in range(100_000)}) == 100_000


def test_every_event_becomes_what_it_was_made_for() -> None:
    found: dict[Sort, set[str]] = {sort: set() for sort in Sort}

    for sort, decision in by_sort(4000):
        found[sort].add(decision.kind if isinstance(decision, Notify) else decision.reason)
        assert bool(decision.standings) == (sort is Sort.COMFORTABLE)

    assert found == BECOMES


def test_quiet_hours_delay_a_notice_and_never_silence_it() -> None:
    """Whenever it happens, and for three hours after: so long the events of a run are read again and again."""
    asked = {
        (one.time_zone, one.quiet_minutes): sample for sample in range(SAMPLES // 16) for one in [wishes_of(sample)]
    }
    read, encode = decoder(), SingleObjects(resources.schemas())
    delayed = 0

    for sample in asked.values():
        value = encode(PREFERENCES, fields(2 * sample + 1))
        preferences = read.preferences(record(value=value))
        payment = transaction(customer_ids=(preferences.customer_id,), amount=euros("10000"))
        for hours in range(24):
            at = NOW + timedelta(hours=hours)
            event = msgspec.structs.replace(payment, occurred_at=at)
            for late in (timedelta(), timedelta(hours=1), timedelta(hours=3) - timedelta(minutes=1)):
                decision = decided(event, preferences, at + late)
                assert isinstance(decision, Notify)
                delayed += decision.not_before > at + late

    assert delayed


def test_the_ordinary_mixture_is_the_one_of_the_promise() -> None:
    assert _per_mille(ORDINARY) == {Sort.NOTHING_ON: 500, Sort.MISSED: 360, Sort.COMFORTABLE: 90, Sort.TOLD: 50}


def test_every_mixture_makes_a_thousand() -> None:
    assert all(sum(_per_mille(Mixture(told=told)).values()) == 1000 for told in range(1001))


def _per_mille(mixture: Mixture) -> Mapping[Sort, int]:
    deck = mixture.deck()
    return {sort: deck.count(sort) for sort in Sort}
