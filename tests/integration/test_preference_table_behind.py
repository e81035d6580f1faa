"""The preference table while it lacks something: kept, not believed, and caught up before it counts again."""

import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from consumer.adapters.preference_table import Pace
from consumer.core.preferences import Preferences
from consumer.core.record import Record
from consumer.errors import DeadLetterReason, Unavailable, Undecodable
from consumer.sandbox.embedded_kafka import EmbeddedKafka
from tests.brokers import EmbeddedBrokers, Kafka, fresh_topic
from tests.preference_topics import ONE_BY_ONE, Hands, OpenTable, eventually, follow, language, lines, publish, wanted

OUTAGES = [
    Unavailable("registry", "503"),
    Undecodable(DeadLetterReason.UNKNOWN_SCHEMA, "the registry has no schema under this id", schema="7"),
    Undecodable(DeadLetterReason.NO_REGISTRY, "no registry is set to ask for the id", schema="7"),
]
every_outage = pytest.mark.parametrize("outage", OUTAGES, ids=["away", "unknown_schema", "no_registry"])


class Blocked:
    """A decoder that raises `outage` for Italian until it is told that the outage is over."""

    def __init__(self, outage: Exception) -> None:
        self._outage = outage
        self.asked = 0
        self.over = threading.Event()

    def __call__(self, record: Record) -> Preferences:
        if b":it" in (record.value or b"") and not self.over.is_set():
            self.asked += 1
            raise self._outage
        return wanted(record)


def said(caplog: pytest.LogCaptureFixture, code: str) -> list[int]:
    """The levels of the lines that tell of waiting because of this."""
    waits = [entry for entry in caplog.records if entry.getMessage() == "preferences_waiting"]
    return [entry.levelno for entry in waits if entry.__dict__["fields"].get("code") == code]


@every_outage
def test_preferences_whose_schema_is_not_to_be_had_are_waited_for_and_the_old_ones_kept(
    kafka: Kafka, open_table: OpenTable, caplog: pytest.LogCaptureFixture, outage: Exception
) -> None:
    topic = fresh_topic(kafka, "preferences")
    publish(kafka, topic, (b"anna", b"anna:en"))
    decode = Blocked(outage)
    table = open_table(topic, decode=decode)
    eventually(table.ready)

    publish(kafka, topic, (b"anna", b"anna:it"))
    eventually(lambda: decode.asked > 3)

    assert not table.ready()
    assert language(table, "anna") == "en"
    assert lines(caplog, "preference_refused") == []
    level = logging.WARNING if isinstance(outage, Unavailable) else logging.ERROR
    assert said(caplog, getattr(outage, "code", "") or getattr(outage, "reason", "")) == [level]
    decode.over.set()
    eventually(table.ready)
    assert language(table, "anna") == "it"


@every_outage
def test_a_table_whose_first_preferences_wait_for_their_schema_does_not_start(
    kafka: Kafka, open_table: OpenTable, outage: Exception
) -> None:
    topic = fresh_topic(kafka, "preferences")
    publish(kafka, topic, (b"john", b"john:en"), (b"anna", b"anna:it"))
    decode = Blocked(outage)

    table = open_table(topic, decode=decode, pace=ONE_BY_ONE)
    eventually(lambda: decode.asked > 3)

    assert (table.ready(), table._tables.filled.customers) == (False, 1)
    decode.over.set()
    eventually(table.ready)


def test_whoever_is_erased_behind_a_record_that_waits_is_not_told_meanwhile(
    kafka: Kafka, open_table: OpenTable
) -> None:
    topic = fresh_topic(kafka, "preferences")
    publish(kafka, topic, (b"anna", b"anna:en"), (b"john", b"john:en"))
    decode = Blocked(OUTAGES[0])
    table = open_table(topic, decode=decode, pace=ONE_BY_ONE)
    eventually(table.ready)

    publish(kafka, topic, (b"anna", b"anna:it"), (b"john", None))
    eventually(lambda: decode.asked > 0)
    eventually(lambda: not table.ready())
    decode.over.set()
    eventually(table.ready)

    assert (language(table, "anna"), language(table, "john")) == ("it", None)


def test_what_a_later_record_of_the_customer_replaces_is_not_waited_for(kafka: Kafka, open_table: OpenTable) -> None:
    topic = fresh_topic(kafka, "preferences")
    publish(kafka, topic, (b"anna", b"anna:it"), (b"john", b"john:it"), (b"anna", b"anna:en"), (b"john", None))

    table = open_table(topic, decode=Blocked(OUTAGES[1]))
    eventually(table.ready)

    assert (language(table, "anna"), language(table, "john")) == ("en", None)


def test_what_can_never_be_read_raises_an_alarm(
    kafka: Kafka, open_table: OpenTable, caplog: pytest.LogCaptureFixture
) -> None:
    topic = fresh_topic(kafka, "preferences")
    publish(kafka, topic, (b"anna", b"anna:en"), (b"john", b"john:en"), (b"anna", b"garbage"))

    eventually(open_table(topic).ready)

    levels = [entry.levelno for entry in caplog.records if entry.getMessage() == "preference_refused"]
    assert levels == [logging.ERROR]


