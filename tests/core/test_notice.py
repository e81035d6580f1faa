"""A notice is taken back only where what it tells of is given back as a whole."""

from decimal import Decimal

import msgspec
import pytest

from consumer.core.standing import Occurrence
from tests.outboxes import UNDONE

TOLD = Occurrence(customer_id="cust-1", kind="large_debit", scope="tx:tx-1:posted", amount=Decimal(250), currency="EUR")


def told(**changes: object) -> Occurrence:
    return msgspec.structs.replace(TOLD, **changes)


@pytest.mark.parametrize(
    ("occurrence", "covered"),
    [
        (told(), True),
        (told(amount=Decimal("12.50")), True),
        (told(amount=Decimal(263)), True),
        (told(amount=Decimal(264)), False),
        (told(kind="salary_received", amount=Decimal("250.01")), False),
        (told(currency="USD"), False),
        (told(currency=None), True),
        (told(amount=None, currency=None), True),
    ],
)
def test_a_reversal_covers_what_it_gives_back_and_no_more(occurrence: Occurrence, covered: bool) -> None:
    assert UNDONE.covers([occurrence]) is covered
    assert UNDONE.covers([TOLD, occurrence]) is covered


def test_a_notice_that_stands_for_nothing_is_covered() -> None:
    assert UNDONE.covers(())
