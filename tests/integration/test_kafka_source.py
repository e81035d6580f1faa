"""The Kafka source: everything once at least, in order, and committed only when it is processed."""

from collections.abc import Callable

import pytest

from consumer.adapters.kafka_source import KafkaSource
from consumer.core.record import Fetched
from consumer.errors import Unavailable
from consumer.sandbox.embedded_kafka import EmbeddedKafka
from tests.brokers import EmbeddedBrokers, Kafka, committed, fresh, fresh_topic, produce
from tests.members import Member, each_classic_protocol, each_protocol

OpenMember = Callable[..., Member]


@each_protocol
def test_a_new_group_starts_at_the_beginning(kafka: Kafka, member: OpenMember, protocol: dict[str, str]) -> None:
    topic, group = fresh_topic(kafka, "events", partitions=2), fresh("group")
    produce(kafka, topic, b"0", b"1", partition=0)
    produce(kafka, topic, b"2", partition=1)

    one = member(group, topic, settings=protocol)

    assert set(one.receive(3)) == {b"0", b"1", b"2"}
    assert len(one.received) == 3


def test_a_record_is_as_it_lies_in_its_topic(kafka: Kafka, member: OpenMember) -> None:
    topic = fresh_topic(kafka, "events")
    head = [("a", b"1"), ("a", b"\xff\x00"), ("none", None)]
    produce(kafka, topic, None, b"\x00value", key=b"key", headers=head, timestamp=1_700_000_000_123)

    one = member(fresh("group"), topic)
    one.receive(2)

    tombstone, record = one.received
    assert (tombstone.value, tombstone.key, tombstone.position.offset) == (None, b"key", 0)
    assert (record.value, record.key, record.headers) == (b"\x00value", b"key", tuple(head))
    assert (record.position.topic, record.position.partition, record.position.offset) == (topic, 0, 1)
    assert record.timestamp_ms == 1_700_000_000_123
    assert one.source.owns(record)


def test_a_record_stamped_in_microseconds_is_delivered_as_one_of_a_distant_future(
    kafka: Kafka, member: OpenMember
) -> None:
    topic = fresh_topic(kafka, "events", config={"message.timestamp.after.max.ms": str(2**63 - 1)})
    produce(kafka, topic, b"0", timestamp=1_795_354_200_250_000)
    one = member(fresh("group"), topic)

    one.receive(1)

    assert one.received[0].timestamp_ms == 1_795_354_200_250_000
    assert one.received[0].timestamp.year == 9999


def test_no_more_records_come_at_once_than_asked_for(kafka: Kafka, member: OpenMember) -> None:
    topic = fresh_topic(kafka, "events")
    produce(kafka, topic, *[b"%d" % number for number in range(10)])
    one = member(fresh("group"), topic)

    sizes: list[int] = []
    while sum(sizes) < 10:
        sizes.append(len(one.source.poll(records_max=1 if sum(sizes) < 2 else 3, timeout_s=0.1)))

    assert sum(sizes) == 10
    assert max(sizes) <= 3
    assert sizes.count(1) >= 2


@each_classic_protocol
def test_what_was_fetched_before_a_stall_is_no_news_of_the_group(
    kafka: Kafka, member: OpenMember, protocol: dict[str, str]
) -> None:
    topic = fresh_topic(kafka, "events")
    produce(kafka, topic, b"0", b"1", b"2")
    one = member(fresh("group"), topic, settings=protocol)
    polled: list[bool] = []
    while len(polled) < 2:
        if one.source.poll(records_max=1, timeout_s=0.1):
            polled.append(one.source.overdue)
            one.now_s += 60.0 * (len(polled) == 1)

    one.source.pause()
    one.source.poll(records_max=1, timeout_s=0.1)

    assert polled == [False, True]
    assert not one.source.overdue


@each_protocol
def test_what_is_processed_is_committed_at_the_end_and_the_rest_is_delivered_again(
    kafka: Kafka, member: OpenMember, protocol: dict[str, str]
) -> None:
    topic, group = fresh_topic(kafka, "events"), fresh("group")
    produce(kafka, topic, b"0", b"1", b"2")
    one = member(group, topic, settings=protocol)
    one.receive(3)

    one.source.processed(Fetched(one.received[:2]).ends)
    one.source.close()
    one.source.close()

    assert committed(kafka, group, topic) == 2
    assert member(group, topic, settings=protocol).receive(1) == [b"2"]


