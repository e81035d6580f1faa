"""A bank around one `avviso run`: fresh topics, a producer without our code, a scripted SNS, and a process to kill."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
from confluent_kafka import Consumer, Producer

from consumer.adapters.outbox_sqlite import SqliteOutboxReader
from consumer.core.story import NoticeStory
from consumer.errors import Broken, ExitCode
from consumer.sandbox.sns_endpoint import ScriptedSns
from tests.brokers import Kafka, fresh, fresh_topic

REPOSITORY = Path(__file__).parents[2]
ACCESS_KEY = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def eventually(condition: Callable[[], bool], what: str, timeout_s: float = 60.0) -> None:
    """Wait until it is so; fail by saying what was not."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s:.0f} s: {what}"
        time.sleep(0.02)


class Worker:
    """One `avviso run`, in a process of its own."""

    def __init__(
        self, environ: Mapping[str, str], log: Path, arguments: Sequence[str] = (), program: str = "consumer"
    ) -> None:
        self._log = log.open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", program, "run", *arguments],
            cwd=REPOSITORY,
            env=dict(environ),
            stdout=self._log,
            stderr=self._log,
        )

    def kill(self) -> None:
        """As the kernel does when memory runs out."""
        self.process.kill()
        self._end()

    def stop(self, timeout_s: float = 40.0) -> int:
        """As Kubernetes does; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout_s)
        self._end()
        return code

    def ended(self, timeout_s: float = 60.0) -> int:
        """The exit code of a process that ends by itself."""
        code = self.process.wait(timeout_s)
        self._end()
        return code

    def _end(self) -> None:
        self.process.wait()
        self._log.close()


class Stage:
    """Topics, producer and settings of one bank."""

    def __init__(self, kafka: Kafka, sns: ScriptedSns, folder: Path, partitions: int = 3) -> None:
        self.kafka = kafka
        self.sns = sns
        self.folder = folder
        self.log = folder / "log.jsonl"
        self.outbox = folder / "outbox.sqlite"
        self.topics = {
            "TransactionPosted": fresh_topic(kafka, "transactions", partitions),
            "BalanceChanged": fresh_topic(kafka, "balances", partitions),
            "AlertPreferences": fresh_topic(kafka, "preferences", partitions, {"cleanup.policy": "compact"}),
            "DeadLetter": fresh_topic(kafka, "dead-letters", 1),
        }
        self._group = fresh("avviso")
        self._producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "linger.ms": 1, "log_level": 0})
        self._schemas = {
            name: fastavro.schema.load_schema(str(REPOSITORY / "schemas" / name / "v1.avsc"))
            for name in ("TransactionPosted", "BalanceChanged", "AlertPreferences")
        }
        self._workers: list[Worker] = []

    def environ(self, **changes: str) -> dict[str, str]:
        """What the process is given: nothing of this machine's settings but where to find Python and its libraries."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AVVISO_", "AWS_", "OTEL_"))}
        return (
            kept
            | ACCESS_KEY
            | {
                "AVVISO_KAFKA__BOOTSTRAP_SERVERS": self.kafka.bootstrap_servers,
                "AVVISO_KAFKA__SESSION_TIMEOUT_MS": "2000",
                "AVVISO_KAFKA__HEARTBEAT_INTERVAL_MS": "500",
                "AVVISO_GROUP_ID": self._group,
                "AVVISO_TOPICS__TRANSACTIONS": self.topics["TransactionPosted"],
                "AVVISO_TOPICS__BALANCES": self.topics["BalanceChanged"],
                "AVVISO_TOPICS__PREFERENCES": self.topics["AlertPreferences"],
                "AVVISO_TOPICS__DEAD_LETTERS": self.topics["DeadLetter"],
                "AVVISO_OUTBOX__URL": f"sqlite:///{self.outbox}",
                "AVVISO_PREFERENCES__PATH": str(self.folder / "preferences.lmdb"),
                "AVVISO_PSEUDONYM_KEY": "sixteen bytes or more",
                "AVVISO_SNS__REGION": "eu-south-1",
                "AVVISO_SNS__ENDPOINT_URL": self.sns.url,
                "AVVISO_INTAKE__POLL_TIMEOUT_S": "0.2",
                "AVVISO_RATE__PARTS_PER_S": "500",
                "AVVISO_RATE__BURST_PARTS": "500",
                "AVVISO_RATE__RECIPIENT_S": "0",
            }
            | changes
        )

    def worker(self, *arguments: str, program: str = "consumer", **changes: str) -> Worker:
        """Start one; whatever is left of it ends with the stage. `program`: Avviso, or one around it."""
        worker = Worker(self.environ(**changes), self.log, arguments, program)
        self._workers.append(worker)
        return worker

    def close(self) -> None:
        """End what is still running."""
        for worker in self._workers:
            worker.kill()

    def publish(
        self, schema: str, key: str, fields: Mapping[str, Any], headers: Mapping[str, bytes] | None = None
    ) -> None:
        """One Avro single-object record, acknowledged."""
        self.publish_raw(schema, key, single_object(self._schemas[schema], fields), headers)

    def publish_raw(
        self, schema: str, key: str, value: bytes | None, headers: Mapping[str, bytes] | None = None
    ) -> None:
        """These bytes, acknowledged."""
        refusals: list[object] = []
        self._producer.produce(
            self.topics[schema],
            key=key,
            value=value,
            headers=dict(headers or {}),
            on_delivery=lambda error, _: refusals.append(error),
        )
        assert self._producer.flush(20) == 0
        assert refusals == [None]

    def stories(self) -> list[NoticeStory]:
        """Every notice with its history."""
        with self._reader() as reader:
            summaries = reader.list(state=None, customer_id=None, limit=1_000_000) if reader else ()
            stories = [reader.show(summary.notice_id) for summary in summaries] if reader else []
        return [story for story in stories if story is not None]

    def states(self) -> dict[str, int]:
        """Notices by state, without the states that none is in."""
        with self._reader() as reader:
            stats = reader.stats() if reader else {}
        return {state: count for state, count in stats.items() if count}

    @contextmanager
    def _reader(self) -> Iterator[SqliteOutboxReader | None]:
        """None until the worker has made the outbox: the file is there a moment before its tables are."""
        try:
            reader = SqliteOutboxReader.open(self.outbox)
        except Broken as problem:
            if problem.exit_code != ExitCode.OUTBOX_FOREIGN:
                raise
            yield None
            return
        with reader:
            yield reader

    def log_lines(self) -> list[dict[str, Any]]:
        """What the workers wrote, each line parsed: a line that is no JSON fails the test."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def said(self, line: str) -> int:
        """How many log lines are about this."""
        return sum(entry["line"] == line for entry in self.log_lines())

    def dead_letters(self, count: int) -> list[Any]:
        """The first `count` of them, with key, value and headers."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.kafka.bootstrap_servers,
                "group.id": fresh("reader"),
                "auto.offset.reset": "earliest",
            }
        )
        consumer.subscribe([self.topics["DeadLetter"]])
        found: list[Any] = []
        deadline = time.monotonic() + 30
        while len(found) < count and time.monotonic() < deadline:
            message = consumer.poll(0.5)
            if message is not None and message.error() is None:
                found.append(message)
        consumer.close()
        return found


