"""Told to stop: it is heard at once, and nothing more is claimed, whatever the main thread is in the middle of."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import Producer

from consumer import process
from consumer.errors import Unavailable

DEADLINE_S = 10.0


@contextmanager
def noting_when_set(event: threading.Event) -> Iterator[list[float]]:
    """The moment at which the event was set, seen from another thread."""
    moments: list[float] = []

    def note() -> None:
        event.wait(DEADLINE_S)
        moments.append(time.monotonic())

    watching = threading.Thread(target=note)
    watching.start()
    yield moments
    watching.join()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_heard_while_the_main_thread_is_inside_librdkafka(number: int) -> None:
    stopping = threading.Event()
    producer = Producer({"bootstrap.servers": "127.0.0.1:1", "log_level": 0, "message.timeout.ms": 1500})
    producer.produce("nowhere", b"value")

    with noting_when_set(stopping) as heard_s, process.signals_set(stopping):
        sending = threading.Timer(0.2, os.kill, (os.getpid(), number))
        sending.start()
        producer.flush(5)
        flushed_s = time.monotonic()
        stopping.wait(DEADLINE_S)
        sending.join()

    assert stopping.is_set()
    assert heard_s[0] < flushed_s


def test_afterwards_signals_mean_what_they_meant_before() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]

    with process.signals_set(threading.Event()):
        assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] != before

    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before
    assert signal.set_wakeup_fd(-1) == -1
    assert "signals" not in [thread.name for thread in threading.enumerate()]


def test_draining_begins_when_it_is_told_to_stop_and_not_when_intake_returns() -> None:
    stopping, drained = threading.Event(), threading.Event()

    with process.drained(drained.set, stopping):
        assert not drained.is_set()
        stopping.set()
        assert drained.wait(DEADLINE_S)


def test_draining_is_waited_for_also_when_intake_has_broken_down() -> None:
    ended: list[bool] = []

    with pytest.raises(ZeroDivisionError), process.drained(lambda: ended.append(True), threading.Event()):
        raise ZeroDivisionError

    assert ended == [True]


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="this system has only one clock that does not go back")
def test_the_time_for_which_the_machine_was_suspended_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a machine that never sleeps both clocks tell the same."""
    monkeypatch.setattr(time, "clock_gettime", {time.CLOCK_BOOTTIME: 7.0, time.CLOCK_MONOTONIC: 5.0}.__getitem__)

    assert process.elapsed_s() == 7.0


def test_whoever_waits_for_an_answer_says_once_what_is_away(caplog: pytest.LogCaptureFixture) -> None:
    stopping, asked = threading.Event(), 0

    def away() -> str:
        nonlocal asked
        asked += 1
        if asked == 3:
            stopping.set()
        raise Unavailable("kafka", "_TIMED_OUT")

    assert process.when_available(away, stopping) is None
    said = [entry.__dict__["fields"] for entry in caplog.records if entry.getMessage() == "kafka_trouble"]
    assert said == [{"what": "kafka", "code": "_TIMED_OUT"}]
