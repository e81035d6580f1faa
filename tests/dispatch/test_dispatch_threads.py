"""The loop on its threads: it wakes, it stops in order, and it dies aloud."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from consumer.core.preferences import Preferences
from tests.builders import NOW
from tests.dispatch.rig import HALT, Rig

DEADLINE_S = 5.0


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.002)


def threaded(tmp_path: Path, **changes: Any) -> Rig:
    """On the wall clock, shifted to the time of the builders."""
    shift = datetime.now(UTC) - NOW
    return Rig(tmp_path, **({"wait": threading.Event.wait, "now": lambda: datetime.now(UTC) - shift} | changes))


def answer_when_told(calling: threading.Event, hang_up: threading.Event) -> None:
    calling.set()
    assert hang_up.wait(DEADLINE_S)


class Defective:
    """A table with a defect of ours in it: where it is looked up or, unless `ready`, where it is asked for that."""

    def __init__(self, *, ready: bool) -> None:
        self._ready = ready

    def get(self, customer_id: str) -> Preferences | None:
        raise ZeroDivisionError

    def ready(self) -> bool:
        if not self._ready:
            raise ZeroDivisionError
        return True


def test_what_is_recorded_is_sent_as_soon_as_somebody_wakes_it(tmp_path: Path) -> None:
    rig = threaded(tmp_path, limits={"poll_s": 60.0, "workers": 4})
    rig.dispatch.start()
    until(lambda: rig.outbox.sweeps == 1)
    for _ in range(50):
        rig.record()

    rig.dispatch.wake()

    until(lambda: rig.reader.stats()["accepted"] == 50)
    assert rig.dispatch.stop(DEADLINE_S)
    assert len(rig.provider.sent) == 50
    rig.close()


def test_a_notice_that_was_put_off_wakes_the_claimer_itself(tmp_path: Path) -> None:
    rig = threaded(tmp_path, limits={"poll_s": 60.0}, rate={"recipient_s": 0.1})
    rig.record()
    rig.record()

    rig.dispatch.start()

    until(lambda: rig.reader.stats()["accepted"] == 2)
    assert rig.dispatch.stop(DEADLINE_S)
    rig.close()


def test_after_a_halt_an_accepted_trial_sets_all_others_going_at_once(tmp_path: Path) -> None:
    rig = threaded(tmp_path, limits={"poll_s": 60.0}, tolerance={"first_s": 0.05, "another_s": 0.05})
    rig.provider.outcomes.append(HALT)
    for _ in range(20):
        rig.record()

    rig.dispatch.start()

    until(lambda: rig.reader.stats()["accepted"] == 20)
    assert rig.dispatch.stop(DEADLINE_S)
    assert rig.provider.probed == 1
    rig.close()


def test_stopping_lets_the_call_end_and_gives_back_what_has_not_begun(tmp_path: Path) -> None:
    rig = threaded(tmp_path, limits={"workers": 1})
    calling, hang_up = threading.Event(), threading.Event()
    rig.during_the_next_call(lambda: answer_when_told(calling, hang_up))
    for _ in range(3):
        rig.record()
    rig.dispatch.start()
    assert calling.wait(DEADLINE_S)
    stopped: list[bool] = []

    stopper = threading.Thread(target=lambda: stopped.append(rig.dispatch.stop(DEADLINE_S)))
    stopper.start()
    until(rig.dispatch._crew.stopping.is_set)
    hang_up.set()
    stopper.join(DEADLINE_S)

    assert stopped == [True]
    assert [rig.standing(n)[0] for n in (1, 2, 3)] == ["accepted", "pending", "pending"]
    assert len(rig.provider.sent) == 1
    rig.close()


def test_a_call_that_outlasts_the_grace_period_is_told(tmp_path: Path) -> None:
    rig = threaded(tmp_path, limits={"workers": 1, "settle_retry_s": 0.05})
    calling, hang_up = threading.Event(), threading.Event()
    rig.during_the_next_call(lambda: answer_when_told(calling, hang_up))
    rig.record()
    rig.dispatch.start()
    assert calling.wait(DEADLINE_S)

    assert not rig.dispatch.stop(0.05)

    hang_up.set()
    until(lambda: rig.standing()[0] == "accepted")
    rig.close()


def test_what_could_not_be_settled_before_the_end_is_an_alarm_with_its_proof(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rig = threaded(tmp_path, limits={"workers": 1, "settle_retry_s": 0.05})
    rig.outbox.outages["settle"] = 1_000_000
    rig.record()
    rig.dispatch.start()
    until(lambda: len(rig.provider.sent) == 1)

    assert not rig.dispatch.stop(0.05)

    (alarm,) = [record for record in caplog.records if record.getMessage() == "attempt_unsettled"]
    fields = alarm.__dict__["fields"]
    assert (fields["notice_id"], fields["message_id"], fields["code"]) == (1, "message-1", "locked")
    assert rig.standing()[0] == "sending"
    rig.close()


def test_a_defect_in_a_sender_is_raised_where_somebody_looks_and_nothing_more_is_sent(tmp_path: Path) -> None:
    rig = threaded(tmp_path, limits={"workers": 2}, preferences=Defective(ready=True))
    rig.record()
    rig.dispatch.check()

    rig.dispatch.start()

    until(rig.dispatch._crew.stopping.is_set)
    with pytest.raises(ZeroDivisionError):
        rig.dispatch.check()
    assert rig.dispatch.stop(DEADLINE_S)
    rig.close()


def test_a_defect_in_the_claimer_is_raised_where_somebody_looks(tmp_path: Path) -> None:
    rig = threaded(tmp_path, limits={"workers": 2}, preferences=Defective(ready=False))

    rig.dispatch.start()

    assert rig.dispatch._crew._all_gone.wait(DEADLINE_S)
    with pytest.raises(ZeroDivisionError):
        rig.dispatch.check()
    rig.close()


def test_a_dispatcher_that_never_started_stops_at_once(tmp_path: Path) -> None:
    rig = threaded(tmp_path)

    assert rig.dispatch.stop(0.0)
    rig.close()
