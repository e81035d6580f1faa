"""How sending stops, and how carefully it starts again."""

import logging
from typing import Any

import pytest

from consumer.core.delivery import Claim
from tests.dispatch.rig import AMBIGUOUS, HALT, MISCONFIGURED, SECURITY_NOTICE, UNREACHED, Rig, told


def broken(rig: Rig, **changes: Any) -> None:
    rig.record(**changes)
    rig.provider.outcomes.append(HALT)
    rig.run()


def test_while_it_is_open_nothing_is_claimed_and_nobody_is_asked(rig: Rig) -> None:
    broken(rig)
    rig.clock.advance(29)

    found = rig.dispatch.claim_once()

    assert found.jobs == ()
    assert found.again_in_s == 1.0
    assert rig.provider.probed == 0


def test_a_read_only_call_goes_first_and_then_one_notice(rig: Rig) -> None:
    broken(rig)
    rig.record()
    rig.record()
    rig.clock.advance(30)

    assert len(rig.claim()) == 1
    assert rig.provider.probed == 1
    assert len(rig.provider.sent) == 1


def test_a_probe_that_fails_sends_nothing_and_doubles_the_pause(rig: Rig) -> None:
    broken(rig)
    rig.clock.advance(30)
    rig.provider.probes.append(UNREACHED)

    assert rig.run() == 0
    rig.clock.advance(59)
    assert rig.run() == 0
    assert rig.provider.probed == 1
    rig.clock.advance(1)
    assert rig.run() == 1
    assert rig.provider.probed == 2


def test_an_accepted_trial_opens_the_way_for_all(rig: Rig) -> None:
    broken(rig)
    rig.record()
    rig.clock.advance(30)
    rig.run()

    rig.clock.advance(10)
    rig.run()

    assert rig.standing(1) == ("accepted", "accepted")
    assert rig.standing(2) == ("accepted", "accepted")


def test_an_accepted_trial_wakes_whoever_sleeps(rig: Rig) -> None:
    broken(rig)
    rig.clock.advance(30)
    (trial,) = rig.claim()
    rig.dispatch._crew._woken.clear()

    rig.dispatch.work(trial)

    assert rig.dispatch._crew._woken.is_set()


def test_the_next_trial_is_another_notice_although_the_first_ranks_higher(rig: Rig) -> None:
    broken(rig, **SECURITY_NOTICE)
    rig.provider.outcomes.append(HALT)
    rig.clock.advance(30)
    rig.run()
    rig.record()
    rig.clock.advance(60)

    rig.run()
    assert rig.standing(1) == ("pending", "breaker")
    rig.run()

    assert rig.standing(1) == ("pending", "breaker")
    assert rig.standing(2) == ("accepted", "accepted")


def test_the_only_notice_there_is_becomes_the_trial_again(rig: Rig) -> None:
    broken(rig)
    rig.provider.outcomes.append(HALT)
    rig.clock.advance(30)
    rig.run()
    rig.clock.advance(60)

    rig.run()
    assert rig.standing(1) == ("pending", "breaker")
    rig.clock.advance(10)
    rig.run()

    assert rig.standing(1) == ("accepted", "accepted")


def test_a_brown_out_does_not_turn_the_queue_into_doubt(rig: Rig) -> None:
    for _ in range(50):
        rig.record()
    rig.provider.outcomes.extend([AMBIGUOUS] * 50)

    for _ in range(20):
        rig.run()

    assert rig.reader.stats()["in_doubt"] == 3
    assert rig.reader.stats()["pending"] == 47


def test_calls_that_were_under_way_when_it_opened_do_not_close_it(rig: Rig) -> None:
    rig.record()
    rig.record()
    first, second = rig.claim()
    rig.provider.outcomes.append(HALT)
    rig.during_the_next_call(lambda: rig.dispatch.work(first))

    rig.dispatch.work(second)

    assert rig.reader.stats()["accepted"] == 1
    rig.record()
    assert rig.claim() == []


def test_a_trial_that_may_not_begin_leaves_its_place_to_the_next(rig: Rig) -> None:
    broken(rig)
    rig.record(**SECURITY_NOTICE)
    rig.clock.advance(30)
    rig.outbox.outages["begin"] = 1
    rig.run()

    rig.run()

    assert rig.reader.stats()["accepted"] == 1


def part_is_due_for_a_trial(rig: Rig, *, waiting: int) -> list[Claim]:
    """Claims of a part that was stopped: the first is the trial, the others find out that they are not."""
    rig.record()
    rig.provider.outcomes.append(MISCONFIGURED)
    rig.run()
    for _ in range(waiting):
        rig.record()
    rig.clock.advance(30)
    return rig.claim()


def test_what_waits_for_a_trial_of_its_part_is_put_off_once_and_not_asked_again_and_again(rig: Rig) -> None:
    trial, *others = part_is_due_for_a_trial(rig, waiting=12)

    def come_up_for_two_seconds() -> None:
        for other in others:
            rig.dispatch.work(other)
        for _ in range(20):
            rig.run()
            rig.clock.advance(0.1)

    rig.during_the_next_call(come_up_for_two_seconds)
    rig.dispatch.work(trial)

    assert {rig.triggers(other.notice_id).count("release") for other in others} == {1}
    rig.clock.advance(8)
    assert rig.run() == 12
    assert rig.reader.stats()["accepted"] == 13


def test_what_waits_for_a_trial_does_not_wake_the_claimer(rig: Rig) -> None:
    trial, other = part_is_due_for_a_trial(rig, waiting=1)
    rig.dispatch._crew._woken.clear()
    woken = []

    def come_up() -> None:
        rig.dispatch.work(other)
        woken.append(rig.dispatch._crew._woken.is_set())

    rig.during_the_next_call(come_up)
    rig.dispatch.work(trial)

    assert rig.standing(other.notice_id) == ("pending", "breaker")
    assert woken == [False]


def test_opening_is_an_alarm_and_closing_is_told(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "avviso")

    broken(rig)
    rig.clock.advance(30)
    rig.run()

    (paused,) = told(caplog, "dispatch_paused")
    assert paused == {"level": "ERROR", "what": "provider", "code": "AuthorizationError", "fault": "halt"}
    (resumed,) = told(caplog, "dispatch_resumed")
    assert resumed == {"level": "INFO", "what": "provider"}
