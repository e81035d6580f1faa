"""A process that must own every partition: it delivers nothing before it does, and ends where it cannot."""

from collections.abc import Callable

import pytest

from consumer.core.record import Fetched
from consumer.errors import Broken, ExitCode
from tests.brokers import Kafka, committed, fresh, fresh_topic, produce
from tests.members import Member, each_protocol

OpenMember = Callable[..., Member]
IMPATIENT = {"sole_owner_patience_s": 0.5, "recheck_s": 0.1}


@each_protocol
def test_who_owns_everything_gets_everything(kafka: Kafka, member: OpenMember, protocol: dict[str, str]) -> None:
    events, balances = fresh_topic(kafka, "events", partitions=3), fresh_topic(kafka, "balances")
    produce(kafka, events, b"a", partition=2)
    produce(kafka, balances, b"b")

    one = member(fresh("group"), events, balances, sole_owner=True, settings=protocol)

    assert set(one.receive(2)) == {b"a", b"b"}


@each_protocol
def test_a_newcomer_gives_way_without_having_read_a_record(
    kafka: Kafka, member: OpenMember, protocol: dict[str, str]
) -> None:
    topic, group = fresh_topic(kafka, "events", partitions=2), fresh("group")
    for partition in (0, 1):
        produce(kafka, topic, b"a", partition=partition)
    one = member(group, topic, sole_owner=True, settings=protocol, sole_owner_patience_s=1000.0)
    one.receive(2)
    one.source.processed(Fetched(one.received).ends)
    newcomer = member(group, topic, sole_owner=True, settings=protocol, **IMPATIENT)

    with pytest.raises(Broken, match="another member of the consumer group owns 1 of 2 partitions") as refused:
        one.poll_until(lambda: False, newcomer)
    newcomer.source.close()
    for partition in (0, 1):
        produce(kafka, topic, b"b", partition=partition)

    assert refused.value.exit_code == ExitCode.NOT_SOLE_OWNER
    assert newcomer.received == []
    one.poll_until(lambda: one.values.count(b"b") == 2)


def test_a_newcomer_that_gets_no_partition_at_all_gives_way_too(kafka: Kafka, member: OpenMember) -> None:
    topic, group = fresh_topic(kafka, "events"), fresh("group")
    produce(kafka, topic, b"a")
    one = member(group, topic, sole_owner=True, sole_owner_patience_s=1000.0)
    one.receive(1)
    newcomer = member(group, topic, sole_owner=True, **IMPATIENT)

    with pytest.raises(Broken, match="owns 1 of 1 partitions"):
        one.poll_until(lambda: False, newcomer)


def test_who_owned_everything_waits_longer_and_then_ends(kafka: Kafka, member: OpenMember) -> None:
    topic, group = fresh_topic(kafka, "events", partitions=2), fresh("group")
    produce(kafka, topic, b"a", partition=0)
    one = member(group, topic, sole_owner=True, **IMPATIENT)
    one.receive(1)
    stranger = member(group, topic)
    one.poll_until(lambda: len(one.source._partitions.keys) == 1, stranger)
    since_s = one.now_s

    with pytest.raises(Broken, match="owns 1 of 2 partitions"):
        one.poll_until(lambda: False, stranger)

    assert one.now_s - since_s >= 1.0


def test_it_keeps_delivering_what_stays_its_own_while_it_waits(kafka: Kafka, member: OpenMember) -> None:
    topic, group = fresh_topic(kafka, "events", partitions=2), fresh("group")
    one = member(group, topic, sole_owner=True, sole_owner_patience_s=1000.0)
    produce(kafka, topic, b"a", partition=0)
    one.receive(1)
    stranger = member(group, topic)
    one.poll_until(lambda: len(stranger.source._partitions.keys) == 1, stranger)

    for partition in (0, 1):
        produce(kafka, topic, b"b", partition=partition)
    one.poll_until(lambda: len(one.received) == 2 and b"b" in stranger.values, stranger)

    [stays] = {partition for _, partition in one.source._partitions.keys}
    assert (one.received[-1].position.partition, one.values[-1]) == (stays, b"b")


@pytest.mark.real  # on a busy machine the embedded brokers' rebalances outlast the short poll interval that this needs
def test_who_fell_out_of_the_group_must_prove_it_again(kafka: Kafka, member: OpenMember) -> None:
    topic, group = fresh_topic(kafka, "events", partitions=2), fresh("group")
    late = {"session.timeout.ms": 1500, "max.poll.interval.ms": 1500}
    one = member(group, topic, sole_owner=True, settings=late, sole_owner_patience_s=1000.0)
    produce(kafka, topic, b"a", partition=0)
    one.receive(1)
    stranger = member(group, topic)
    stranger.poll_until(lambda: len(stranger.source._partitions.keys) == 2)
    one.poll_until(lambda: len(one.source._partitions.keys) == 1, stranger)

    for partition in (0, 1):
        produce(kafka, topic, b"b", partition=partition)
    one.poll_until(lambda: b"b" in stranger.values, stranger)
    one.poll(0.3)

    assert one.values == [b"a"]
    stranger.source.close()
    one.poll_until(lambda: one.values.count(b"b") >= 2)


def test_a_topic_that_grows_does_not_end_it(kafka: Kafka, member: OpenMember) -> None:
    """Where a topic has no partitions yet there is nothing that another member could own."""
    events, late = fresh_topic(kafka, "events"), "late." + fresh_topic(kafka, "balances")
    produce(kafka, events, b"a")
    group = fresh("group")
    refresh = {"topic.metadata.refresh.interval.ms": 200}
    one = member(group, events, late, sole_owner=True, settings=refresh, **IMPATIENT)
    one.receive(1)

    kafka.create_topic(late, 2)
    produce(kafka, late, b"b", partition=1)

    assert one.receive(2) == [b"a", b"b"]
    one.source.processed(Fetched(one.received).ends)
    one.source.close()
    assert committed(kafka, group, late, 1) == 1
