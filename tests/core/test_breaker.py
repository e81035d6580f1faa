"""The breaker opens on what means that sending is broken, and only an accepted trial closes it."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from consumer.core.breaker import Breaker, Closed, Open, Ready, Runs, Scope, Tolerance, Trial, Verdict
from consumer.core.delivery import Accepted, Failure, Fault, Hint
from tests.builders import NOW

ACCEPTED = Accepted(message_id="m-1", request_id=None)
HALT = Failure(fault=Fault.HALT, code="AuthorizationError")
AMBIGUOUS = Failure(fault=Fault.AMBIGUOUS, code="ReadTimeoutError")
UNREACHED = Failure(fault=Fault.TRANSIENT, code="EndpointConnectionError")
THROTTLED = Failure(fault=Fault.TRANSIENT, code="Throttling", hint=Hint.SLOW_DOWN)
CERTIFICATE = Failure(fault=Fault.TRANSIENT, code="SSLCertVerificationError", hint=Hint.HALT_WHEN_REPEATED)
EXPIRED = Failure(fault=Fault.TRANSIENT, code="ExpiredToken", hint=Hint.REFRESH_CREDENTIALS)
REFUSED = Failure(fault=Fault.PERMANENT, code="InvalidParameter", hint=Hint.HALT_ON_BURST)
MISCONFIGURED = Failure(fault=Fault.HALT, code="InvalidParameter", hint=Hint.CONFIGURATION)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def runs(**changes: Any) -> Runs:
    return Runs(Tolerance(**changes))


def weigh(counted: Runs, failure: Failure, seconds: float = 0.0, begun: float | None = None) -> Verdict:
    return counted.weigh(failure, begun_at=at(seconds if begun is None else begun), now=at(seconds))


def stops(counted: Runs, failure: Failure, times: int) -> list[Scope]:
    return [weigh(counted, failure, float(second)).stops for second in range(times)]


def test_a_halt_stops_everything_at_once() -> None:
    assert weigh(runs(), HALT) == Verdict(fault=Fault.HALT, stops=Scope.ALL)


def test_a_broken_configuration_of_one_part_stops_that_part() -> None:
    assert weigh(runs(), MISCONFIGURED) == Verdict(fault=Fault.HALT, stops=Scope.PART)


def test_throttling_stops_nothing_however_often_it_comes() -> None:
    assert stops(runs(), THROTTLED, 50) == [Scope.NOTHING] * 50


def test_a_run_of_ambiguous_faults_stops_everything_but_stays_ambiguous() -> None:
    counted = runs(ambiguous_max=3)

    verdicts = [weigh(counted, AMBIGUOUS) for _ in range(4)]

    assert [verdict.stops for verdict in verdicts] == [Scope.NOTHING, Scope.NOTHING, Scope.ALL, Scope.ALL]
    assert {verdict.fault for verdict in verdicts} == {Fault.AMBIGUOUS}


def test_a_run_of_calls_that_found_no_connection_stops_everything_and_keeps_its_texts() -> None:
    counted = runs(ambiguous_max=3)

    verdicts = [weigh(counted, UNREACHED) for _ in range(3)]

    assert [verdict.fault for verdict in verdicts] == [Fault.TRANSIENT, Fault.TRANSIENT, Fault.HALT]
    assert [verdict.stops for verdict in verdicts] == [Scope.NOTHING, Scope.NOTHING, Scope.ALL]


def test_no_connection_and_no_reply_are_one_run() -> None:
    counted = runs(ambiguous_max=2)
    weigh(counted, UNREACHED)

    assert weigh(counted, AMBIGUOUS) == Verdict(fault=Fault.AMBIGUOUS, stops=Scope.ALL)


def test_an_accepted_text_ends_every_run() -> None:
    counted = runs(ambiguous_max=2, repeated_max=2, burst_max=2)
    for failure in (AMBIGUOUS, CERTIFICATE, REFUSED, EXPIRED):
        weigh(counted, failure)

    counted.accepted()

    for failure in (AMBIGUOUS, CERTIFICATE, REFUSED, EXPIRED):
        assert weigh(counted, failure, 1.0).stops is Scope.NOTHING


def test_a_certificate_failure_is_transient_until_it_repeats_and_then_halts() -> None:
    counted = runs(repeated_max=3)

    verdicts = [weigh(counted, CERTIFICATE) for _ in range(3)]

    assert [verdict.fault for verdict in verdicts] == [Fault.TRANSIENT, Fault.TRANSIENT, Fault.HALT]
    assert verdicts[-1].stops is Scope.ALL


def test_expired_credentials_get_one_more_try_and_then_halt() -> None:
    assert stops(runs(), EXPIRED, 2) == [Scope.NOTHING, Scope.ALL]


def test_calls_that_were_under_way_when_the_credentials_ran_out_do_not_count_as_the_second_try() -> None:
    counted = runs()
    weigh(counted, EXPIRED, seconds=1.0, begun=0.0)

    assert weigh(counted, EXPIRED, seconds=2.0, begun=0.5).stops is Scope.NOTHING
    assert weigh(counted, EXPIRED, seconds=3.0, begun=2.5).stops is Scope.ALL


def test_a_burst_of_permanent_faults_halts() -> None:
    counted = runs(burst_max=3, burst_s=10.0)

    verdicts = [weigh(counted, REFUSED, float(second)) for second in range(3)]

    assert [verdict.fault for verdict in verdicts] == [Fault.PERMANENT, Fault.PERMANENT, Fault.HALT]


def test_permanent_faults_far_apart_are_bad_numbers_and_no_burst() -> None:
    counted = runs(burst_max=3, burst_s=10.0)

    assert {weigh(counted, REFUSED, 6.0 * n).stops for n in range(20)} == {Scope.NOTHING}


def breaker(**changes: Any) -> Breaker:
    return Breaker(Tolerance(first_s=30.0, longest_s=100.0, another_s=10.0, **changes))


def opened() -> Breaker:
    made = breaker()
    made.ended(1, HALT, stop=True, now=NOW)
    return made


def in_trial(notice_id: int) -> Breaker:
    made = opened()
    made.probed(answered=True, now=at(30))
    made.began(notice_id)
    return made


def test_a_closed_breaker_lets_every_notice_pass() -> None:
    made = breaker()
    made.began(1)

    assert made.barred_until(1, NOW) is None
    assert not made.probe_due(NOW)
    assert made.position == Closed()


def test_a_failure_that_stops_nothing_leaves_it_closed() -> None:
    made = breaker()

    made.ended(1, THROTTLED, stop=False, now=NOW)

    assert made.position == Closed()


def test_an_open_breaker_bars_every_notice_until_its_probe() -> None:
    made = opened()

    assert made.barred_until(2, at(1)) == at(30)
    assert not made.probe_due(at(29))
    assert made.probe_due(at(30))


def test_a_notice_is_barred_until_now_at_least_when_the_probe_is_late() -> None:
    assert opened().barred_until(2, at(45)) == at(45)


def test_a_failed_probe_doubles_the_stop_up_to_its_limit() -> None:
    made = opened()

    untils = []
    for second in (30, 90, 190):
        made.probed(answered=False, now=at(second))
        assert isinstance(made.position, Open)
        untils.append(made.position.until)

    assert untils == [at(30 + 60), at(90 + 100), at(190 + 100)]


def test_an_answered_probe_lets_one_notice_pass_as_the_trial() -> None:
    made = opened()
    made.probed(answered=True, now=at(30))
    assert made.barred_until(2, at(30)) is None

    made.began(2)

    assert made.position == Trial(notice_id=2, delay=timedelta(seconds=30))
    assert made.barred_until(3, at(31)) == at(41)


def test_only_the_accepted_trial_closes() -> None:
    made = in_trial(2)

    made.ended(9, ACCEPTED, stop=False, now=at(31))
    assert made.barred_until(3, at(31)) is not None

    made.ended(2, ACCEPTED, stop=False, now=at(31))
    assert made.position == Closed()


def test_a_late_acceptance_of_a_call_begun_before_the_stop_does_not_close() -> None:
    made = opened()

    made.ended(9, ACCEPTED, stop=False, now=at(1))

    assert isinstance(made.position, Open)


@pytest.mark.parametrize("failure", [HALT, AMBIGUOUS, THROTTLED, REFUSED])
def test_a_trial_that_fails_in_any_way_reopens_for_longer(failure: Failure) -> None:
    made = in_trial(2)

    made.ended(2, failure, stop=False, now=at(31))

    assert made.position == Open(until=at(31 + 60), delay=timedelta(seconds=60), tried=2)


def test_the_next_trial_is_another_notice() -> None:
    made = in_trial(2)
    made.ended(2, HALT, stop=True, now=at(31))
    made.probed(answered=True, now=at(91))

    assert made.barred_until(2, at(92)) == at(101)
    assert made.barred_until(3, at(92)) is None


def test_the_same_notice_is_tried_again_when_no_other_has_come_up() -> None:
    made = in_trial(2)
    made.ended(2, HALT, stop=True, now=at(31))
    made.probed(answered=True, now=at(91))

    assert made.barred_until(2, at(101)) is None


def test_a_trial_that_was_not_sent_after_all_makes_room_for_another() -> None:
    made = in_trial(2)

    made.withdrew(3, at(31))
    assert made.barred_until(4, at(31)) is not None

    made.withdrew(2, at(31))
    assert made.position == Ready(since=at(31), delay=timedelta(seconds=30), tried=0)


@pytest.mark.parametrize(
    "changes",
    [
        {"ambiguous_max": 0},
        {"refreshes_max": 0},
        {"first_s": 0.0},
        {"first_s": 60.0, "longest_s": 30.0},
        {"burst_s": -1.0},
        {"another_s": 0.0},
    ],
)
def test_a_tolerance_that_never_stops_or_never_ends_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"at least|above"):
        Tolerance(**changes)
