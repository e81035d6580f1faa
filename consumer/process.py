"""What the process and the system around it ask of each other: time, signals, patience, a timely end, seldom garbage."""

import contextlib
import gc
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from logging import WARNING
from typing import TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_when_event_set,
    wait_exponential,
)

from consumer.errors import Unavailable
from consumer.telemetry import Line, log

_Answer = TypeVar("_Answer")

_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})
_COLLECT_AFTER = (200_000, 20, 20)
"""Containers left over before the youngest are looked at, and how often that happens before older ones are."""


_ALSO_ASLEEP = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Linux stops the usual clock while the machine is suspended; macOS has no other."""


def elapsed_s() -> float:
    """Seconds since some moment, those included for which the machine was suspended: Kafka does not wait for us."""
    return time.clock_gettime(_ALSO_ASLEEP)


@contextlib.contextmanager
def rare_collections() -> Iterator[None]:
    """Let Python look for cyclic garbage seldom, and not at all in what is there already.

    Intake makes hundreds of short-lived values a batch and no cycles: they are freed as they fall out of use. Left as it is,
    the collector spends a fifth of the processor on walking again and again through libraries, schemas and texts.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@contextlib.contextmanager
def drained(drain: Callable[[], object], stopping: threading.Event) -> Iterator[None]:
    """Call `drain` once `stopping` is set, whatever intake is in the middle of; leaving waits for its end."""

    def wait_and_drain() -> None:
        stopping.wait()
        drain()

    draining = threading.Thread(target=wait_and_drain, name="drain", daemon=True)
    draining.start()
    try:
        yield
    finally:
        stopping.set()
        draining.join()


@contextlib.contextmanager
def signals_set(stopping: threading.Event) -> Iterator[None]:
    """SIGTERM and Ctrl-C set it; afterwards they mean again what they meant before.

    A thread of its own hears of them: Python runs no handler while the main thread is inside a call of librdkafka, which may
    last many seconds, and one that sets an event may lock out the thread that it interrupts.
    """
    ear, mouth = socket.socketpair()
    with ear, contextlib.ExitStack() as undo:
        listening = threading.Thread(target=_listen, args=(ear, stopping), name="signals", daemon=True)
        listening.start()
        undo.callback(listening.join)
        undo.enter_context(mouth)
        mouth.setblocking(False)
        undo.callback(signal.set_wakeup_fd, signal.set_wakeup_fd(mouth.fileno(), warn_on_full_buffer=False))
        for number in _SIGNALS:
            undo.callback(signal.signal, number, signal.signal(number, _heard_elsewhere))
        yield


def _heard_elsewhere(_number: int, _frame: object) -> None:
    """Without a handler Python would not tell of the signal at all."""


def _listen(ear: socket.socket, stopping: threading.Event) -> None:
    """Until the other end is closed; every signal that has a handler comes as its number in a byte."""
    while heard := ear.recv(1):
        if heard[0] in _SIGNALS:
            stopping.set()


def when_available(question: Callable[[], _Answer], stopping: threading.Event) -> _Answer | None:
    """Ask until there is an answer; None if told to stop first. What is away is said once."""
    said: set[str] = set()

    def say(state: RetryCallState) -> None:
        outage = None if state.outcome is None else state.outcome.exception()
        if isinstance(outage, Unavailable) and outage.code not in said:
            said.add(outage.code)
            log(Line.KAFKA_TROUBLE, WARNING, what=outage.what, code=outage.code)

    asking = Retrying(
        retry=retry_if_exception_type(Unavailable),
        wait=wait_exponential(multiplier=0.5, max=10.0),
        stop=stop_when_event_set(stopping),
        sleep=sleep_using_event(stopping),
        before_sleep=say,
        reraise=True,
    )
    try:
        return asking(question)
    except Unavailable:
        return None
