"""Whatever the outbox does, nothing is sent that it does not know of, and nothing that was sent is forgotten."""

import logging
from datetime import timedelta

import pytest

from consumer.core.delivery import Patience
from tests.builders import NOW
from tests.dispatch.rig import AMBIGUOUS, Rig, told

PATIENCE = Patience(lease=timedelta(seconds=60), doubt=timedelta(seconds=900))


def test_while_the_outbox_is_away_it_is_asked_again_each_poll_and_told_once(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "avviso")
    rig.record()
    rig.outbox.outages["claim"] = 2

    for _ in range(2):
        found = rig.dispatch.claim_once()
        assert (found.jobs, found.again_in_s) == ((), 1.0)

    assert len(rig.claim()) == 1
    assert rig.claim() == []
    assert told(caplog, "dispatch_paused") == [{"level": "WARNING", "what": "outbox", "code": "locked"}]
    assert told(caplog, "dispatch_resumed") == [{"level": "INFO", "what": "outbox"}]


def test_what_was_claimed_is_worked_on_although_the_outbox_goes_away_right_after(rig: Rig) -> None:
    rig.record()
    rig.outbox.outages["due_at"] = 1

    assert rig.run() == 1

    assert rig.standing() == ("accepted", "accepted")


def test_without_a_durable_begin_nothing_is_sent(rig: Rig) -> None:
    rig.record()
    rig.outbox.outages["begin"] = 1

    rig.run()

    assert rig.provider.sent == []
    assert rig.standing()[0] == "claimed"


def test_a_claim_that_could_not_begin_comes_back_when_its_lease_ends(rig: Rig) -> None:
    rig.record()
    rig.outbox.outages["begin"] = 1
    rig.run()

    rig.clock.advance(61)
    rig.run()

    assert rig.standing() == ("accepted", "accepted")
    assert len(rig.provider.sent) == 1


def test_a_claim_that_went_to_another_is_not_sent(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "avviso")
    rig.record()
    (slow,) = rig.claim()
    rig.store.sweep(NOW + timedelta(seconds=61), PATIENCE)
    (quick,) = rig.claim(rig.another(owner="worker-2"))

    rig.dispatch.work(slow)

    assert rig.provider.sent == []
    assert [line["reason"] for line in told(caplog, "claim_dropped")] == ["not_ours"]
    rig.dispatch.work(quick)
    assert rig.standing() == ("accepted", "accepted")


def test_a_claim_whose_lease_is_too_short_for_a_call_is_given_back_unsent(rig: Rig) -> None:
    rig.record()
    (claim,) = rig.claim()
    rig.clock.advance(50.5)

    rig.dispatch.work(claim)

    assert rig.provider.sent == []
    assert rig.standing() == ("pending", "lease_short")
    assert rig.run() == 1
    assert rig.standing() == ("accepted", "accepted")


def test_a_lease_that_is_just_long_enough_for_a_call_is_used(rig: Rig) -> None:
    rig.record()
    (claim,) = rig.claim()
    rig.clock.advance(50)

    rig.dispatch.work(claim)

    assert rig.standing() == ("accepted", "accepted")


def test_an_acceptance_is_written_down_however_long_the_outbox_is_away(rig: Rig) -> None:
    rig.record()
    rig.outbox.outages["settle"] = 25

    rig.run()

    assert rig.waits == [0.5] * 25
    assert rig.standing() == ("accepted", "accepted")
    assert len(rig.provider.sent) == 1


def test_a_settlement_that_comes_after_the_doubt_proves_it(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "avviso")
    rig.record()
    rig.during_the_next_call(lambda: rig.store.sweep(rig.clock.advance(61), PATIENCE))

    rig.run()

    assert rig.standing()[0] == "accepted"
    assert rig.triggers() == ["recorded", "claim", "begin", "doubt", "prove"]
    assert told(caplog, "claim_dropped")[0]["message_id"] == "message-1"


def test_a_failure_that_comes_after_the_doubt_changes_nothing(rig: Rig) -> None:
    rig.record()
    rig.provider.outcomes.append(AMBIGUOUS)
    rig.during_the_next_call(lambda: rig.store.sweep(rig.clock.advance(61), PATIENCE))

    rig.run()

    assert rig.triggers() == ["recorded", "claim", "begin", "doubt"]


def test_what_was_not_sent_needs_no_second_try_to_be_given_back(rig: Rig) -> None:
    rig.record()
    rig.ask(phone_verified=False)
    rig.outbox.outages["settle"] = 1

    rig.run()

    assert rig.waits == []
    assert rig.standing()[0] == "claimed"
    rig.clock.advance(61)
    rig.run()
    assert rig.standing() == ("failed", "no_phone")


def test_it_sweeps_at_the_start_and_then_every_few_seconds(rig: Rig) -> None:
    rig.claim()
    rig.clock.advance(4.9)
    rig.claim()
    assert rig.outbox.sweeps == 1

    rig.clock.advance(0.1)
    rig.claim()
    assert rig.outbox.sweeps == 2


def test_a_sweep_that_failed_is_made_up_for_at_once(rig: Rig) -> None:
    rig.outbox.outages["sweep"] = 1
    rig.claim()

    rig.claim()

    assert rig.outbox.sweeps == 1
