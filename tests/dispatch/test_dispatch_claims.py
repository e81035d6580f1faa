"""How much is claimed, and when the outbox is looked at again."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from consumer.dispatch import DispatchLimits
from tests.builders import NOW, preferences
from tests.dispatch.rig import SECURITY_NOTICE, Rig


def test_security_goes_first_and_then_what_has_waited_longest(rig: Rig) -> None:
    rig.record(not_before=NOW - timedelta(seconds=1))
    rig.record(not_before=NOW - timedelta(seconds=2))
    rig.record(**SECURITY_NOTICE)

    assert [claim.notice_id for claim in rig.claim()] == [3, 2, 1]


def test_nothing_is_claimed_until_the_preferences_have_caught_up(rig: Rig) -> None:
    rig.record()
    rig.table.caught_up = False

    assert rig.claim() == []
    assert rig.standing()[0] == "pending"

    rig.table.caught_up = True
    assert len(rig.claim()) == 1


def test_what_was_claimed_before_the_preferences_fell_behind_is_given_back(rig: Rig) -> None:
    rig.record()
    (claim,) = rig.claim()
    rig.table.caught_up = False

    rig.dispatch.work(claim)

    assert rig.standing() == ("pending", "preferences_waiting")
    assert rig.provider.sent == []


def test_no_more_is_claimed_than_there_are_tokens_for(tmp_path: Path) -> None:
    rig = Rig(tmp_path, rate={"parts_per_s": 2.0, "burst_parts": 3.0})
    for _ in range(10):
        rig.record()

    assert rig.run() == 3
    found = rig.dispatch.claim_once()
    assert found.jobs == ()
    assert 0.5 <= found.again_in_s < 0.51
    rig.clock.advance(found.again_in_s)
    assert rig.run() == 1
    rig.close()


def test_no_more_is_claimed_than_the_queue_may_hold(tmp_path: Path) -> None:
    rig = Rig(tmp_path, limits={"queued_max": 4})
    for _ in range(10):
        rig.record()

    found = rig.dispatch.claim_once()

    assert len(found.jobs) == 4
    assert found.again_in_s == 0.0
    rig.close()


def test_what_waits_in_the_queue_takes_the_room_of_what_could_be_claimed(tmp_path: Path) -> None:
    rig = Rig(tmp_path, limits={"queued_max": 4})
    for _ in range(10):
        rig.record()
    first, second, *_ = rig.claim()
    rig.dispatch._crew._queue.put(first)
    rig.dispatch._crew._queue.put(second)

    assert len(rig.claim()) == 2
    rig.close()


@pytest.mark.parametrize(("recipient_s", "woken"), [(0.9, True), (1.0, False)])
def test_whoever_sleeps_is_woken_when_a_notice_is_put_off_for_less_than_the_time_between_two_looks(
    tmp_path: Path, recipient_s: float, woken: bool
) -> None:
    rig = Rig(tmp_path, limits={"poll_s": 1.0}, rate={"recipient_s": recipient_s})
    rig.record()
    rig.record()

    rig.run()

    assert rig.standing(2) == ("pending", "throttled")
    assert rig.dispatch._crew._woken.is_set() is woken
    rig.close()


def test_whoever_sleeps_is_left_alone_when_a_notice_has_ended(rig: Rig) -> None:
    rig.record()

    rig.run()

    assert rig.standing()[0] == "accepted"
    assert not rig.dispatch._crew._woken.is_set()


def test_one_customer_gets_one_text_a_second(tmp_path: Path) -> None:
    rig = Rig(tmp_path, rate={"recipient_s": 1.0})
    rig.table.by_customer["cust-2"] = preferences(customer_id="cust-2")
    rig.record()
    rig.record()

    rig.run()

    assert rig.standing(1) == ("accepted", "accepted")
    assert rig.standing(2) == ("pending", "throttled")
    assert rig.due_in_s(2) == 1.0
    rig.close()


def test_a_notice_that_goes_stale_while_it_waits_for_tokens_expires(tmp_path: Path) -> None:
    rig = Rig(tmp_path, rate={"recipient_s": 1.0})
    for _ in range(2):
        rig.record(stale_at=NOW + timedelta(seconds=1))
    rig.run()

    rig.clock.advance(10)
    rig.run()

    assert rig.reader.stats()["accepted"] == rig.reader.stats()["expired"] == 1
    assert len(rig.provider.sent) == 1
    rig.close()


def test_it_sleeps_until_the_next_notice_is_due_if_that_is_before_the_next_poll(rig: Rig) -> None:
    rig.record(not_before=NOW + timedelta(seconds=0.25))

    assert rig.dispatch.claim_once().again_in_s == 0.25


def test_it_sleeps_for_a_poll_when_nothing_is_due_for_long(rig: Rig) -> None:
    assert rig.dispatch.claim_once().again_in_s == 1.0
    rig.record(not_before=NOW + timedelta(hours=1))
    assert rig.dispatch.claim_once().again_in_s == 1.0


@pytest.mark.parametrize(
    "changes",
    [
        {"workers": 0},
        {"queued_max": 0},
        {"parts_max": 0},
        {"poll_s": 0.0},
        {"call_timeout_s": 0.0},
        {"lease_s": 29.0},
        {"doubt_s": 10.0},
    ],
)
def test_limits_that_contradict_each_other_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"at least|above"):
        DispatchLimits(**changes)
