"""Each outcome of a call leaves its notice, and everybody else's, as the state machine says."""

from datetime import timedelta

import pytest

from consumer.core.catalogue import InDoubtPolicy
from consumer.core.delivery import Failure, Outcome
from consumer.core.preferences import Phone
from tests.builders import NOW, PSEUDONYMS, preferences
from tests.dispatch.rig import (
    ACCEPTED,
    AMBIGUOUS,
    CERTIFICATE,
    EXPIRED_TOKEN,
    HALT,
    MISCONFIGURED,
    OPTED_OUT,
    REFUSED,
    THROTTLED,
    UNREACHED,
    Rig,
)


def test_an_accepted_text_is_settled_with_its_proof(rig: Rig) -> None:
    rig.record()

    assert rig.run() == 1

    assert rig.standing() == ("accepted", "accepted")
    assert rig.triggers() == ["recorded", "claim", "begin", "accept"]
    story = rig.reader.show(1)
    assert story is not None
    assert story.history[-1].detail["message_id"] == "message-1"
    assert story.history[-2].detail["phone_digest"] == PSEUDONYMS.phone(rig.provider.sent[0].phone)


def test_what_was_accepted_is_never_sent_again(rig: Rig) -> None:
    rig.record()
    rig.run()

    rig.clock.advance(24 * 3600)

    assert rig.run() == 0
    assert len(rig.provider.sent) == 1


@pytest.mark.parametrize("failure", [UNREACHED, THROTTLED, EXPIRED_TOKEN, CERTIFICATE])
def test_what_was_surely_not_sent_is_tried_again_after_a_pause(rig: Rig, failure: Failure) -> None:
    rig.record()
    rig.provider.outcomes.append(failure)

    rig.run()

    assert rig.standing() == ("pending", failure.code)
    assert 1.0 <= rig.due_in_s() <= 2.0
    rig.clock.advance(2.0)
    rig.run()
    assert rig.standing() == ("accepted", "accepted")


def test_retries_end_after_the_last_attempt(rig: Rig) -> None:
    rig.record()
    rig.provider.outcomes.extend([THROTTLED] * 3)

    for _ in range(3):
        assert rig.run() == 1
        rig.clock.advance(60)

    assert rig.standing() == ("failed", "retries_exhausted")
    assert rig.run() == 0


def test_the_time_in_which_a_notice_could_not_be_sent_at_all_is_no_time_of_its_retries(rig: Rig) -> None:
    rig.record(recorded_at=NOW - timedelta(hours=9), not_before=NOW)
    rig.provider.outcomes.append(UNREACHED)

    rig.run()

    assert rig.standing() == ("pending", "ConnectTimeoutError")


def test_throttling_slows_the_next_notices_down(rig: Rig) -> None:
    rig.record()
    rig.record()
    rig.provider.outcomes.append(THROTTLED)

    rig.run()

    assert rig.standing(2) == ("pending", "throttled")
    assert len(rig.provider.sent) == 1


def test_a_lost_reply_is_not_resent_but_in_doubt(rig: Rig) -> None:
    rig.record()
    rig.provider.outcomes.append(AMBIGUOUS)

    rig.run()

    assert rig.standing() == ("in_doubt", "ReadTimeoutError")
    rig.clock.advance(899)
    assert rig.run() == 0
    assert rig.standing() == ("in_doubt", "ReadTimeoutError")
    rig.clock.advance(5)
    assert rig.run() == 0
    assert rig.standing()[0] == "held"
    assert len(rig.provider.sent) == 1


@pytest.mark.parametrize(
    ("failure", "reason"), [(REFUSED, "InvalidParameter"), (OPTED_OUT, "opted_out")], ids=["refused", "opted_out"]
)
def test_a_permanent_fault_ends_the_notice(rig: Rig, failure: Failure, reason: str) -> None:
    rig.record()
    rig.provider.outcomes.append(failure)

    rig.run()

    assert rig.standing() == ("failed", reason)


def test_a_permanent_fault_after_a_doubt_leaves_the_notice_held_as_nobody_knows(rig: Rig) -> None:
    rig.record(in_doubt=InDoubtPolicy.RESEND)
    rig.provider.outcomes.extend([AMBIGUOUS, REFUSED])
    rig.run()
    rig.clock.advance(900)

    rig.run()

    assert len(rig.provider.sent) == 2
    assert rig.standing() == ("held", "InvalidParameter")


def test_a_halt_keeps_its_notice_and_stops_all_others(rig: Rig) -> None:
    rig.record()
    rig.record()
    rig.provider.outcomes.append(HALT)

    rig.run()

    assert rig.standing(1) == ("pending", "AuthorizationError")
    assert rig.standing(2) == ("pending", "breaker")
    assert rig.due_in_s(1) == rig.due_in_s(2) == 30.0
    assert rig.triggers(2) == ["recorded", "claim", "release"]


@pytest.mark.parametrize(
    ("failure", "times"), [(EXPIRED_TOKEN, 2), (CERTIFICATE, 3), (REFUSED, 20), (AMBIGUOUS, 3), (UNREACHED, 3)]
)
def test_a_fault_that_repeats_stops_everything(rig: Rig, failure: Failure, times: int) -> None:
    for _ in range(times):
        rig.record()
        rig.provider.outcomes.append(failure)
        rig.clock.advance(0.01)
        rig.run()

    rig.record()

    assert rig.claim() == []
    assert len(rig.provider.sent) == times


def test_the_text_that_shows_that_a_repeated_fault_is_a_halt_is_kept(rig: Rig) -> None:
    for _ in range(20):
        rig.record()
        rig.provider.outcomes.append(REFUSED)
        rig.run()

    assert rig.standing(19) == ("failed", "InvalidParameter")
    assert rig.standing(20) == ("pending", "InvalidParameter")


def test_a_broken_configuration_stops_its_class_and_country_alone(rig: Rig) -> None:
    rig.table.by_customer["cust-2"] = preferences(customer_id="cust-2", phone=Phone("+447911123456"))
    rig.record()
    rig.provider.outcomes.append(MISCONFIGURED)
    rig.run()

    rig.record()
    other = rig.record(customer_id="cust-2")
    rig.run()

    assert rig.standing(1) == ("pending", "InvalidParameter")
    assert rig.standing(2) == ("pending", "breaker")
    assert rig.standing(other) == ("accepted", "accepted")


def test_a_number_of_no_country_is_sent_to_like_any_other(rig: Rig) -> None:
    rig.ask(phone=Phone("+9990000000"))
    rig.record()

    rig.run()

    assert rig.standing() == ("accepted", "accepted")


@pytest.mark.parametrize("outcome", [ACCEPTED, UNREACHED, AMBIGUOUS, REFUSED, HALT])
def test_no_call_leaves_a_notice_in_sending(rig: Rig, outcome: Outcome) -> None:
    rig.record()
    rig.provider.outcomes.append(outcome)

    rig.run()

    assert rig.standing()[0] != "sending"
