"""The Kafka source while partitions that have stopped are read on: the others lose nothing, and repeat nothing."""

from collections.abc import Callable

import pytest

from consumer.core.record import Fetched, Record
from tests.brokers import Kafka, fresh, fresh_topic, produce
from tests.members import Member, each_protocol
from tests.preference_topics import eventually

OpenMember = Callable[..., Member]


@each_protocol
def test_what_comes_while_another_partition_is_handed_over_comes_once_white_box(
    kafka: Kafka, member: OpenMember, protocol: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    topic, group = fresh_topic(kafka, "events", partitions=2), fresh("group")
    produce(kafka, topic, *[b"%d" % number for number in range(20)])
    first = member(group, topic, settings=protocol)
    first.receive(20)
    first.source.processed(Fetched(first.received[:1]).ends)
    first.source.close()
    produce(kafka, topic, b"new", partition=1)
    one = member(group, topic, settings=protocol)
    received: list[Record] = []
    with monkeypatch.context() as unasked:
        unasked.setattr(one.source._stopped, "look", lambda: None)
        while not received or not one.source._stopped:
            received += one.source.poll(records_max=1, timeout_s=1.0)

    eventually(lambda: can_be_read_on(one))
    while len({record.value for record in received}) < 20:
        received += one.source.poll(records_max=1, timeout_s=1.0)

    assert [record.position.offset for record in received if record.position.partition == 0] == list(range(1, 20))
    assert [record.value for record in received if record.position.partition == 1] == [b"new"]


def can_be_read_on(member: Member) -> bool:
    """Asking only, so that what is fetched meanwhile stays where it is."""
    member.source._stopped.look()
    return bool(member.source._stopped.starts)


def test_what_was_heard_before_its_partition_went_is_not_delivered_white_box(
    kafka: Kafka, member: OpenMember, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = fresh_topic(kafka, "events")
    produce(kafka, topic, b"a", b"b")
    one = member(fresh("group"), topic)
    one.receive(2)
    ours = one.received[1]
    gone = Record(position=one.received[0].position, key=None, value=None, timestamp_ms=0, epoch=ours.epoch - 1)

    monkeypatch.setattr(one.source._resuming, "go_on", lambda _: Fetched([gone, ours]))

    assert list(one.source.poll(records_max=3, timeout_s=0.0)) == [ours]