def single_object(schema: Any, fields: Mapping[str, Any]) -> bytes:
    """Avro's single-object encoding, by the specification's words rather than by our code."""
    import io  # noqa: PLC0415 - only here

    fingerprint = fastavro.schema.fingerprint(fastavro.schema.to_parsing_canonical_form(schema), "CRC-64-AVRO")
    out = io.BytesIO()
    out.write(b"\xc3\x01" + bytes.fromhex(fingerprint))
    fastavro.schemaless_writer(out, schema, dict(fields))
    return out.getvalue()


def transaction_fields(number: int, **changes: Any) -> dict[str, Any]:
    """An ordinary card payment that is worth an alert; every number makes another amount, so another text."""
    return {
        "customer_ids": ["cust-1"],
        "amount": Decimal(1000 + number).scaleb(-2) + 200,
        "currency": "EUR",
        "direction": "DEBIT",
        "status": "POSTED",
        "channel": "CARD_PRESENT",
        "event_id": f"evt-{number}",
        "occurred_at": datetime.now(UTC),
        "transaction_id": f"tx-{number}",
        "original_transaction_id": None,
        "account_id": f"acc-{number % 7}",
        "account_number": "IT60X0542811101000000123456",
        "account_kind": "CURRENT",
        "account_currency": "EUR",
        "account_sequence": None,
        "card_last_four": "4242",
        "counterparty_name": "Libreria Manzoni",
        "merchant_category": "5942",
        "counterparty_country": "IT",
        "balance_after": None,
    } | changes


def preference_fields(**changes: Any) -> dict[str, Any]:
    """A customer who wants to hear of large payments, in full."""
    return {
        "customer_id": "cust-1",
        "language": "en",
        "time_zone": "Europe/Rome",
        "phone": "+393401234567",
        "phone_verified": True,
        "detail_level": "FULL",
        "quiet_from_minute": None,
        "quiet_until_minute": None,
        "consents": {},
        "alerts": [alert_fields("large_debit", "100")],
    } | changes


def alert_fields(kind: str, threshold: str | None = None) -> dict[str, Any]:
    """One alert switched on, without filters."""
    return {
        "kind": kind,
        "enabled": True,
        "threshold": None if threshold is None else Decimal(threshold),
        "threshold_currency": None if threshold is None else "EUR",
        "repeat": None,
        "filters": {
            "directions": [],
            "channels": [],
            "merchant_categories": [],
            "countries": [],
            "account_ids": [],
        },
    }
