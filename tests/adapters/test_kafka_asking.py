"""The client that asks what a member's own connections would answer late: nobody is there in these tests."""

import threading
from collections.abc import Iterator
from itertools import pairwise

import pytest

from consumer.adapters.kafka_source.asking import Asker

NOWHERE: dict[str, str | int | float | bool] = {
    "bootstrap.servers": "127.0.0.1:1",
    "log_level": 0,
    "group.protocol": "consumer",
    "group.instance.id": "the-only-one",
}


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def asker(clock: Clock) -> Iterator[Asker]:
    asker = Asker(NOWHERE, clock)
    yield asker
    asker.close()


def test_it_is_renewed_at_most_once_in_ten_seconds(asker: Asker, clock: Clock) -> None:
    seen, renewals = [asker.client], []
    for now_s in (0.0, 9.9, 10.0):
        clock.now_s = now_s
        asker.renew()
        seen.append(asker.client)
        renewals.append(asker.renewals)

    assert renewals == [1, 1, 2]
    assert None not in seen
    assert [one is other for one, other in pairwise(seen)] == [False, True, False]


def test_the_old_client_ends_on_a_thread_that_nobody_waits_for(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[threading.Thread] = []

    def start(thread: threading.Thread) -> None:
        begun.append(thread)

    monkeypatch.setattr(threading.Thread, "start", start)

    asker.renew()

    [thread] = begun
    assert thread.daemon
    thread.run()


def test_after_its_end_there_is_nobody_to_ask(asker: Asker, clock: Clock) -> None:
    asker.close()
    clock.now_s = 100.0
    asker.renew()

    assert asker.client is None
    assert asker.renewals == 0
