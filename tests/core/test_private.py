"""Nothing private that a core value holds is printed with it: a log, an assertion, a traceback may show any of them."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from consumer.core.candidate import candidates
from consumer.core.catalogue import SmsType
from consumer.core.decision import decide
from consumer.core.delivery import Claim
from consumer.core.event import BalanceChanged, Channel, Counterparty, Event, Money, TransactionPosted
from consumer.core.masking import masked_values
from consumer.core.notice import Change
from consumer.core.preferences import AlertPreference, DetailLevel, Filters, Phone
from consumer.core.sending import Draft
from consumer.core.standing import Memory
from consumer.core.weighing import questions, weigh
from tests.builders import NOW, PSEUDONYMS, account, balance, notice, preferences, record, transaction
from tests.deciding import CATALOGUE, empty, notified

PRIVATE: tuple[str, ...] = (
    "734.56",
    "8812.07",
    "71.31",
    "-6.43",
    "acc-private",
    "IT60X0542811101000000987654",
    "7654",
    "9876",
    "Manzoni",
)
PRIVATE += ("+393409998877", "a finished text")


def euros(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


OURS = account(id="acc-private", number="IT60X0542811101000000987654")
PAID = transaction(
    account=OURS,
    channel=Channel.ECOMMERCE,
    amount=euros("734.56"),
    card_last_four="9876",
    counterparty=Counterparty(name="Manzoni"),
    balance_after=euros("8812.07"),
)
LOW = balance(account=OURS, available=euros("-6.43"), booked=euros("8812.07"), previous_available=euros("734.56"))
_FILTERS = Filters(account_ids=frozenset({"acc-private"}))
_ALERT = AlertPreference(enabled=True, threshold=euros("71.31"), filters=_FILTERS)
ASKED = preferences(
    phone=Phone("+393409998877"), alerts={kind.name: _ALERT for kind in CATALOGUE.kinds}, detail_level=DetailLevel.FULL
)


def everything_made_of(event: Event) -> list[Any]:
    """What deciding, telling and sending make of an event, from the record to the claim."""
    weighed = weigh(event, "cust-1", ASKED, CATALOGUE, PSEUDONYMS)
    decision = notified(decide(weighed, empty(), NOW))
    memory = Memory()
    memory.learn(decision.standings, decision.occurrences)
    told = notice(facts=decision.facts, occurrences=decision.occurrences, values=masked_values(event, DetailLevel.FULL))
    claim = Claim(notice_id=1, fence=1, owner="-", lease_until=NOW, attempts=0, doubts=0, notice=told)
    asked = questions([weighed])
    changed = Change(notice=told, standings=decision.standings)
    return [
        event,
        decision,
        memory,
        told,
        told.values,
        claim,
        weighed,
        weighed.found,
        weighed.other_stage,
        asked,
        changed,
        candidates(event, ASKED, CATALOGUE),
        weighed,
    ]


@pytest.mark.parametrize("event", [PAID, LOW])
def test_no_value_on_the_way_from_an_event_to_a_claim_prints_anything_private(event: Event) -> None:
    printed = [repr(one) for one in everything_made_of(event)]

    assert [(what, one) for what in PRIVATE for one in printed if what in one] == []


def test_the_private_values_are_there_to_be_printed() -> None:
    """Else the test above could not fail."""
    assert isinstance(PAID, TransactionPosted)
    assert isinstance(LOW, BalanceChanged)
    held = str(msgspec.json.encode(everything_made_of(PAID)[3:5])) + str(
        msgspec.json.encode(everything_made_of(LOW)[3:5])
    )

    assert [what for what in ("734.56", "71.31", "-6.43", "7654", "9876", "Manzoni") if what not in held] == []


def test_no_customer_draft_or_record_prints_anything_private() -> None:
    phone = Phone("+393409998877")
    draft = Draft(phone=phone, text="a finished text", parts=1, language="en", sms_type=SmsType.TRANSACTIONAL)
    said = record(key=b"acc-private", value=b"a finished text", headers=(("name", b"Manzoni"),))

    printed = repr([ASKED, ASKED.alerts, phone, draft, said])

    assert [what for what in PRIVATE if what in printed] == []


def test_a_notice_and_an_occurrence_are_printed_by_key_and_kind() -> None:
    told = notified(decide(weigh(PAID, "cust-1", ASKED, CATALOGUE, PSEUDONYMS), empty(), NOW))

    assert repr(notice()) == f"Notice(key={notice().key!r}, kind='large_debit')"
    assert repr(told) == "Notify(kind='card_not_present', also=('large_debit',))"
    assert repr(told.occurrences[0]) == (
        "Occurrence(customer_id='cust-1', kind='card_not_present', scope='tx:tx-1:posted')"
    )
