"""A topic of preferences that needs no Avro, and a table that follows it."""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import Producer

from consumer.adapters.preference_table import PreferenceTable, this_boot
from consumer.adapters.preference_table.pace import Pace
from consumer.core.flood import FloodLimits
from consumer.core.preferences import Preferences
from consumer.core.record import Record
from consumer.core.screen import Screen
from consumer.errors import Undecodable
from tests.brokers import Kafka
from tests.builders import NOW, preferences
from tests.deciding import CATALOGUE
from tests.fakes import Drawer

DEADLINE_S = 30.0
HASTE = Pace(poll_s=0.02, retry_s=0.05, question_timeout_s=0.3)
ONE_BY_ONE = msgspec.structs.replace(HASTE, batch_records_max=1)
OpenTable = Callable[..., PreferenceTable]


def follow(kafka: Kafka | str, path: Path, topic: str, **changes: Any) -> PreferenceTable:
    """A table in a hurry."""
    ordinary: dict[str, Any] = {
        "topic": topic,
        "path": path,
        "decode": wanted,
        "dead_letters": Drawer(),
        "word": Screen(CATALOGUE).word,
        "customers_min": 1,
        "size_max_bytes": 2**26,
        "flood": FloodLimits(),
        "now": lambda: NOW,
        "pace": HASTE,
        "boot_id": this_boot(),
    }
    servers = kafka if isinstance(kafka, str) else kafka.bootstrap_servers
    settings: dict[str, str | int] = {"bootstrap.servers": servers, "fetch.wait.max.ms": 50}
    return PreferenceTable(settings, **{**ordinary, **changes})


def wanted(record: Record) -> Preferences:
    """What the tests write instead of Avro: a customer's id and language; anything else is undecodable."""
    try:
        customer_id, language = (record.value or b"").decode().split(":")
    except ValueError:
        raise Undecodable("test", "no colon") from None
    return preferences(customer_id=customer_id, language=language, position=record.position)


def publish(
    kafka: Kafka, topic: str, *entries: tuple[bytes | None, bytes | None], partition: int = 0, linger_ms: int = 0
) -> None:
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "linger.ms": linger_ms})
    for key, value in entries:
        producer.produce(topic, key=key, value=value, partition=partition)
    assert producer.flush(20) == 0


def eventually(so: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    while not so():
        assert time.monotonic() < deadline_s, f"not so after {DEADLINE_S} s"
        time.sleep(0.01)


def language(table: PreferenceTable, customer_id: str) -> str | None:
    found = table.get(customer_id)
    return None if found is None else found.language


def lines(caplog: pytest.LogCaptureFixture, line: str) -> list[dict[str, Any]]:
    return [entry.__dict__["fields"] for entry in caplog.records if entry.getMessage() == line]


def rebuild_and_hang(bootstrap_servers: str, path: Path, topic: str, at: datetime, records: int, hangs: Event) -> None:
    """In a process that is going to be killed: read so many records into a table that does not fit, and no more."""
    read = 0

    def decode(record: Record) -> Preferences:
        nonlocal read
        if read == records:
            hangs.set()
            threading.Event().wait()
        read += 1
        return wanted(record)

    follow(bootstrap_servers, path, topic, decode=decode, now=lambda: at, pace=ONE_BY_ONE)
    threading.Event().wait()


class Hands:
    """A clock and a calendar that a test moves."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def clock(self) -> float:
        return self.now_s

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.now_s)
