"""Avviso's intake put together as `run` does, from settings of which only the places are ours; nothing is sent."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from consumer import app
from consumer.adapters import resources
from consumer.adapters.avro import AvroDecoder
from consumer.adapters.kafka_dead_letters import KafkaDeadLetters
from consumer.adapters.kafka_source.partitions import Key
from consumer.adapters.preference_table import PreferenceTable
from consumer.core.pseudonym import Pseudonyms
from consumer.desk import alerts_of_the_bank
from consumer.intake import Intake, IntakeLimits
from consumer.pipeline import Pipeline
from consumer.ports import RecordSource
from consumer.settings import Settings, load
from consumer.waiting import Waiting
from tests.benchmarks.prefetch import filled_partitions


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """Where an intake reads and keeps its things."""

    bootstrap_servers: str
    transactions: str
    balances: str
    preferences: str
    dead_letters: str
    group: str
    table: str
    outbox: str

    def filled(self) -> frozenset[Key]:
        """The partitions of events that hold any."""
        return filled_partitions(self.bootstrap_servers, (self.transactions, self.balances))

    def settings(self) -> Settings:
        """Everything else is as delivered, but that intake never waits for notices to be sent: nobody sends them here."""
        return load(
            {
                "AVVISO_KAFKA__BOOTSTRAP_SERVERS": self.bootstrap_servers,
                "AVVISO_GROUP_ID": self.group,
                "AVVISO_TOPICS__TRANSACTIONS": self.transactions,
                "AVVISO_TOPICS__BALANCES": self.balances,
                "AVVISO_TOPICS__PREFERENCES": self.preferences,
                "AVVISO_TOPICS__DEAD_LETTERS": self.dead_letters,
                "AVVISO_PREFERENCES__PATH": self.table,
                "AVVISO_OUTBOX__URL": f"sqlite:///{self.outbox}",
                "AVVISO_PSEUDONYM_KEY": "a key of the benchmarks",
                "AVVISO_INTAKE__DUE_MAX": "10000000",
            },
            to_run=True,
        )


@contextmanager
def table_of(settings: Settings) -> Iterator[PreferenceTable]:
    """The customers' preferences, not ready yet."""
    catalogue, _ = alerts_of_the_bank(settings)
    with (
        _letters(settings) as letters,
        app._preferences(settings, catalogue, _decoder(), letters, app.NOTHING_ACCEPTED) as table,
    ):
        yield table


def _letters(settings: Settings) -> KafkaDeadLetters:
    return KafkaDeadLetters(
        settings.kafka_config(), topic=settings.topics.dead_letters, version="benchmark", now=app.utc_now
    )


@contextmanager
def intake_of(
    settings: Settings,
    table: PreferenceTable,
    watched: Callable[[RecordSource], RecordSource],
    stopping: threading.Event,
) -> Iterator[Intake]:
    """A loop that is ready to run, on an outbox of its own; `watched` wraps its source."""
    catalogue, _ = alerts_of_the_bank(settings)
    assert settings.pseudonym_key is not None
    with (
        app._source(settings) as source,
        app._outbox(settings, "benchmark") as outbox,
        _letters(settings) as letters,
    ):
        pipeline = Pipeline(
            decoder=_decoder(),
            preferences=table,
            catalogue=catalogue,
            pseudonyms=Pseudonyms(settings.pseudonym_key.get_secret_value()),
            tenant=settings.tenant,
        )
        seen = watched(source)
        yield Intake(
            source=seen,
            pipeline=pipeline,
            waiting=Waiting(source=seen, pipeline=pipeline, now=app.utc_now),
            outbox=outbox,
            dead_letters=letters,
            room=app._room_guard(settings, outbox),
            floods=app._flood_guard(settings, outbox, {}),
            ready=table.ready,
            wake=lambda: None,
            check=table.check,
            now=app.utc_now,
            stopping=stopping,
            limits=IntakeLimits(
                batch_records_max=settings.intake.batch_records_max, poll_timeout_s=settings.intake.poll_timeout_s
            ),
        )


def wait_until_ready(table: PreferenceTable, patience_s: float) -> None:
    """Raises TimeoutError, or what the table has died of."""
    deadline_s = time.monotonic() + patience_s
    while not table.ready():
        table.check()
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"the preferences were not caught up within {patience_s:.0f} s")
        time.sleep(0.01)


def _decoder() -> AvroDecoder:
    return AvroDecoder(schemas=resources.schemas(), registry=None, now=app.utc_now)