def test_nothing_is_committed_before_it_is_processed(kafka: Kafka, member: OpenMember) -> None:
    topic, group = fresh_topic(kafka, "events"), fresh("group")
    produce(kafka, topic, b"0")
    one = member(group, topic)
    one.receive(1)

    one.now_s += 60
    one.source.commit()
    one.source.close()

    assert committed(kafka, group, topic) is None


def test_commits_are_due_once_a_second(kafka: Kafka, member: OpenMember) -> None:
    topic, group = fresh_topic(kafka, "events"), fresh("group")
    produce(kafka, topic, b"0", b"1", b"2")
    one = member(group, topic, commit_interval_s=1000.0)
    one.receive(3)

    one.source.processed(Fetched(one.received[:1]).ends)
    one.source.commit()
    one.poll_until(lambda: committed(kafka, group, topic) == 1)
    one.source.processed(Fetched(one.received[1:]).ends)
    one.source.commit()
    one.poll()
    assert committed(kafka, group, topic) == 1
    one.now_s += 1000.0
    one.source.commit()

    one.poll_until(lambda: committed(kafka, group, topic) == 3)


def test_a_paused_source_delivers_nothing_and_loses_nothing(kafka: Kafka, member: OpenMember) -> None:
    topic, control = fresh_topic(kafka, "events"), fresh_topic(kafka, "control")
    group = fresh("group")
    one, other = member(group, topic), member(fresh("group"), topic, control)
    produce(kafka, topic, b"0")
    one.receive(1)

    one.source.pause()
    produce(kafka, topic, b"1", b"2")
    one.poll_until(lambda: len(other.received) == 3, other)
    assert one.values == [b"0"]
    one.source.resume()

    assert one.receive(3) == [b"0", b"1", b"2"]


def test_a_source_paused_before_its_first_assignment_delivers_nothing(kafka: Kafka, member: OpenMember) -> None:
    topic = fresh_topic(kafka, "events")
    produce(kafka, topic, b"0")
    one, other = member(fresh("group"), topic), member(fresh("group"), topic)

    one.source.pause()
    one.poll_until(lambda: len(other.received) == 1 and len(one.source._partitions.keys) == 1, other)
    one.poll(0.5)

    assert one.values == []
    one.source.resume()
    assert one.receive(1) == [b"0"]


@each_classic_protocol
def test_what_librdkafka_hands_out_in_spite_of_a_pause_comes_again_white_box(
    kafka: Kafka, member: OpenMember, protocol: dict[str, str]
) -> None:
    topic = fresh_topic(kafka, "events")
    one = member(fresh("group"), topic, settings=protocol)
    produce(kafka, topic, b"0")
    one.receive(1)
    one.source.pause()
    one.source._consumer.resume(one.source._consumer.assignment())

    produce(kafka, topic, b"1", b"2")
    one.poll_until(lambda: one.source._partitions.resume_at((topic, 0)) == 1 and one.now_s > 1.0)

    assert one.values == [b"0"]
    one.source.resume()
    assert one.receive(3) == [b"0", b"1", b"2"]


def test_the_cluster_is_known_by_its_id(kafka: Kafka, member: OpenMember) -> None:
    topic = fresh_topic(kafka, "events")

    first, second = member(fresh("group"), topic), member(fresh("group"), topic)

    assert first.source.cluster_id() == second.source.cluster_id() != ""


def test_how_much_there_is_of_any_topic_is_known_and_of_none_there_is_nothing(kafka: Kafka, member: OpenMember) -> None:
    read, other = fresh_topic(kafka, "events"), fresh_topic(kafka, "preferences", partitions=2)
    produce(kafka, other, b"0", b"1", partition=1)
    keys = [(read, 0), (other, 0), (other, 1), (other, 7), ("nowhere", 0)]

    ends = member(fresh("group"), read).source.ends(keys)

    assert [ends[key] for key in keys] == [0, 0, 2, 0, 0]


@pytest.mark.parametrize(
    "ask", [KafkaSource.cluster_id, lambda source: source.ends([("events", 0)])], ids=["id", "ends"]
)
def test_a_cluster_that_does_not_answer_is_unavailable(ask: Callable[[KafkaSource], object]) -> None:
    with EmbeddedKafka() as cluster:
        cluster.create_topic("events")
        cluster.broker_down()
        with (
            Member(EmbeddedBrokers(cluster), "group", "events", request_timeout_s=0.2) as one,
            pytest.raises(Unavailable, match="kafka is unavailable"),
        ):
            ask(one.source)
