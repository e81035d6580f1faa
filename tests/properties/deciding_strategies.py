"""Events, customers and instants of every sort that deciding must cope with."""

from datetime import time, timedelta
from decimal import Decimal

import msgspec
from hypothesis import strategies as st

from consumer.core.catalogue import Catalogue
from consumer.core.event import (
    AccountKind,
    BalanceChanged,
    Channel,
    Counterparty,
    Direction,
    Event,
    Money,
    TransactionPosted,
    TransactionStatus,
)
from consumer.core.preferences import AlertPreference, Filters, Phone, Preferences, QuietHours, Repeat
from tests.builders import NOW, PHONE, account, balance, preferences, transaction
from tests.deciding import CATALOGUE

KINDS = [kind.name for kind in CATALOGUE.kinds]
CURRENCIES = st.sampled_from(["EUR", "EUR", "EUR", "USD", "JPY"])
ZONES = st.sampled_from(["Europe/Rome", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"])
AMOUNTS = st.integers(min_value=0, max_value=60_000).map(lambda cents: Decimal(cents) / 100)
BALANCES = st.integers(min_value=-20_000, max_value=20_000).map(lambda cents: Decimal(cents) / 100)
MINUTES = st.integers(min_value=0, max_value=1439).map(lambda minute: time(*divmod(minute, 60)))
INSTANTS = st.integers(min_value=-90_000_000, max_value=90_000_000).map(lambda s: NOW + timedelta(seconds=s))
"""Six years around now: every night in which some clock changed or will."""


def money(amounts: st.SearchStrategy[Decimal]) -> st.SearchStrategy[Money]:
    return st.builds(Money, amount=amounts, currency=CURRENCIES)


@st.composite
def transactions(draw: st.DrawFn) -> TransactionPosted:
    number = draw(st.integers(1, 4))
    return transaction(
        event_id=f"evt-t-{draw(st.integers(0, 10_000))}",
        occurred_at=NOW - timedelta(minutes=draw(st.integers(0, 3000))),
        transaction_id=f"tx-{number}",
        direction=draw(st.sampled_from(Direction)),
        status=draw(st.sampled_from(TransactionStatus)),
        channel=draw(st.sampled_from(Channel)),
        amount=draw(money(AMOUNTS)),
        original_transaction_id=draw(st.none() | st.just("tx-1")),
        account=account(id=f"acc-{draw(st.integers(1, 2))}"),
        counterparty=Counterparty(mcc=draw(st.none() | st.just("5942")), country=draw(st.none() | st.just("IT"))),
    )


@st.composite
def balances(draw: st.DrawFn, *, numbered: bool = False) -> BalanceChanged:
    currency = draw(CURRENCIES)
    previous = draw(st.none() | BALANCES)
    return balance(
        event_id=f"evt-b-{draw(st.integers(0, 10_000))}",
        occurred_at=NOW - timedelta(minutes=draw(st.integers(0, 3000))),
        account_sequence=draw(st.integers(1, 20) if numbered else st.none() | st.integers(1, 20)),
        available=Money(amount=draw(BALANCES), currency=currency),
        previous_available=None if previous is None else Money(amount=previous, currency=currency),
        account=account(id=f"acc-{draw(st.integers(1, 2))}", kind=draw(st.sampled_from(AccountKind))),
    )


def events(*, numbered: bool = False) -> st.SearchStrategy[Event]:
    """`numbered`: all balances carry their place in the account's order."""
    return transactions() | balances(numbered=numbered)


@st.composite
def alerts(draw: st.DrawFn) -> AlertPreference:
    return AlertPreference(
        enabled=draw(st.booleans()),
        threshold=draw(st.none() | money(AMOUNTS)),
        repeat=draw(st.none() | st.sampled_from(Repeat)),
        filters=draw(
            st.just(Filters())
            | st.builds(
                Filters,
                directions=st.frozensets(st.sampled_from(Direction)),
                channels=st.frozensets(st.sampled_from(Channel)),
                merchant_categories=st.frozensets(st.just("5942")),
                countries=st.frozensets(st.sampled_from(["IT", "DE"])),
                account_ids=st.frozensets(st.sampled_from(["acc-1", "acc-2"])),
            )
        ),
    )


@st.composite
def quiet_hours(draw: st.DrawFn) -> QuietHours:
    start, end = draw(st.lists(MINUTES, min_size=2, max_size=2, unique=True))
    return QuietHours(start=start, end=end)


@st.composite
def customers(draw: st.DrawFn) -> Preferences:
    return preferences(
        time_zone=draw(ZONES),
        phone=draw(st.sampled_from([Phone(PHONE), Phone(PHONE), None])),
        phone_verified=draw(st.sampled_from([True, True, True, False])),
        quiet_hours=draw(st.none() | quiet_hours()),
        consents=draw(
            st.dictionaries(st.sampled_from(["security", "transaction", "balance"]), st.booleans(), max_size=1)
        ),
        alerts=draw(st.dictionaries(st.sampled_from(KINDS), alerts())),
        suspended=draw(st.integers(0, 4)) == 0,
    )


@st.composite
def catalogues(draw: st.DrawFn) -> Catalogue:
    """The kinds that ship, in any order, some of them mandatory, on by default, short-lived or in need of consent."""
    kinds = []
    for kind in draw(st.permutations(CATALOGUE.kinds)):
        needs_consent = draw(st.booleans())
        alert_class = msgspec.structs.replace(kind.alert_class, consent_required=needs_consent)
        kinds.append(
            msgspec.structs.replace(
                kind,
                alert_class=alert_class,
                mandatory=not needs_consent and draw(st.booleans()),
                enabled_by_default=draw(st.booleans()),
                freshness=timedelta(minutes=draw(st.sampled_from([5, 300, 720]))),
                bypasses_quiet_hours=draw(st.booleans()),
            )
        )
    return Catalogue(version="any", kinds=tuple(kinds))
