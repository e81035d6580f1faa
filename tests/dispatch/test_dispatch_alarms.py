"""Whoever should have been told and was not, or nobody knows, is an alarm; nothing else that happens daily is one."""

import logging
from datetime import timedelta
from typing import Any

import pytest

from consumer.core.catalogue import InDoubtPolicy
from tests.builders import NOW
from tests.dispatch.rig import AMBIGUOUS, OPTED_OUT, REFUSED, SECURITY_NOTICE, THROTTLED, Rig, told


@pytest.fixture(autouse=True)
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "avviso")


def untold(reason: str) -> list[dict[str, object]]:
    return [{"level": "ERROR", "notice_id": 1, "kind": "card_not_present", "reason": reason}]


@pytest.mark.parametrize(("failure", "reason"), [(REFUSED, "InvalidParameter"), (OPTED_OUT, "opted_out")])
def test_a_mandatory_notice_that_the_provider_refuses_is_an_alarm(
    rig: Rig, caplog: pytest.LogCaptureFixture, failure: Any, reason: str
) -> None:
    rig.record(**SECURITY_NOTICE)
    rig.provider.outcomes.append(failure)

    rig.run()

    assert told(caplog, "notice_untold") == untold(reason)


def test_a_mandatory_notice_whose_text_cannot_be_formed_is_an_alarm(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.record(**SECURITY_NOTICE, values={})

    rig.run()

    assert told(caplog, "notice_untold") == untold("unformable")


def test_a_mandatory_notice_that_goes_stale_in_the_queue_is_an_alarm(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.record(**SECURITY_NOTICE, stale_at=NOW + timedelta(seconds=60), not_before=NOW + timedelta(seconds=60))
    rig.clock.advance(60)

    rig.run()

    assert rig.standing() == ("expired", "stale")
    assert told(caplog, "notice_untold") == untold("stale")


def test_a_notice_that_counts_a_mandatory_kind_as_told_with_it_is_mandatory_too(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.record(also=("card_not_present",), stale_at=NOW)

    rig.run()

    assert [line["kind"] for line in told(caplog, "notice_untold")] == ["large_debit"]


@pytest.mark.parametrize("changes", [{"stale_at": NOW}, {"values": {}}])
def test_an_optional_notice_that_is_not_told_is_no_alarm(
    rig: Rig, caplog: pytest.LogCaptureFixture, changes: dict[str, Any]
) -> None:
    rig.record(**changes)

    rig.run()

    assert rig.standing()[0] in ("expired", "failed")
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_patience_with_the_provider_that_ends_is_an_alarm_whatever_the_notice(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.record()
    rig.provider.outcomes.append(THROTTLED)
    rig.clock.advance(3600)

    rig.run()

    assert rig.standing() == ("failed", "retries_exhausted")
    assert told(caplog, "notice_untold") == [
        {"level": "ERROR", "notice_id": 1, "kind": "large_debit", "reason": "retries_exhausted"}
    ]


def test_a_notice_that_its_second_send_leaves_held_is_an_alarm(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.record(in_doubt=InDoubtPolicy.RESEND)
    rig.provider.outcomes.extend([AMBIGUOUS, AMBIGUOUS])
    rig.run()
    rig.clock.advance(900)

    rig.run()

    assert rig.standing() == ("held", "ReadTimeoutError")
    assert told(caplog, "notice_held") == [
        {"level": "ERROR", "notice_id": 1, "kind": "large_debit", "reason": "ReadTimeoutError"}
    ]


def test_what_a_sweep_leaves_held_is_an_alarm_and_the_rest_of_its_work_is_not(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.record()
    rig.record(stale_at=NOW)
    rig.provider.outcomes.append(AMBIGUOUS)
    rig.run()
    rig.clock.advance(900)

    rig.run()

    assert [(line["level"], line["expired"], line["held"]) for line in told(caplog, "swept")] == [
        ("INFO", 1, 0),
        ("ERROR", 0, 1),
    ]
