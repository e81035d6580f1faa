"""The Kafka source while partitions come and go: nothing is lost, and nothing is committed that is not ours."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from consumer.core.record import Fetched
from consumer.errors import Broken, ExitCode
from tests.brokers import ContainerBrokers, Kafka, committed, fresh, fresh_topic, produce
from tests.members import EAGER, Member, each_classic_protocol, each_incremental_protocol, each_protocol

OpenMember = Callable[..., Member]


def held(member: Member) -> set[int]:
    return {partition for _, partition in member.source._partitions.keys}


def lines(caplog: pytest.LogCaptureFixture, line: str) -> list[dict[str, Any]]:
    return [entry.__dict__["fields"] for entry in caplog.records if entry.getMessage() == line]


@each_incremental_protocol
def test_a_second_member_goes_on_exactly_where_the_first_has_processed(
    kafka: Kafka, member: OpenMember, protocol: dict[str, str]
) -> None:
    topic, group = fresh_topic(kafka, "events", partitions=2), fresh("group")
    for partition in (0, 1):
        produce(kafka, topic, b"a", b"b", b"c", partition=partition)
    one = member(group, topic, settings=protocol)
    one.receive(6)
    one.source.processed(Fetched([record for record in one.received if record.position.offset < 2]).ends)

    two = member(group, topic, settings=protocol)
    one.poll_until(lambda: len(held(one)) == 1 and len(held(two)) == 1 and len(two.received) == 1, two)

    [moved] = held(two)
    assert two.values == [b"c"]
    assert committed(kafka, group, topic, moved) == 2
    owned = {record.position.partition: one.source.owns(record) for record in one.received}
    assert owned == {moved: False, 1 - moved: True}


@each_incremental_protocol
def test_what_is_done_at_the_last_moment_is_committed_before_its_partition_goes(
    kafka: Kafka, member: OpenMember, protocol: dict[str, str]
) -> None:
    topic, group = fresh_topic(kafka, "events", partitions=2), fresh("group")
    for partition in (0, 1):
        produce(kafka, topic, b"a", b"b", partition=partition)
    one = member(group, topic, settings=protocol)
    one.receive(4)
    one.before_revoke = lambda: one.source.processed(Fetched(one.received).ends)

    two = member(group, topic, settings=protocol)
    one.poll_until(lambda: len(held(one)) == 1 and len(held(two)) == 1, two)

    [moved] = held(two)
    assert committed(kafka, group, topic, moved) == 2


@pytest.mark.real  # the embedded brokers take no commit from a member that is about to join again
def test_under_an_eager_strategy_all_of_it_is_handed_over_exactly_where_it_was_processed(
    kafka: Kafka, member: OpenMember
) -> None:
    topic, group = fresh_topic(kafka, "events", partitions=2), fresh("group")
    for partition in (0, 1):
        produce(kafka, topic, b"a", b"b", b"c", partition=partition)
    one = member(group, topic, settings=EAGER)
    one.receive(6)
    before = list(one.received)
    one.source.processed(Fetched([record for record in before if record.position.offset < 2]).ends)

    two = member(group, topic, settings=EAGER)
    one.poll_until(lambda: len(one.received) == 7 and len(two.received) == 1, two)

    assert (one.values[6:], two.values) == ([b"c"], [b"c"])
    assert held(one) | held(two) == {0, 1}
    assert [committed(kafka, group, topic, partition) for partition in (0, 1)] == [2, 2]
    assert not any(one.source.owns(record) for record in before)


@pytest.mark.real
@each_protocol
def test_leaving_in_the_middle_of_a_rebalance_neither_hangs_nor_stays_in_the_group(
    kafka: ContainerBrokers, member: OpenMember, protocol: dict[str, str]
) -> None:
    topic, group = fresh_topic(kafka, "events", partitions=2), fresh("group")
    for _ in range(3):
        one, two = member(group, topic, settings=protocol), member(group, topic, settings=protocol)
        one.poll_until(lambda: len(held(one)) == len(held(two)) == 1, two)  # noqa: B023 - asked before the next round

        two.source.close()
        one.source.close()

        assert kafka.members(group) == 0


def test_what_is_processed_after_its_partition_went_is_left_to_the_new_owner(kafka: Kafka, member: OpenMember) -> None:
    topic, group = fresh_topic(kafka, "events", partitions=2), fresh("group")
    for partition in (0, 1):
        produce(kafka, topic, b"a", b"b", partition=partition)
    one = member(group, topic)
    one.receive(4)
    two = member(group, topic)
    one.poll_until(lambda: len(held(two)) == 1 and len(two.received) == 2, two)
    [moved] = held(two)

    one.source.processed(Fetched(one.received).ends)
    one.now_s += 10
    one.source.commit()
    one.poll_until(lambda: committed(kafka, group, topic, 1 - moved) == 2, two)

    assert committed(kafka, group, topic, moved) is None


def test_a_partition_that_comes_back_begins_a_new_epoch(kafka: Kafka, member: OpenMember) -> None:
    topic, group = fresh_topic(kafka, "events", partitions=2), fresh("group")
    for partition in (0, 1):
        produce(kafka, topic, b"a", partition=partition)
    one = member(group, topic)
    one.receive(2)
    old = list(one.received)
    two = member(group, topic)
    one.poll_until(lambda: len(two.received) == 1, two)
    [moved] = held(two)

    two.source.close()
    one.poll_until(lambda: len(one.received) == 3)

    again = one.received[-1]
    assert again.position.partition == moved
    [before] = [record for record in old if record.position == again.position]
    assert not one.source.owns(before)
    assert one.source.owns(again)
    one.source.processed(Fetched([before]).ends)
    one.source.close()
    assert committed(kafka, group, topic, moved) is None


@each_classic_protocol
def test_a_pause_holds_through_a_rebalance(kafka: Kafka, member: OpenMember, protocol: dict[str, str]) -> None:
    topic, group = fresh_topic(kafka, "events", partitions=2), fresh("group")
    one, two = member(group, topic, settings=protocol), member(group, topic, settings=protocol)
    one.poll_until(lambda: len(held(one)) == len(held(two)) == 1, two)
    one.source.pause()
    two.source.close()
    one.poll_until(lambda: len(held(one)) == 2)

    witness = member(fresh("group"), topic)
    for partition in (0, 1):
        produce(kafka, topic, b"a", partition=partition)
    one.poll_until(lambda: len(witness.received) == 2, witness)
    one.poll(0.3)

    assert one.received == []
    one.source.resume()
    assert one.receive(2) == [b"a", b"a"]


@each_protocol
def test_what_went_during_a_pause_and_comes_back_after_it_flows_again(
    kafka: Kafka, member: OpenMember, protocol: dict[str, str]
) -> None:
    topic, group = fresh_topic(kafka, "events", partitions=2), fresh("group")
    one = member(group, topic, settings=protocol)
    one.poll_until(lambda: len(held(one)) == 2)
    one.source.pause()
    two = member(group, topic, settings=protocol)
    one.poll_until(lambda: len(held(one)) == len(held(two)) == 1, two)

    one.source.resume()
    two.source.close()
    one.poll_until(lambda: len(held(one)) == 2)
    for partition in (0, 1):
        produce(kafka, topic, b"a", partition=partition)

    assert one.receive(2) == [b"a", b"a"]


def test_who_fell_out_of_the_group_commits_nothing(
    kafka: Kafka, member: OpenMember, caplog: pytest.LogCaptureFixture
) -> None:
    topic, group = fresh_topic(kafka, "events"), fresh("group")
    produce(kafka, topic, b"a", b"b")
    late = {"session.timeout.ms": 1500, "max.poll.interval.ms": 1500}
    one = member(group, topic, settings=late)
    one.receive(2)
    two = member(group, topic)
    two.poll_until(lambda: len(two.received) == 2)

    one.source.processed(Fetched(one.received).ends)
    one.poll_until(lambda: bool(lines(caplog, "partitions_lost")), two)

    assert not any(one.source.owns(record) for record in one.received[:2])
    assert committed(kafka, group, topic) is None
    assert "_MAX_POLL_EXCEEDED" in [line["code"] for line in lines(caplog, "kafka_trouble")]


@each_classic_protocol
def test_an_offset_that_its_topic_no_longer_has_stops_that_partition_and_no_other(
    kafka: Kafka, member: OpenMember, caplog: pytest.LogCaptureFixture, protocol: dict[str, str]
) -> None:
    topic, group = fresh_topic(kafka, "events", partitions=2), fresh("group")
    for partition in (0, 1):
        produce(kafka, topic, b"a", b"b", b"c", partition=partition)
    first = member(group, topic, settings=protocol)
    first.receive(6)
    first.source.processed(Fetched([record for record in first.received if record.position.offset == 0]).ends)
    first.source.close()
    kafka.delete_records(topic, 0, 2)

    second = member(group, topic, settings=protocol)
    second.poll_until(lambda: bool(lines(caplog, "offset_out_of_range")) and len(second.received) >= 2)
    produce(kafka, topic, b"d", partition=0)
    produce(kafka, topic, b"d", partition=1)
    second.receive(3)

    assert {record.position.partition for record in second.received} == {1}
    assert second.values == [b"b", b"c", b"d"]
    alarm = {"topic": topic, "partition": 0, "offset": 1}
    assert lines(caplog, "offset_out_of_range") == [alarm]
    assert [entry.levelno for entry in caplog.records if entry.getMessage() == "offset_out_of_range"] == [logging.ERROR]
    second.source.close()
    assert committed(kafka, group, topic, 0) == 1


def test_a_topic_that_comes_later_is_waited_for(
    kafka: Kafka, member: OpenMember, caplog: pytest.LogCaptureFixture
) -> None:
    topic = "late." + fresh_topic(kafka, "events")
    one = member(fresh("group"), topic, settings={"topic.metadata.refresh.interval.ms": 200})
    one.poll_until(lambda: bool(lines(caplog, "kafka_trouble")))

    kafka.create_topic(topic)
    produce(kafka, topic, b"a")

    assert one.receive(1) == [b"a"]
    assert lines(caplog, "kafka_trouble")[0] == {"what": "intake", "code": "UNKNOWN_TOPIC_OR_PART", "topic": topic}


@pytest.mark.real
@each_incremental_protocol
def test_reading_on_where_one_has_stopped_does_not_answer_a_rebalance_before_its_commit_white_box(
    kafka: ContainerBrokers, member: OpenMember, protocol: dict[str, str]
) -> None:
    topic, group = fresh_topic(kafka, "events", partitions=4), fresh("group")
    for partition in range(4):
        produce(kafka, topic, b"a", partition=partition)
    one = member(group, topic, settings=protocol)
    one.receive(4)
    one.source.processed(Fetched(one.received).ends)
    one.source._consumer.incremental_unassign([TopicPartition(topic, 0)])
    one.source._consumer.incremental_assign([TopicPartition(topic, 0)])
    one.source._stopped.add((topic, 0))
    for _ in range(2):
        one.source._stopped.look()

    two = member(group, topic, settings=protocol)
    two.poll_until(lambda: kafka.members(group) == 2)
    two.poll(1.0)  # meanwhile the coordinator wants partitions back, and tells it with a heartbeat
    one.poll_until(lambda: len(held(one)) == len(held(two)) == 2, two)

    assert [committed(kafka, group, topic, partition) for partition in held(two)] == [1, 1]
    assert [one.source.owns(record) for record in one.received].count(True) == 2


@pytest.mark.real
@each_incremental_protocol
def test_a_client_that_has_ended_itself_ends_the_process(
    kafka: Kafka, member: OpenMember, protocol: dict[str, str]
) -> None:
    """Of two with one name the coordinator turns away the first, and with KIP-848 the second."""
    topic, group = fresh_topic(kafka, "events"), fresh("group")
    static = {"group.instance.id": "the-only-one", **protocol}
    one = member(group, topic, settings=static)
    one.poll_until(lambda: len(held(one)) == 1)
    two = member(group, topic, settings=static)

    with pytest.raises(Broken) as fatal:
        one.poll_until(lambda: False, two)

    assert fatal.value.exit_code == ExitCode.KAFKA_FATAL
