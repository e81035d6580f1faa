"""Members that come, go, freeze and die while records flow, and an observer who uses none of our code."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from tests.brokers import Kafka, fresh_topic
from tests.groups.ledger import Ledger

REPOSITORY = Path(__file__).parents[2]
PARTITIONS = 4
SAMPLES_MIN = 100
QUIET_S = 0.004
"""Between two records of the producer."""
SESSION_S = 2.0
POLL_INTERVAL_S = 3.0
CLASSIC = {
    "session.timeout.ms": int(SESSION_S * 1000),
    "heartbeat.interval.ms": 200,
    "max.poll.interval.ms": int(POLL_INTERVAL_S * 1000),
}
SHORT = {"max.poll.interval.ms": int(POLL_INTERVAL_S * 1000)}


def eventually(condition: Callable[[], bool], what: str, timeout_s: float = 40.0) -> None:
    """Wait until it is so; fail by saying what was not."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, f"not within {timeout_s:.0f} s: {what}"
        time.sleep(0.02)


class Publisher:
    """Publishes a numbered record every few milliseconds, in turn to each partition, until told to stop."""

    def __init__(self, kafka: Kafka, topic: str) -> None:
        self._producer = Producer(
            {"bootstrap.servers": kafka.bootstrap_servers, "enable.idempotence": True, "linger.ms": 0, "log_level": 0}
        )
        self._topic = topic
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._publish)
        self.ends: dict[int, int] = defaultdict(int)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._closing.set()
        self._thread.join()
        assert self._producer.flush(60) == 0

    def _publish(self) -> None:
        number = 0
        while not self._closing.wait(QUIET_S):
            self._producer.produce(self._topic, value=b"%d" % number, partition=number % PARTITIONS)
            self._producer.poll(0)
            self.ends[number % PARTITIONS] += 1
            number += 1


class Observer:
    """Asks Kafka again and again what the group has committed, and the ledger whether all before it is recorded."""

    def __init__(self, kafka: Kafka, group: str, topic: str, ledger: Path) -> None:
        self._asker = Consumer({"bootstrap.servers": kafka.bootstrap_servers, "group.id": group, "log_level": 0})
        self._partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        self._ledger = Ledger(ledger, "observer")
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.latest: dict[int, int] = {}
        self.samples = 0
        self.problems: list[str] = []

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._closing.set()
        self._thread.join()
        self._asker.close()
        self._ledger.close()

    def _watch(self) -> None:
        while not self._closing.wait(0.05):
            try:
                found = self._asker.committed(self._partitions, 2.0)
            except KafkaException:
                continue  # the coordinator is away
            for one in found:
                if one.error is None and one.offset >= 0:
                    self._judge(one.partition, one.offset)

    def _judge(self, part: int, offset: int) -> None:
        self.samples += 1
        before = self.latest.get(part, 0)
        if offset < before:
            self.problems.append(f"[{part}] went back from {before} to {offset}")
        recorded = self._ledger.recorded_below(part, offset)
        if recorded != offset:
            self.problems.append(f"[{part}] is committed up to {offset}, and {recorded} of these are recorded")
        self.latest[part] = offset


