"""Events of every sort that can be told, with names as anybody may write them."""

import string
from datetime import timedelta
from decimal import Decimal

from hypothesis import strategies as st

from consumer.core.catalogue import AlertKind
from consumer.core.event import BalanceReason, Channel, Counterparty, Direction, Event, Money, TransactionStatus
from consumer.core.leaks import passes_luhn, passes_mod_97
from consumer.core.rules import RULES, stage_missed
from tests.builders import NOW, account, balance, transaction
from tests.deciding import CATALOGUE

CURRENCIES = st.sampled_from(["EUR", "GBP", "JPY", "KWD", "CHF", "IDR", "XYZ"])
AMOUNTS = st.integers(0, 10**20 - 1).map(lambda units: Decimal(units).scaleb(-4))
NUMBERS = st.sampled_from(["IT60X0542811101000000123456", "12345678", "1234567", "12", ""]) | st.text(max_size=34)
INSTANTS = st.integers(-(10**8), 10**8).map(lambda s: NOW + timedelta(seconds=s))
ZONES = st.sampled_from(["Europe/Rome", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"])
PLAIN = ["Bar", "Rossi", "S.p.A.", "Dr.Smith", "北京", "Łódź", "😀", "24/7", ".", "-", "\u202e", "\u200b"]
BAIT = ["AB12", "IT60", "800", "1234", "5678", "4111", "+39", "www", ".com", "http://", "evil.com", "@"]
WORDS = st.sampled_from([*PLAIN, *BAIT])
NAMES = st.text(max_size=60) | st.lists(WORDS, max_size=8).map(" ".join) | st.lists(WORDS, max_size=8).map("".join)


def money(amounts: st.SearchStrategy[Decimal]) -> st.SearchStrategy[Money]:
    return st.builds(Money, amount=amounts, currency=CURRENCIES)


@st.composite
def events(draw: st.DrawFn, names: st.SearchStrategy[str | None]) -> Event:
    happened = {"occurred_at": draw(INSTANTS), "account": account(number=draw(NUMBERS))}
    if draw(st.integers(0, 4)) == 0:
        owed = draw(money(AMOUNTS.map(lambda amount: -amount) | AMOUNTS))
        return balance(**happened, available=owed, reason=draw(st.sampled_from(BalanceReason)))
    return transaction(
        **happened,
        status=draw(st.sampled_from(TransactionStatus)),
        channel=draw(st.sampled_from(Channel)),
        direction=draw(st.sampled_from(Direction)),
        amount=draw(money(AMOUNTS)),
        card_last_four=draw(st.none() | st.text(string.digits, min_size=4, max_size=4)),
        counterparty=Counterparty(name=draw(names)),
        balance_after=draw(st.none() | money(AMOUNTS)),
    )


def kinds_of(event: Event) -> list[AlertKind]:
    """The kinds that ship and can be told of `event`."""
    kinds = CATALOGUE.kinds_for(type(event).__name__)
    return [kind for kind in kinds if RULES[kind.rule].concerns(event) and not stage_missed(RULES[kind.rule], event)]


@st.composite
def card_numbers(draw: st.DrawFn) -> str:
    """13 to 19 digits that pass Luhn's test."""
    body = draw(st.text(string.digits, min_size=12, max_size=18))
    return next(f"{body}{check}" for check in range(10) if passes_luhn(f"{body}{check}"))


@st.composite
def ibans(draw: st.DrawFn) -> str:
    """With at least eight digits in the account part, as all countries have."""
    country = draw(st.text(string.ascii_uppercase, min_size=2, max_size=2))
    bank = draw(st.text(string.ascii_uppercase + string.digits, max_size=10))
    number = draw(st.text(string.digits, min_size=11, max_size=18))
    return next(iban for check in range(2, 99) if passes_mod_97(iban := f"{country}{check:02d}{bank}{number}"))


@st.composite
def grouped(draw: st.DrawFn, secrets: st.SearchStrategy[str]) -> str:
    """A secret in groups of four, or as it is."""
    secret = draw(secrets)
    separator = draw(st.sampled_from(["", " ", "-", "."]))
    return separator.join(secret[start : start + 4] for start in range(0, len(secret), 4))