def test_who_was_behind_longer_than_tombstones_are_kept_begins_anew(
    kafka: Kafka, open_table: OpenTable, caplog: pytest.LogCaptureFixture
) -> None:
    topic, hands, decode = fresh_topic(kafka, "preferences"), Hands(), Blocked(OUTAGES[0])
    publish(kafka, topic, (b"anna", b"anna:en"))
    behind = open_table(topic, decode=decode, now=hands.now, pace=ONE_BY_ONE)
    eventually(behind.ready)

    hands.now_s = 33 * 3600.0
    publish(kafka, topic, (b"john", b"john:en"), (b"nora", b"nora:it"))
    eventually(lambda: decode.asked > 0)
    assert language(behind, "john") == "en"
    behind.close()
    table = open_table(topic, now=hands.now)
    eventually(table.ready)

    assert [line["reason"] for line in lines(caplog, "preferences_rebuilt")] == ["too_long_away"]


def test_who_waited_longer_than_tombstones_are_kept_begins_anew_without_a_restart(
    kafka: Kafka, open_table: OpenTable, caplog: pytest.LogCaptureFixture
) -> None:
    topic, hands, decode = fresh_topic(kafka, "preferences"), Hands(), Blocked(OUTAGES[0])
    publish(kafka, topic, (b"anna", b"anna:en"))
    table = open_table(topic, decode=decode, now=hands.now, clock=hands.clock)
    eventually(table.ready)
    publish(kafka, topic, (b"anna", b"anna:it"))
    eventually(lambda: decode.asked > 0)

    hands.now_s = 33 * 3600.0
    decode.over.set()
    eventually(table.ready)

    assert language(table, "anna") == "it"
    assert [line["reason"] for line in lines(caplog, "preferences_rebuilt")] == ["too_long_away"]


@pytest.fixture
def cluster() -> Iterator[EmbeddedKafka]:
    with EmbeddedKafka() as cluster:
        cluster.create_topic("preferences")
        yield cluster


def in_the_hands_of(hands: Hands, **changes: Any) -> dict[str, Any]:
    pace = msgspec.structs.replace(ONE_BY_ONE, request_timeout_s=0.3)
    return {"clock": hands.clock, "now": hands.now, "pace": pace, **changes}


def test_while_kafka_is_away_the_table_is_believed_for_a_quarter_of_an_hour(
    cluster: EmbeddedKafka, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kafka, hands = EmbeddedBrokers(cluster), Hands()
    publish(kafka, "preferences", (b"anna", b"anna:en"))
    with follow(kafka, tmp_path, "preferences", **in_the_hands_of(hands)) as table:
        eventually(table.ready)

        cluster.broker_down()
        hands.now_s = 61.0
        eventually(lambda: len(lines(caplog, "kafka_trouble")) > 1)
        assert table.ready()
        hands.now_s = 900.0
        assert table.ready()
        hands.now_s = 901.0
        assert not table.ready()

        eventually(lambda: said(caplog, "stale") == [logging.ERROR])
        cluster.broker_up()
        eventually(table.ready)


def test_who_is_in_touch_and_cannot_keep_up_is_not_believed_either(cluster: EmbeddedKafka, tmp_path: Path) -> None:
    kafka, hands = EmbeddedBrokers(cluster), Hands()
    slow, go_on = threading.Event(), threading.Event()

    def decode(record: Record) -> Preferences:
        if record.value != b"anna:en":
            slow.set()
            assert go_on.wait(30)
        return wanted(record)

    publish(kafka, "preferences", (b"anna", b"anna:en"))
    with follow(kafka, tmp_path, "preferences", **in_the_hands_of(hands, decode=decode)) as table:
        eventually(table.ready)
        publish(kafka, "preferences", (b"anna", b"anna:it"))
        assert slow.wait(30)

        hands.now_s = 901.0
        assert not table.ready()

        go_on.set()
        eventually(table.ready)
        assert language(table, "anna") == "it"


def test_a_table_that_is_in_touch_stays_believed_where_nothing_changes(cluster: EmbeddedKafka, tmp_path: Path) -> None:
    kafka, hands = EmbeddedBrokers(cluster), Hands()
    publish(kafka, "preferences", (b"anna", b"anna:en"))
    with follow(kafka, tmp_path, "preferences", **in_the_hands_of(hands)) as table:
        eventually(table.ready)

        for _ in range(20):
            hands.now_s += 60.0
            eventually(lambda: table._follower._whole_at_s == hands.now_s)

        assert table.ready()
        eventually(lambda: (state := table._tables.in_use.state) is not None and state.synced_at == hands.now())


def test_a_limit_that_two_looks_at_the_topic_would_pass_is_refused() -> None:
    with pytest.raises(ValueError, match="at least twice recheck_s"):
        Pace(recheck_s=60.0, stale_max_s=119.0)
