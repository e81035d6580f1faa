"""With KIP-848 what the group has not confirmed lately counts as nobody's: nothing of it is delivered, or to be written."""

import time
from collections.abc import Callable

import pytest
from confluent_kafka import KafkaError

from consumer.core.record import Fetched
from consumer.sandbox.embedded_kafka import Api, EmbeddedKafka
from consumer.telemetry import Line
from tests.brokers import ContainerBrokers, EmbeddedBrokers, Kafka, committed, fresh, fresh_topic, produce
from tests.members import KIP_848, Member
from tests.relays import relay

OpenMember = Callable[..., Member]
IDLE_S = 5.0
STALL_S = 60.0
MANY = 1000


def far_member(kafka: ContainerBrokers, member: OpenMember, group: str, topic: str) -> Member:
    """One whose way to the broker is the relay's; it has received `a`."""
    produce(kafka, topic, b"a")
    far = member(group, topic, settings=KIP_848 | {"bootstrap.servers": f"127.0.0.1:{kafka.far.outside}"})
    far.receive(1)
    return far


@pytest.mark.real
def test_who_is_not_heard_claims_nothing_when_its_partitions_have_gone_to_another_though_it_goes_on_fetching(
    kafka: ContainerBrokers, member: OpenMember
) -> None:
    topic, group = fresh_topic(kafka, "events"), fresh("group")
    with relay(kafka) as way:
        older = far_member(kafka, member, group, topic)
        began_s = time.monotonic() - older.now_s
        claimed: list[bytes | None] = []

        def poll_older() -> None:
            records = older.source.poll(records_max=100, timeout_s=0.05)
            older.now_s = time.monotonic() - began_s
            if newer.received and not older.source.overdue:
                claimed.extend(record.value for record in [*older.received, *records] if older.source.owns(record))

        with way.members_unheard():
            newer = member(group, topic, settings=KIP_848)
            while len(newer.received) < 2:
                poll_older()
                if newer.poll() and len(newer.received) == 1:
                    produce(kafka, topic, b"b")
            for _ in range(10):
                poll_older()
            still_thinks_so = older.source.owns(older.received[0])
        while older.source.owns(older.received[0]):
            poll_older()
        newer.source.close()
        again = older.receive(2)
        older.source.close()

    assert still_thinks_so
    assert claimed == []
    assert again[1] in {b"a", b"b"}


@pytest.mark.real
def test_who_learns_that_it_is_shut_out_from_an_answer_to_a_commit_claims_nothing_from_then_on(
    kafka: ContainerBrokers, member: OpenMember
) -> None:
    topic, group = fresh_topic(kafka, "events"), fresh("group")
    with relay(kafka) as way:
        older = far_member(kafka, member, group, topic)
        older.source.processed(Fetched(older.received).ends)
        with way.heartbeats_lost():
            newer = member(group, topic, settings=KIP_848)
            newer.poll_until(lambda: bool(newer.source._partitions.keys))
            older.now_s += 1.0
            before = older.source.overdue
            older.source.commit()
            for _ in range(MANY // 5):
                if not older.source.overdue:
                    older.source.poll(records_max=1, timeout_s=0.05)
            ended = older.source.overdue
            still_thinks_so = older.source.owns(older.received[0])
            older.source.close()

    assert (before, ended, still_thinks_so) == (False, True, True)
    assert committed(kafka, group, topic) == 0


@pytest.mark.parametrize("oks", [0, 1])
def test_nothing_is_delivered_before_the_group_has_answered_twice_and_a_minute_of_that_is_an_alarm(
    cluster: EmbeddedKafka, oks: int, caplog: pytest.LogCaptureFixture
) -> None:
    cluster.hear_members_every(200)
    brokers = EmbeddedBrokers(cluster)
    produce(brokers, "events", b"a")
    cluster.refuse(Api.OFFSET_COMMIT, *[0] * oks, *[KafkaError.UNKNOWN_MEMBER_ID] * MANY)
    with Member(brokers, "group", "events", settings=KIP_848) as one:
        one.poll_until(lambda: bool(one.source._partitions.known()))
        for _ in range(10):
            one.poll()
        before = list(one.received)
        one.now_s += STALL_S
        one.poll()
        silent = [entry for entry in caplog.records if entry.getMessage() == Line.INTAKE_PAUSED]

        cluster.stop_refusing(Api.OFFSET_COMMIT)

        assert (before, one.source.overdue, len(silent)) == ([], True, 1)
        assert one.receive(1) == [b"a"]
        assert not one.source.overdue


def test_after_a_stall_nothing_is_delivered_before_the_group_has_answered(kafka: Kafka, member: OpenMember) -> None:
    topic = fresh_topic(kafka, "events")
    produce(kafka, topic, b"0", b"1", b"2")
    one = member(fresh("group"), topic, settings=KIP_848)
    while not one.source.poll(records_max=1, timeout_s=0.05):
        one.now_s += 0.05

    one.now_s += STALL_S
    stalled, polled = one.source.overdue, one.poll()
    one.receive(2)

    assert (stalled, polled) == (True, [])
    assert one.values == [b"1", b"2"]
    assert not one.source.overdue


def test_a_member_to_which_nothing_comes_is_asked_and_its_first_record_need_not_wait(
    kafka: Kafka, member: OpenMember
) -> None:
    topic, group = fresh_topic(kafka, "events"), fresh("group")
    produce(kafka, topic, b"a")
    former = member(group, topic, settings=KIP_848)
    former.receive(1)
    former.source.processed(Fetched(former.received).ends)
    former.source.close()
    one = member(group, topic, settings=KIP_848)
    one.poll_until(lambda: not one.source.overdue)

    found = []
    until_s = one.now_s + IDLE_S
    while one.now_s < until_s:
        one.poll(0.2)
        found.append(one.source.overdue)

    assert not any(found)
    assert committed(kafka, group, topic) == 1


def test_who_has_no_share_has_nothing_that_stands_still(
    kafka: Kafka, member: OpenMember, caplog: pytest.LogCaptureFixture
) -> None:
    topic, group = fresh_topic(kafka, "events"), fresh("group")
    produce(kafka, topic, b"a")
    one = member(group, topic, settings=KIP_848)
    one.receive(1)
    standby = member(group, topic, settings=KIP_848)

    for _ in range(3):
        standby.poll(0.2)
        standby.now_s += STALL_S

    assert not standby.source._partitions.keys
    assert [entry for entry in caplog.records if entry.getMessage() == Line.INTAKE_PAUSED] == []