class Crowd:
    """A group of processes on one topic and one ledger."""

    def __init__(self, kafka: Kafka, folder: Path, protocol: Mapping[str, Any], group: str) -> None:
        self._folder = folder
        self._group, self._topic = group, fresh_topic(kafka, "events", PARTITIONS)
        limits = SHORT if protocol.get("group.protocol") == "consumer" else CLASSIC
        self._settings = {
            "bootstrap.servers": kafka.bootstrap_servers,
            "reconnect.backoff.max.ms": 200,
            **limits,
            **protocol,
        }
        self._members: dict[str, subprocess.Popen[bytes]] = {}
        self.ledger = Ledger(folder / "ledger.sqlite", "crowd")
        self.publisher = Publisher(kafka, self._topic)
        self.observer = Observer(kafka, self._group, self._topic, folder / "ledger.sqlite")

    def __enter__(self) -> Self:
        self.publisher.start()
        self.observer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._members.values():
            process.kill()
            process.wait()
        self.publisher.stop()
        self.observer.stop()
        self.ledger.close()

    def join(self, *names: str, **settings: Any) -> None:
        """Start these members, with these settings besides; returns when each has been given a partition."""
        for name in names:
            changes = {key.replace("_", "."): value for key, value in settings.items()}
            given = {"name": name, "folder": str(self._folder), "settings": self._settings | changes}
            given |= {"group": self._group, "topic": self._topic}
            command = [sys.executable, "-m", "tests.groups", json.dumps(given)]
            self._members[name] = subprocess.Popen(command, cwd=REPOSITORY)
        for name in names:
            eventually(lambda: bool(self.owned(name)), f"{name} owns something")  # noqa: B023 - asked at once

    def owned(self, name: str) -> set[int]:
        """What the group has told it that it owns."""
        owned: set[int] = set()
        for claim in self.ledger.claims():
            if claim.member == name:
                (owned.add if claim.said == "partitions_assigned" else owned.discard)(claim.part)
        return owned

    def fell_out(self, name: str) -> bool:
        """Whether the group has ever gone on without the member."""
        return any((claim.member, claim.said) == (name, "partitions_lost") for claim in self.ledger.claims())

    def leave(self, name: str) -> int:
        """SIGTERM; the exit code."""
        process = self._members.pop(name)
        process.terminate()
        return process.wait(30)

    def kill(self, name: str) -> None:
        process = self._members.pop(name)
        process.kill()
        process.wait()

    def frozen(self, name: str, until: Callable[[], bool]) -> None:
        """Stopped by the kernel with a batch in hand, heartbeats and all, until it is so."""
        self._halted(name, "freeze", until)
        self._members[name].send_signal(signal.SIGCONT)

    def stalled(self, name: str, until: Callable[[], bool]) -> None:
        """Busy with a batch until it is so; its heartbeats go on."""
        self._halted(name, "stall", until)
        (self._folder / f"{name}.stall").unlink()

    def _halted(self, name: str, how: str, until: Callable[[], bool]) -> None:
        (self._folder / f"{name}.{how}").touch()
        least_s = time.monotonic() + POLL_INTERVAL_S + 0.5
        eventually(lambda: until() and time.monotonic() > least_s, f"others took over from {name}, {how}")

    def sees_progress(self) -> None:
        """Until what has been published by now is committed."""
        ends = dict(self.publisher.ends)
        eventually(lambda: all(self.observer.latest.get(part, 0) >= end for part, end in ends.items()), "progress")

    def everything_is_done(self) -> bool:
        """Whether the last record published is committed."""
        return all(self.observer.latest.get(part, 0) == end for part, end in self.publisher.ends.items())

    def finish(self, *names: str) -> None:
        """Let these members take in what is left, and leave; then judge all that happened."""
        self.publisher.stop()
        eventually(self.everything_is_done, "every record is committed")
        assert [self.leave(name) for name in names] == [0] * len(names)
        recorded = {part: self.ledger.recorded_below(part, end) for part, end in self.publisher.ends.items()}
        assert recorded == self.publisher.ends
        assert self.observer.problems == []
        assert self.observer.samples > SAMPLES_MIN
        assert self.stale() == []

    def stale(self) -> Sequence[str]:
        """What was written by somebody who was not the last to be given the partition, or had been told to let it go."""
        found: list[str] = []
        claims = self.ledger.claims()
        for one in self.ledger.written():
            told = [claim for claim in claims if claim.part == one.part and claim.at <= one.at]
            assigned = [claim for claim in told if claim.said == "partitions_assigned"]
            own = [claim for claim in told if claim.member == one.member]
            if not own or own[-1].said != "partitions_assigned" or assigned[-1].member != one.member:
                found.append(f"{one}: {own[-1:]}, {assigned[-1:]}")
        return found
