"""What can concern nobody, told from an event's leading fields and one short word per customer."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Context, Decimal
from functools import cached_property, lru_cache
from itertools import product
from typing import Any

import msgspec

from consumer.core.candidate import UNSAID, unwanted
from consumer.core.catalogue import AlertKind, Catalogue
from consumer.core.event import BalanceChanged, Channel, Direction, TransactionPosted, TransactionStatus
from consumer.core.preferences import AlertPreference, Filters, Preferences
from consumer.core.rules import RULES, Compared, Rule, threshold_of

SCREENED = "screened"
"""The reason that stands for every decision that was not made."""
DIGITS = 4
"""Amounts are compared as whole ten-thousandths: what has more digits after the point is not screened."""
TRANSACTION, BALANCE = TransactionPosted.__name__, BalanceChanged.__name__
LEADING: Mapping[str, tuple[str, ...]] = {
    TRANSACTION: ("customer_ids", "amount", "currency", "direction", "status", "channel"),
    BALANCE: ("customer_ids", "available", "currency"),
}
"""Per event type the fields, in this order, that stand first in its schema for the screen's sake."""

_Sort = tuple[Direction, TransactionStatus, Channel]
_SORTS: Mapping[_Sort, int] = {
    sort: 1 << place for place, sort in enumerate(product(Direction, TransactionStatus, Channel))
}
_EVERY_SORT = (1 << len(_SORTS)) - 1
_BY_SYMBOLS: Mapping[tuple[str, ...], int] = {
    tuple(one.value.upper() for one in sort): bit
    for sort, bit in _SORTS.items()
    if TransactionStatus.REVERSED not in sort  # it takes back what was to be told, whatever the switches say
}
_BALANCE = 1 << len(_SORTS)
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_WORDS_MAX = 2**16
_EXACT = Context(prec=100)


