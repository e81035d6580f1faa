"""The gate joins breaker, parts and limiter: what one text's fate means for all others."""

from datetime import datetime, timedelta
from typing import Any

from consumer.core.breaker import Tolerance
from consumer.core.delivery import Accepted, Failure, Fault, Hint, Outcome
from consumer.core.gate import PROVIDER, Barred, Ended, Gate, Ticket
from consumer.core.limiter import Rate
from tests.builders import NOW

ACCEPTED = Accepted(message_id="m-1", request_id=None)
HALT = Failure(fault=Fault.HALT, code="AuthorizationError")
THROTTLED = Failure(fault=Fault.TRANSIENT, code="Throttling", hint=Hint.SLOW_DOWN)
MISCONFIGURED = Failure(fault=Fault.HALT, code="InvalidParameter", hint=Hint.CONFIGURATION)
CERTIFICATE = Failure(fault=Fault.TRANSIENT, code="SSLCertVerificationError", hint=Hint.HALT_WHEN_REPEATED)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def gate(**changes: Any) -> Gate:
    tolerance = Tolerance(first_s=30.0, longest_s=120.0, another_s=10.0, repeated_max=2)
    return Gate(rate=Rate(parts_per_s=10.0, burst_parts=10.0, **changes), tolerance=tolerance, now=NOW)


def ticket(notice_id: int = 1, part: str = "transaction:IT") -> Ticket:
    return Ticket(notice_id=notice_id, part=part, recipient=f"phone of {notice_id}", parts=1)


def send(made: Gate, one: Ticket, outcome: Outcome, seconds: float = 0.0) -> Ended:
    assert made.admit(one, at(seconds)) is None
    return made.ended(one, outcome, begun_at=at(seconds), now=at(seconds))


def test_there_is_room_for_as_many_notices_as_there_are_parts() -> None:
    made = gate()

    assert made.room(NOW) == 10
    assert made.wait(NOW) == timedelta(0)
    made.admit(ticket(), NOW)
    assert made.room(NOW) == 9


def test_what_finds_no_token_is_told_when_to_come_back() -> None:
    made = gate()
    for n in range(10):
        made.admit(ticket(n + 1), NOW)

    barred = made.admit(ticket(11), NOW)

    assert barred == Barred(until=at(0.1) + timedelta(microseconds=1), reason="throttled")
    assert made.wait(NOW) == timedelta(seconds=0.1, microseconds=1)


def test_throttling_slows_everyone_down() -> None:
    made = gate()

    ended = send(made, ticket(), THROTTLED)

    assert ended == Ended(outcome=THROTTLED, until=NOW)
    assert made.room(at(0.5)) < 5


def test_a_halt_pauses_the_provider_and_tells_its_text_when_to_come_back() -> None:
    made = gate()

    ended = send(made, ticket(), HALT)

    assert ended == Ended(outcome=HALT, until=at(30), paused=(PROVIDER,))
    assert made.room(at(1)) == 0
    assert made.wait(at(1)) == timedelta(seconds=29)
    assert made.admit(ticket(2), at(1)) == Barred(until=at(30), reason="breaker")


def test_calls_that_fail_while_it_is_paused_already_pause_nothing_more() -> None:
    made = gate()
    made.admit(ticket(2), NOW)
    send(made, ticket(1), HALT)

    assert made.ended(ticket(2), HALT, begun_at=NOW, now=at(5)) == Ended(outcome=HALT, until=at(30))


def test_the_outcome_to_settle_by_is_the_weighed_one() -> None:
    made = gate()
    send(made, ticket(1), CERTIFICATE)

    ended = send(made, ticket(2), CERTIFICATE)

    assert isinstance(ended.outcome, Failure)
    assert ended.outcome.fault is Fault.HALT
    assert ended.outcome.code == "SSLCertVerificationError"
    assert ended.paused == (PROVIDER,)


def test_after_an_answered_probe_one_notice_is_claimed_and_its_acceptance_resumes() -> None:
    made = gate()
    send(made, ticket(1), HALT)
    assert not made.probe_due(at(29))
    assert made.probe_due(at(30))

    made.probed(ACCEPTED, at(30))
    assert made.room(at(30)) == 1
    assert made.wait(at(30)) == timedelta(0)

    ended = send(made, ticket(2), ACCEPTED, 31)
    assert ended == Ended(outcome=ACCEPTED, until=at(31), resumed=(PROVIDER,))
    assert made.room(at(31)) == 9


def test_while_the_trial_is_under_way_nothing_is_claimed() -> None:
    made = gate()
    send(made, ticket(1), HALT)
    made.probed(ACCEPTED, at(30))

    made.admit(ticket(2), at(31))

    assert made.room(at(31)) == 0


def test_a_probe_without_an_answer_prolongs_the_pause() -> None:
    made = gate()
    send(made, ticket(1), HALT)

    made.probed(HALT, at(30))

    assert made.wait(at(30)) == timedelta(seconds=60)


def test_a_trial_that_could_not_begin_leaves_its_place_to_another() -> None:
    made = gate()
    send(made, ticket(1), HALT)
    made.probed(ACCEPTED, at(30))
    made.admit(ticket(2), at(31))

    made.withdrew(ticket(2), at(31))

    assert made.admit(ticket(3), at(31)) is None


def test_a_broken_configuration_pauses_its_class_and_country_alone() -> None:
    made = gate()

    ended = send(made, ticket(1, "marketing:IN"), MISCONFIGURED)

    assert ended == Ended(outcome=MISCONFIGURED, until=at(30), paused=("marketing:IN",))
    assert made.admit(ticket(2, "marketing:IN"), at(1)) == Barred(until=at(30), reason="breaker")
    assert made.admit(ticket(3, "security:IN"), at(1)) is None
    assert made.room(at(1)) > 1


def test_a_paused_part_needs_no_probe_but_a_trial_of_its_own() -> None:
    made = gate()
    send(made, ticket(1, "marketing:IN"), MISCONFIGURED)

    assert made.admit(ticket(2, "marketing:IN"), at(30)) is None
    assert made.admit(ticket(3, "marketing:IN"), at(30)) == Barred(until=at(40), reason="breaker")

    ended = made.ended(ticket(2, "marketing:IN"), ACCEPTED, begun_at=at(30), now=at(31))
    assert ended.resumed == ("marketing:IN",)
    assert made.admit(ticket(3, "marketing:IN"), at(31)) is None


def test_a_part_whose_trial_fails_stays_paused_for_longer() -> None:
    made = gate()
    send(made, ticket(1, "marketing:IN"), MISCONFIGURED)

    ended = send(made, ticket(2, "marketing:IN"), MISCONFIGURED, 30)

    assert ended == Ended(outcome=MISCONFIGURED, until=at(30 + 60))
