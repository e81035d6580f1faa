"""The screen may let too much through, never too little: it is held against the path without it."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.core.catalogue import Catalogue
from consumer.core.decision import Suppress, cancellation, decide
from consumer.core.event import Channel, Direction, Event, Money, TransactionStatus, event_type
from consumer.core.notice import Change, EventKey
from consumer.core.preferences import AlertPreference, Filters, Preferences
from consumer.core.record import Fetched, Record
from consumer.core.screen import Screen, screened
from consumer.core.standing import Memory, Questions, Side, Standing, StandingKey
from consumer.core.weighing import questions, weigh
from consumer.pipeline import Pipeline
from consumer.ports import DeadLetter
from tests.avro import experienced, fields_of, our_bytes
from tests.builders import NOW, PSEUDONYMS, preferences, record
from tests.deciding import CATALOGUE
from tests.fakes import Listed
from tests.properties.deciding_strategies import KINDS, balances, catalogues, customers, events, transactions

DECODER = experienced()
HOLDERS = ("cust-1", "cust-2")
ENTITLED = st.sampled_from([("cust-1",), ("cust-2",), HOLDERS, ("cust-1", "stranger")])
STANDINGS = st.builds(Standing, side=st.sampled_from(Side), sequence=st.integers(0, 20) | st.just(10**15))


@st.composite
def memories(draw: st.DrawFn) -> Memory:
    accounts = [PSEUDONYMS.account(account_id) for account_id in ("acc-1", "acc-2")]
    keys = st.builds(
        StandingKey,
        customer_id=st.sampled_from(HOLDERS),
        account=st.sampled_from(accounts),
        kind=st.sampled_from(KINDS),
    )
    return Memory(standings=draw(st.dictionaries(keys, STANDINGS, max_size=6)), told={})


EDGES = st.sampled_from([Decimal(cents) / 100 for cents in (4_999, 5_000, 9_999, 10_000, 10_001)])


@st.composite
def catalogues_with_edges(draw: st.DrawFn) -> Catalogue:
    """Little is on by itself; two kinds compare the same amount, and one in four kinds asks nobody."""
    twin = msgspec.structs.replace(CATALOGUE.kind("large_debit"), name="any_debit")
    kinds = [
        msgspec.structs.replace(
            kind,
            enabled_by_default=False,
            mandatory=draw(st.integers(0, 3)) == 0,
            thresholds={"EUR": draw(EDGES)} if kind.thresholds else {},
        )
        for kind in (*CATALOGUE.kinds, twin)
    ]
    return Catalogue(version="edges", kinds=tuple(kinds))


@st.composite
def reserved(draw: st.DrawFn) -> Preferences:
    """A customer who wants few things, and these at an edge: most events are none of their business."""
    kinds = st.sampled_from(["any_debit", "large_debit", "atm_withdrawal", "low_balance"])
    wanted = draw(st.sets(kinds, min_size=1, max_size=2))
    filters = st.builds(
        Filters,
        directions=st.sampled_from([frozenset[Direction](), frozenset({Direction.DEBIT})]),
        channels=st.sampled_from([frozenset[Channel](), frozenset({Channel.ATM}), frozenset({Channel.TRANSFER})]),
    )
    return preferences(
        alerts={
            name: AlertPreference(
                enabled=True,
                threshold=draw(st.none() | st.builds(Money, amount=EDGES, currency=st.just("EUR"))),
                filters=draw(filters),
            )
            for name in wanted
        }
    )


@st.composite
def edgy(draw: st.DrawFn) -> Event:
    """An event whose amount is about as large as somebody's threshold, of a sort that is told."""
    money = Money(amount=draw(EDGES), currency="EUR")
    if draw(st.booleans()):
        return msgspec.structs.replace(draw(balances()), available=money, previous_available=None)
    channel = draw(st.sampled_from([Channel.ATM, Channel.TRANSFER]))
    status = draw(st.sampled_from([TransactionStatus.AUTHORISED, TransactionStatus.POSTED]))
    return msgspec.structs.replace(
        draw(transactions()), amount=money, channel=channel, status=status, direction=Direction.DEBIT
    )


def written(event: Event) -> Record:
    return record(value=our_bytes(event_type(event), fields_of(event)))


@given(events(), st.none() | customers(), catalogues(), memories())
@settings(max_examples=100, deadline=None)
def test_what_is_screened_would_tell_nothing_change_no_standing_and_take_nothing_back(
    event: Event, customer: Preferences | None, kinds: Catalogue, memory: Memory
) -> None:
    hold(event, customer, kinds, memory)


@given(edgy(), st.none() | reserved(), catalogues_with_edges(), memories())
@settings(max_examples=200, deadline=None)
def test_nor_would_what_is_screened_at_the_edge_of_a_threshold_or_a_filter(
    event: Event, customer: Preferences | None, kinds: Catalogue, memory: Memory
) -> None:
    hold(event, customer, kinds, memory)


def hold(event: Event, customer: Preferences | None, kinds: Catalogue, memory: Memory) -> None:
    [glance] = DECODER.glances(Fetched([written(event)]))

    if glance is not None and not screened([glance], [Screen(kinds).word(customer)] * len(glance.customers)).unread:
        decision = decide(weigh(event, "cust-1", customer, kinds, PSEUDONYMS), memory, NOW)
        assert isinstance(decision, Suppress)
        assert decision.standings == ()
        assert cancellation(event, "cust-1", record().position, kinds) is None
        assert questions([weigh(event, "cust-1", customer, kinds, PSEUDONYMS)]) == Questions()


@given(
    st.lists(st.tuples(events() | edgy(), ENTITLED), min_size=1, max_size=8),
    customers() | reserved(),
    customers() | reserved(),
    catalogues() | catalogues_with_edges(),
    memories(),
)
@settings(max_examples=80, deadline=None)
def test_a_row_of_events_changes_the_outbox_and_the_memory_as_without_the_screen(
    row: Sequence[tuple[Event, tuple[str, ...]]],
    anna: Preferences,
    other: Preferences,
    kinds: Catalogue,
    memory: Memory,
) -> None:
    bruno = msgspec.structs.replace(other, customer_id="cust-2")
    pipeline = Pipeline(
        decoder=DECODER,
        preferences=Listed(anna, bruno, kinds=kinds),
        catalogue=kinds,
        pseudonyms=PSEUDONYMS,
        tenant="default",
    )
    records = [written(msgspec.structs.replace(event, customer_ids=entitled)) for event, entitled in row]

    passed = pipeline.screen(Fetched(records)).unread

    assert outcome(pipeline, passed, memory) == outcome(pipeline, records, memory)


def outcome(pipeline: Pipeline, records: Sequence[Record], before: Memory) -> tuple[list[Change], Memory]:
    memory, known = Memory(standings=dict(before.standings), told=dict(before.told)), set[EventKey]()
    changes = []
    for one in records:
        read = pipeline.read(one)
        assert not isinstance(read, DeadLetter)
        verdicts = [pipeline.judge(case, memory, known, NOW) for case in pipeline.cases([(one, read)])]
        changes += [verdict.change for verdict in verdicts if verdict.change is not None]
    return changes, memory
