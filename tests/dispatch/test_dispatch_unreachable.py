"""An outage of the provider ends no notice that is still fresh, and makes few calls and one alarm."""

import logging
import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from consumer.backoff import exponential
from consumer.core.delivery import Failure, Outcome
from consumer.ports import Sms
from consumer.settings.sending import Breaker, Dispatch
from tests.builders import NOW
from tests.dispatch.rig import THROTTLED, UNREACHED, Rig, ScriptedProvider, told

BY_DEFAULT = Dispatch()


class Outage(ScriptedProvider):
    """Fails in one way, probes too, until it is over."""

    def __init__(self, failure: Failure) -> None:
        super().__init__()
        self.failure: Failure | None = failure

    def publish(self, sms: Sms) -> Outcome:
        accepted = super().publish(sms)
        return self.failure or accepted

    def probe(self) -> Outcome:
        answered = super().probe()
        return self.failure or answered


@pytest.fixture
def outage() -> Outage:
    return Outage(UNREACHED)


@pytest.fixture
def rig(tmp_path: Path, outage: Outage) -> Iterator[Rig]:
    """With the settings that a bank gets if it sets nothing."""
    made = Rig(
        tmp_path,
        provider=outage,
        tolerance=Breaker().model_dump(),
        backoff=exponential(
            first_s=BY_DEFAULT.backoff_first_s,
            longest_s=BY_DEFAULT.backoff_longest_s,
            attempts_max=BY_DEFAULT.attempts_max,
            total_s=BY_DEFAULT.retry_total_s,
            chance=random.Random(7),
        ),
    )
    yield made
    made.close()


def let_pass(rig: Rig, time: timedelta, *, step_s: float = 5.0) -> None:
    end = rig.clock() + time
    while rig.clock() < end:
        rig.run()
        rig.clock.advance(step_s)


def test_an_outage_of_hours_loses_no_notice_that_is_still_fresh(rig: Rig, outage: Outage) -> None:
    for _ in range(20):
        rig.record()
    let_pass(rig, timedelta(hours=3))
    assert rig.reader.stats()["pending"] == 20

    outage.failure = None
    let_pass(rig, timedelta(minutes=20))

    assert rig.reader.stats()["accepted"] == 20


def test_an_outage_makes_few_calls_and_one_alarm(rig: Rig, outage: Outage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "avviso")
    for _ in range(20):
        rig.record()

    let_pass(rig, timedelta(minutes=10))

    assert len(outage.sent) == Breaker().ambiguous_max
    alarms = [line for line in told(caplog, "dispatch_paused") if line["level"] == "ERROR"]
    assert alarms == [{"level": "ERROR", "what": "provider", "code": "ConnectTimeoutError", "fault": "halt"}]


def test_a_lone_notice_outlasts_an_outage_that_one_notice_cannot_show_to_be_one(rig: Rig, outage: Outage) -> None:
    rig.record()
    let_pass(rig, timedelta(minutes=10))

    outage.failure = None
    let_pass(rig, timedelta(minutes=16))

    assert rig.standing() == ("accepted", "accepted")


def test_throttling_for_an_hour_ends_no_notice(rig: Rig, outage: Outage) -> None:
    outage.failure = THROTTLED
    rig.record()
    rig.record()
    let_pass(rig, timedelta(hours=1))

    outage.failure = None
    let_pass(rig, timedelta(minutes=10))

    assert rig.reader.stats()["accepted"] == 2


def test_what_became_stale_during_an_outage_is_expired_and_not_failed(rig: Rig) -> None:
    rig.record(stale_at=NOW + timedelta(minutes=30))

    let_pass(rig, timedelta(minutes=31))

    assert rig.standing() == ("expired", "stale")
