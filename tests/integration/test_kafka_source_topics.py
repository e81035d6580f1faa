"""The Kafka source while its topics change: made again under the same name, or grown."""

from collections.abc import Callable
from typing import Any

import pytest

from consumer.core.record import Fetched
from tests.brokers import ContainerBrokers, committed, fresh, fresh_topic, produce
from tests.members import (
    COOPERATIVE,
    EAGER,
    KIP_848,
    Member,
    each_classic_protocol,
    each_incremental_protocol,
    each_protocol,
)

OpenMember = Callable[..., Member]
QUICK = {"topic.metadata.refresh.interval.ms": 200}
pytestmark = pytest.mark.real


def at_work(one: Member) -> None:
    """What intake does with all that has come."""
    one.source.processed(Fetched(one.received).ends)
    one.source.commit()


def alarms(caplog: pytest.LogCaptureFixture, line: str) -> list[dict[str, Any]]:
    return [entry.__dict__["fields"] for entry in caplog.records if entry.getMessage() == line]


@each_protocol
@pytest.mark.parametrize("count", [3, 8], ids=["shorter", "longer"])
def test_a_topic_made_again_is_read_from_its_beginning_whatever_was_read_before(
    kafka: ContainerBrokers,
    member: OpenMember,
    caplog: pytest.LogCaptureFixture,
    protocol: dict[str, str],
    count: int,
) -> None:
    topic, group = fresh_topic(kafka, "events"), fresh("group")
    produce(kafka, topic, *[b"old"] * 5)
    one = member(group, topic, settings=protocol)
    one.receive(5)
    one.source.processed(Fetched(one.received).ends)

    kafka.recreate_topic(topic)
    new = [b"new%d" % number for number in range(count)]
    produce(kafka, topic, *new)
    offsets: list[int | None] = []

    def all_is_read_and_committed() -> bool:
        at_work(one)
        offsets.append(committed(kafka, group, topic))
        return set(new) <= set(one.values) and offsets[-1] == count

    one.poll_until(all_is_read_and_committed)

    firsts = [record.position.offset for record in one.received if record.value == b"new0"]
    assert set(firsts) == {0}
    assert offsets == sorted(offsets, key=lambda offset: offset or 0), "none of the old offsets was committed into it"
    assert alarms(caplog, "offset_out_of_range") == []


@each_classic_protocol  # with KIP-848 the coordinator takes the old topic away itself
def test_what_is_in_hand_when_its_topic_is_made_again_may_be_written_and_is_not_committed(
    kafka: ContainerBrokers, member: OpenMember, caplog: pytest.LogCaptureFixture, protocol: dict[str, str]
) -> None:
    topic, group = fresh_topic(kafka, "events"), fresh("group")
    produce(kafka, topic, *[b"old"] * 5)
    one = member(group, topic, settings=protocol)
    one.receive(5)
    old = list(one.received)
    one.source.processed(Fetched(old[:1]).ends)

    kafka.recreate_topic(topic)
    produce(kafka, topic, b"new")

    def told_apart() -> bool:
        one.source.commit()
        return bool(alarms(caplog, "topic_recreated"))

    one.poll_until(told_apart)
    in_hand = [one.source.owns(record) for record in old]
    one.hold_back(old[1])
    one.poll(1.0)
    while_held_back = list(one.received)
    one.source.processed(Fetched(old).ends)
    one.let_go(old[1])
    one.poll_until(lambda: b"new" in one.values)
    one.now_s += 10
    one.source.commit()
    one.poll()
    while_unread = committed(kafka, group, topic)
    at_work(one)
    one.source.close()

    assert in_hand == [True] * 5
    assert while_held_back == old
    assert while_unread is None
    assert committed(kafka, group, topic) == 1


@each_incremental_protocol
def test_a_topic_made_again_while_nobody_read_it_is_read_from_its_beginning(
    kafka: ContainerBrokers, member: OpenMember, protocol: dict[str, str]
) -> None:
    topic, group = fresh_topic(kafka, "events"), fresh("group")
    produce(kafka, topic, *[b"old"] * 3)
    first = member(group, topic, settings=protocol)
    first.receive(3)
    first.source.processed(Fetched(first.received).ends)
    first.source.close()
    assert committed(kafka, group, topic) == 3

    kafka.recreate_topic(topic)
    produce(kafka, topic, *[b"new%d" % number for number in range(5)])
    second = member(group, topic, settings=protocol)

    assert second.receive(5) == [b"new0", b"new1", b"new2", b"new3", b"new4"]


@pytest.mark.parametrize(
    ("protocol", "sole_owner"), [(COOPERATIVE, True), (COOPERATIVE, False), (EAGER, False), (KIP_848, True)]
)
def test_partitions_that_are_added_are_read_from_their_beginning(
    kafka: ContainerBrokers, member: OpenMember, protocol: dict[str, str], *, sole_owner: bool
) -> None:
    topic, group = fresh_topic(kafka, "events"), fresh("group")
    produce(kafka, topic, b"0")
    one = member(group, topic, settings=protocol | QUICK, sole_owner=sole_owner, sole_owner_patience_s=1000.0)
    one.receive(1)

    kafka.add_partitions(topic, 3)
    produce(kafka, topic, b"1", b"2", partition=1)
    produce(kafka, topic, b"3", partition=2)
    produce(kafka, topic, b"4")
    one.poll_until(lambda: len(set(one.values)) == 5)
    at_work(one)
    one.source.close()

    assert [committed(kafka, group, topic, partition) for partition in range(3)] == [2, 2, 1]


def test_a_topic_that_is_deleted_ends_nothing_else(
    kafka: ContainerBrokers, member: OpenMember, caplog: pytest.LogCaptureFixture
) -> None:
    kept, gone, group = fresh_topic(kafka, "events"), fresh_topic(kafka, "events"), fresh("group")
    for topic in (kept, gone):
        produce(kafka, topic, b"a")
    one = member(group, kept, gone, settings=QUICK)
    one.receive(2)
    one.source.processed(Fetched(one.received).ends)

    kafka.delete_topic(gone)
    one.poll_until(lambda: {key[0] for key in one.source._partitions.keys} == {kept})
    produce(kafka, kept, b"b")
    one.poll_until(lambda: b"b" in one.values)
    at_work(one)

    assert alarms(caplog, "topic_recreated") == []
