"""What an attempt's outcome means for its notice, row by row, and that a draft is never printed."""

from datetime import timedelta

import pytest

from consumer.core.catalogue import SmsType
from consumer.core.delivery import Accepted, Failure, Fault, Hint, Outcome, Settlement, Trigger
from consumer.core.preferences import Phone
from consumer.core.sending import Draft, postponed, settlement_of
from tests.builders import NOW, PHONE

RETRY_AT = NOW + timedelta(seconds=2)
HALTED_UNTIL = NOW + timedelta(seconds=30)
DOUBT_UNTIL = NOW + timedelta(minutes=15)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (
            Accepted(message_id="m-1", request_id="r-1"),
            Settlement(trigger=Trigger.ACCEPT, reason="accepted", message_id="m-1", request_id="r-1"),
        ),
        (
            Failure(fault=Fault.TRANSIENT, code="Throttling", request_id="r-1"),
            Settlement(trigger=Trigger.RETRY, reason="Throttling", not_before=RETRY_AT, request_id="r-1"),
        ),
        (
            Failure(fault=Fault.HALT, code="AuthorizationError"),
            Settlement(trigger=Trigger.RETRY, reason="AuthorizationError", not_before=HALTED_UNTIL),
        ),
        (
            Failure(fault=Fault.AMBIGUOUS, code="ReadTimeoutError"),
            Settlement(trigger=Trigger.DOUBT, reason="ReadTimeoutError", not_before=DOUBT_UNTIL),
        ),
        (
            Failure(fault=Fault.PERMANENT, code="InvalidParameter"),
            Settlement(trigger=Trigger.REJECT, reason="InvalidParameter"),
        ),
        (
            Failure(fault=Fault.PERMANENT, code="OptedOut", hint=Hint.OPTED_OUT),
            Settlement(trigger=Trigger.REJECT, reason="opted_out"),
        ),
    ],
    ids=lambda value: value.fault.value if isinstance(value, Failure) else "",
)
def test_an_outcome_becomes_one_settlement(outcome: Outcome, expected: Settlement) -> None:
    settled = settlement_of(outcome, retry_at=RETRY_AT, halted_until=HALTED_UNTIL, doubt_until=DOUBT_UNTIL)

    assert settled == expected


def test_a_transient_fault_that_was_tried_often_enough_ends_its_notice() -> None:
    outcome = Failure(fault=Fault.TRANSIENT, code="Throttling")

    settled = settlement_of(outcome, retry_at=None, halted_until=HALTED_UNTIL, doubt_until=DOUBT_UNTIL)

    assert settled == Settlement(trigger=Trigger.REJECT, reason="retries_exhausted")


def test_a_halt_never_ends_a_notice_however_often_it_was_tried() -> None:
    outcome = Failure(fault=Fault.HALT, code="AuthorizationError")

    settled = settlement_of(outcome, retry_at=None, halted_until=HALTED_UNTIL, doubt_until=DOUBT_UNTIL)

    assert settled.trigger is Trigger.RETRY


def test_a_postponed_claim_is_released_until_then() -> None:
    assert postponed(RETRY_AT, "stopping") == Settlement(
        trigger=Trigger.RELEASE, reason="stopping", not_before=RETRY_AT
    )


def test_a_draft_prints_neither_phone_nor_text() -> None:
    draft = Draft(phone=Phone(PHONE), text="Debit 250.00 EUR", parts=1, language="en", sms_type=SmsType.TRANSACTIONAL)

    assert repr(draft) == "Draft(parts=1, language='en')"
