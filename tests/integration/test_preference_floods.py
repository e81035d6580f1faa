"""A flood of preferences that cannot be read: the table stands still, and what it said before counts for a while."""

import logging
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from consumer.adapters.outbox_sqlite import SqliteOutbox
from consumer.adapters.preference_table import PreferenceTable
from consumer.core.event import Channel
from consumer.core.flood import FloodLimits
from consumer.core.preferences import Preferences
from consumer.core.record import Record
from consumer.errors import DeadLetterReason, Unavailable, Undecodable
from consumer.sandbox.embedded_kafka import EmbeddedKafka
from tests.brokers import EmbeddedBrokers, Kafka, fresh_topic
from tests.builders import NOW, transaction
from tests.dispatch.rig import SECURITY_NOTICE, Rig
from tests.fakes import Drawer
from tests.intakes import Run, records
from tests.preference_topics import HASTE, ONE_BY_ONE, OpenTable, eventually, follow, language, lines, publish, wanted

RUN_MAX = 3
FLOOD: dict[str, Any] = {"flood": FloodLimits(run_max=RUN_MAX)}
POISON = [(b"c%d" % number, b"garbage") for number in range(RUN_MAX)]
SOON = msgspec.structs.replace(HASTE, recheck_s=0.1)


class Mended:
    """A decoder for which garbage is German, once it is told so; until then it raises `problem`."""

    def __init__(self, problem: Exception) -> None:
        self.problem = problem
        self.asked = 0
        self.over = threading.Event()

    def __call__(self, record: Record) -> Preferences:
        if record.value != b"garbage":
            return wanted(record)
        self.asked += 1
        if self.over.is_set():
            return wanted(msgspec.structs.replace(record, value=(record.key or b"") + b":de"))
        raise self.problem