class Heading(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What many events begin with alike. `sort`: of a transaction its bit, of a balance one that no transaction has."""

    event_type: str
    currency: str
    sort: int


def heading(event_type: str, currency: str, symbols: tuple[str, ...] = ()) -> Heading | None:
    """`symbols`: a transaction's direction, status and channel as our schema spells them.

    None where it must be read in full: no possible event begins so, or it is a reversal.
    """
    sort = _BY_SYMBOLS.get(symbols) if event_type == TRANSACTION else _BALANCE
    if sort is None or not _CURRENCY.match(currency):
        return None
    return Heading(event_type=event_type, currency=currency, sort=sort)


class Glance(msgspec.Struct, frozen=True, gc=False):
    """The leading fields of an event as they stand in its record, of which no more is checked than that one may begin so.

    `customers`: one or more ids, in UTF-8, none of them empty. `amount`, or what is available, in ten-thousandths.
    """

    heading: Heading
    customers: tuple[bytes, ...]
    amount: int

    def __repr__(self) -> str:
        """The type only."""
        return f"Glance(event_type={self.heading.event_type!r})"


Heard = tuple[int, int, int]
"""Sorts that are heard of whatever the amount; sorts that are from an amount on; the lowest of these, in ten-thousandths."""


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """All that may concern one customer, in short: at least what `decide` could tell, remember or take back.

    A sort of event is one bit. `by_currency`: of events in one that somebody named an amount in; `others`: in any other.
    """

    by_currency: Mapping[str, Heard]
    others: Heard


class Screen(msgspec.Struct, frozen=True, dict=True):
    """What the bank's catalogue leaves of a customer's preferences."""

    catalogue: Catalogue

    def word(self, preferences: Preferences | None) -> Word:
        """The customer's word; None: of one who never said anything, and is told what is mandatory only."""
        always, dear, balances = 0, dict[str, tuple[int, int]](), set[str]()
        for kind in self.catalogue.kinds:
            if unwanted(kind, preferences):
                continue
            asked = UNSAID if preferences is None else preferences.alerts.get(kind.name, UNSAID)
            lowest = _thresholds(kind, asked)
            if kind.event_type == BALANCE:
                balances.update(lowest)
                always |= 0 if RULES[kind.rule].has_threshold else _BALANCE
                continue
            sorts = self._sorts[kind.name] & (_EVERY_SORT if kind.mandatory else _let_through(asked.filters))
            if RULES[kind.rule].compared is Compared.FROM_THRESHOLD:
                for currency, amount in lowest.items():
                    others, least = dear.get(currency, (0, amount))
                    dear[currency] = (others | sorts, min(least, amount))
            else:
                always |= sorts
        heard = {one: (always | _BALANCE * (one in balances), *dear.get(one, (0, 0))) for one in dear.keys() | balances}
        return _shared((always, 0, 0), tuple(sorted(heard.items())))

    @cached_property
    def _sorts(self) -> Mapping[str, int]:
        """By kind of transaction, the sorts that it may speak of."""
        rules = {kind.name: RULES[kind.rule] for kind in self.catalogue.kinds if kind.event_type == TRANSACTION}
        return {
            name: sum(bit for sort, bit in _SORTS.items() if _may_concern(rule, sort)) for name, rule in rules.items()
        }


class Screened(msgspec.Struct, frozen=True, kw_only=True):
    """Which events must be read in full, by their places; of the others how many of each type, for how many customers."""

    unread: Sequence[int]
    events: Mapping[str, int]
    customers: int


def screened(glances: Sequence[Glance | None], words: Iterable[Word]) -> Screened:
    """What may concern somebody: `words` are those of the customers of all `glances`, one for each, in their order.

    It may let too much through, never too little. Of balances comfortable ones may concern somebody too: they re-arm an
    alert, and tell that what comes late is out of order.
    """
    left = iter(words)
    unread, dropped, customers = list[int](), list[str](), 0
    for place, glance in enumerate(glances):
        if glance is None:
            unread.append(place)
            continue
        heading, amount, concerns = glance.heading, glance.amount, False
        currency, sort = heading.currency, heading.sort
        for _ in glance.customers:
            word = next(left)
            always, dear, least = word.by_currency.get(currency, word.others)
            if always & sort or (amount >= least and dear & sort):
                concerns = True
        if concerns:
            unread.append(place)
        else:
            dropped.append(heading.event_type)
            customers += len(glance.customers)
    assert next(left, None) is None, "a word too many: somebody was held against another's"
    return Screened(unread=unread, events=Counter(dropped), customers=customers)


def _thresholds(kind: AlertKind, asked: AlertPreference) -> dict[str, int]:
    """By currency what the kind compares with, in ten-thousandths, rounded so that no amount on its side is missed."""
    currencies = {*kind.thresholds, *(() if asked.threshold is None else (asked.threshold.currency,))}
    found = {}
    for currency in currencies:
        threshold = threshold_of(RULES[kind.rule], currency, kind.thresholds, asked.threshold, widest=kind.mandatory)
        assert threshold is not None, "somebody named an amount in this currency"
        found[currency] = _floor(threshold.amount)
    return found


def _floor(amount: Decimal) -> int:
    return math.floor(amount.scaleb(DIGITS, context=_EXACT))


class _Beginning:
    """A transaction of which no more is known than its sort: whoever asks for more finds no such attribute."""

    def __init__(self, sort: _Sort) -> None:
        self.direction, self.status, self.channel = sort


def _may_concern(rule: Rule, sort: _Sort) -> bool:
    """Ask the rule itself. One that wants to know more than the sort may speak of it."""
    beginning = _Beginning(sort)
    if beginning.status not in rule.stages:
        return False
    try:
        return rule.concerns(beginning)
    except AttributeError:
        return True


def _let_through(filters: Filters) -> int:
    """The sorts that a customer's filters leave; merchants, countries and accounts stand further behind in the record."""
    return _limited(filters.directions, 0) & _limited(filters.channels, 2)


def _limited(limit: frozenset[Any], place: int) -> int:
    return sum(bit for sort, bit in _SORTS.items() if sort[place] in limit) if limit else _EVERY_SORT


@lru_cache(_WORDS_MAX)
def _shared(others: Heard, by_currency: tuple[tuple[str, Heard], ...]) -> Word:
    """One word for all customers who asked for the same: millions of them are held in memory."""
    return Word(by_currency=dict(by_currency), others=others)