class Hands:
    """A clock and a calendar that a test moves."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.looks = 0

    def clock(self) -> float:
        self.looks += 1
        return self.now_s

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.now_s)


@pytest.fixture
def topic(kafka: Kafka) -> str:
    """With the good preferences of some customers."""
    topic = fresh_topic(kafka, "preferences")
    publish(kafka, topic, *[(key, key + b":en") for key, _ in POISON], (b"anna", b"anna:en"))
    return topic


def publish_at_once(kafka: Kafka, topic: str, *entries: tuple[bytes, bytes]) -> None:
    """In one request, so that they are read as one batch."""
    publish(kafka, topic, *entries, linger_ms=10_000)


def stops(table: PreferenceTable) -> tuple[dict[int, int], dict[int, int]]:
    """How far it was read, and where it may not go on."""
    state = table._tables.filled.state
    assert state is not None
    return dict(state.offsets), dict(state.stops)


def suspended(table: PreferenceTable) -> set[bytes]:
    customers = [key for key, _ in POISON] + [b"anna"]
    found = {key: table.get(key.decode()) for key in customers}
    return {key for key, one in found.items() if one is not None and one.suspended}


def alarms(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return lines(caplog, "preferences_flooded")


def test_nothing_of_it_is_written_and_what_the_table_said_before_counts(
    kafka: Kafka, topic: str, open_table: OpenTable, caplog: pytest.LogCaptureFixture
) -> None:
    drawer, decode = Drawer(), Mended(Undecodable("test", "no colon"))
    table = open_table(topic, dead_letters=drawer, decode=decode, pace=SOON, **FLOOD)
    eventually(table.ready)

    publish_at_once(kafka, topic, (b"anna", b"anna:it"), *POISON, (b"anna", b"anna:fr"))
    eventually(lambda: decode.asked > 3 * RUN_MAX)

    assert (stops(table), table.ready(), suspended(table), drawer.letters) == (({0: 4}, {0: 5}), True, set(), [])
    assert language(table, "anna") == "en"
    assert len([entry for entry in caplog.records if entry.levelno == logging.ERROR]) == 1
    assert alarms(caplog)[0]["state"] == "believed"


def test_it_goes_on_by_itself_once_they_can_be_read(
    kafka: Kafka, topic: str, open_table: OpenTable, caplog: pytest.LogCaptureFixture
) -> None:
    decode, drawer = Mended(Undecodable(DeadLetterReason.SCHEMA_REFUSED, "a field of another type")), Drawer()
    table = open_table(topic, decode=decode, dead_letters=drawer, pace=SOON, **FLOOD)
    eventually(table.ready)
    publish_at_once(kafka, topic, *POISON)
    eventually(lambda: len(alarms(caplog)) == 1)

    decode.over.set()
    eventually(lambda: language(table, "c2") == "de")

    eventually(lambda: not table._follower._floods.is_held)
    assert stops(table) == ({0: 4 + RUN_MAX}, {})
    assert (table.ready(), drawer.letters) == (True, [])


def test_a_restart_stops_at_the_same_place_and_is_not_believed_before_somebody_decides(
    kafka: Kafka, topic: str, open_table: OpenTable, caplog: pytest.LogCaptureFixture
) -> None:
    drawer = Drawer()
    first = open_table(topic, dead_letters=drawer, pace=SOON, **FLOOD)
    eventually(first.ready)
    publish_at_once(kafka, topic, *POISON)
    eventually(lambda: len(alarms(caplog)) == 1)
    before = stops(first)
    first.close()

    again = open_table(
        topic, dead_letters=drawer, pace=msgspec.structs.replace(ONE_BY_ONE, recheck_s=0.1), flood=FloodLimits()
    )
    eventually(lambda: len(alarms(caplog)) == 2)
    assert (stops(again), again.ready(), drawer.letters) == (before, False, [])
    assert alarms(caplog)[1]["state"] == "not_believed"
    again.close()

    accepted = {(topic, 0): 4 + RUN_MAX}
    accepting = open_table(topic, dead_letters=drawer, accepted_letters=accepted, **FLOOD)
    eventually(accepting.ready)
    assert [letter.record.position.offset for letter in drawer.letters] == [4, 5, 6]
    assert suspended(accepting) == {key for key, _ in POISON}
    assert alarms(caplog)[0]["remedy"].endswith(f"--accept-dead-letters-until {topic}:0:{4 + RUN_MAX}")


def test_a_table_that_is_filled_for_the_first_time_waits_for_somebody_to_decide(
    kafka: Kafka, topic: str, open_table: OpenTable, caplog: pytest.LogCaptureFixture
) -> None:
    publish_at_once(kafka, topic, *POISON)

    table = open_table(topic, **FLOOD)
    eventually(lambda: len(alarms(caplog)) == 1)

    assert (table.ready(), alarms(caplog)[0]["state"]) == (False, "not_believed")


def test_what_was_set_aside_before_is_no_flood_when_the_topic_is_read_anew(
    kafka: Kafka, topic: str, open_table: OpenTable, caplog: pytest.LogCaptureFixture
) -> None:
    drawer = Drawer()
    publish_at_once(kafka, topic, *POISON)
    first = open_table(topic, dead_letters=drawer, flood=FloodLimits())
    eventually(first.ready)
    first.close()

    anew = open_table(topic, dead_letters=drawer, now=lambda: NOW + timedelta(days=2), **FLOOD)
    eventually(anew.ready)

    assert [line["reason"] for line in lines(caplog, "preferences_rebuilt")] == ["too_long_away"]
    assert (alarms(caplog), len(drawer.letters)) == ([], RUN_MAX)


def test_where_one_topic_stopped_is_no_stop_of_another(
    kafka: Kafka, topic: str, open_table: OpenTable, caplog: pytest.LogCaptureFixture
) -> None:
    table = open_table(topic, pace=SOON, **FLOOD)
    eventually(table.ready)
    publish_at_once(kafka, topic, *POISON)
    eventually(lambda: len(alarms(caplog)) == 1)
    table.close()

    other = fresh_topic(kafka, "preferences")
    publish(kafka, other, *[(key, key + b":fr") for key, _ in POISON], (b"anna", b"anna:en"), (b"c0", b"garbage"))
    anew = open_table(other, pace=SOON, **FLOOD)
    eventually(anew.ready)

    assert (language(anew, "c2"), stops(anew)[1], len(alarms(caplog))) == ("fr", {}, 1)


def test_a_schema_that_was_waited_for_in_vain_leaves_the_table_as_old_as_it_was(
    kafka: Kafka, topic: str, open_table: OpenTable, caplog: pytest.LogCaptureFixture
) -> None:
    decode = Mended(
        Undecodable(DeadLetterReason.UNKNOWN_SCHEMA, "the registry has no schema under this id", schema="7")
    )
    table = open_table(topic, decode=decode, pace=msgspec.structs.replace(SOON, unknown_tries_max=5), **FLOOD)
    eventually(table.ready)

    publish_at_once(kafka, topic, *POISON)
    eventually(lambda: not table.ready())
    eventually(lambda: len(alarms(caplog)) == 1)

    assert (table.ready(), alarms(caplog)[0]["state"]) == (True, "believed")


def test_a_registry_that_is_away_meanwhile_does_not_make_it_worse(
    kafka: Kafka, topic: str, open_table: OpenTable, caplog: pytest.LogCaptureFixture
) -> None:
    decode = Mended(Undecodable(DeadLetterReason.SCHEMA_REFUSED, "a field of another type"))
    table = open_table(topic, decode=decode, pace=SOON, **FLOOD)
    eventually(table.ready)
    publish_at_once(kafka, topic, *POISON)
    eventually(lambda: len(alarms(caplog)) == 1)

    decode.problem, before = Unavailable("registry", "503"), decode.asked
    eventually(lambda: decode.asked > before + 3)
    assert table.ready()

    decode.over.set()
    eventually(lambda: language(table, "c2") == "de")


@pytest.fixture
def cluster() -> Iterator[EmbeddedKafka]:
    with EmbeddedKafka() as cluster:
        cluster.create_topic("preferences")
        yield cluster


def test_fraud_alerts_go_on_meanwhile_until_the_table_is_too_old_for_both_loops(
    cluster: EmbeddedKafka, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kafka, hands, decode = EmbeddedBrokers(cluster), Hands(), Mended(Undecodable("test", "no colon"))
    publish(kafka, "preferences", (b"cust-1", b"cust-1:en"))
    changes = {"clock": hands.clock, "now": hands.now, "pace": ONE_BY_ONE, "decode": decode, **FLOOD}
    with follow(kafka, tmp_path / "preferences", "preferences", **changes) as table:
        eventually(table.ready)
        publish_at_once(kafka, "preferences", *POISON)
        eventually(lambda: table._follower._floods.is_held)
        asked, looks = decode.asked, hands.looks
        eventually(lambda: hands.looks > looks + 30)
        assert decode.asked == asked
        rig = Rig(tmp_path)
        dispatch = rig.another(preferences=table)

        hands.now_s = 900.0
        assert taken_in(rig.store, table, 1) == "processed"
        rig.record(**SECURITY_NOTICE)
        [*claims] = rig.claim(dispatch)
        assert len(claims) == 2
        for claim in claims:
            dispatch.work(claim)
        assert len(rig.provider.sent) == 2

        hands.now_s = 901.0
        assert taken_in(rig.store, table, 2) == "pause"
        rig.record(**SECURITY_NOTICE)
        assert rig.claim(dispatch) == []
        eventually(lambda: "stale" in [line.get("code") for line in lines(caplog, "preferences_waiting")])

        decode.over.set()
        hands.now_s = 1000.0
        eventually(table.ready)
        assert taken_in(rig.store, table, 2) == "processed"
        assert len(rig.claim(dispatch)) == 2
        rig.close()


def taken_in(outbox: SqliteOutbox, table: PreferenceTable, number: int) -> str:
    """What intake does with a purchase by card on the internet: `processed`, or `pause`."""
    purchase = transaction(event_id=f"net-{number}", transaction_id=f"net-{number}", channel=Channel.ECOMMERCE)
    run = Run(outbox, {number: purchase}, [records(number)])
    run.preferences = table
    run()
    return next(step for step in run.source.journal if step in {"processed", "pause"})
