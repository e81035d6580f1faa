"""A partition that is held back waits at its record; the others flow, and nothing is lost or doubled by it."""

from collections.abc import Callable

from consumer.core.record import Fetched, Record
from tests.brokers import Kafka, committed, fresh, fresh_topic, produce
from tests.members import Member, each_incremental_protocol, each_protocol

OpenMember = Callable[..., Member]
FAR_MS = 10_000


def numbers(first: int, end: int) -> list[bytes]:
    return [b"%d" % number for number in range(first, end)]


def of(member: Member, partition: int) -> list[bytes | None]:
    return [record.value for record in member.received if record.position.partition == partition]


def first_of(member: Member, partition: int, value: bytes) -> Record:
    return next(one for one in member.received if one.position.partition == partition and one.value == value)


@each_protocol
def test_one_partition_waits_at_its_record_while_the_other_flows(
    kafka: Kafka, member: OpenMember, protocol: dict[str, str]
) -> None:
    topic, group = fresh_topic(kafka, "events", partitions=2), fresh("group")
    produce(kafka, topic, *numbers(0, 50), partition=0)
    produce(kafka, topic, *numbers(0, 50), partition=1)
    one = member(group, topic, settings=protocol)
    one.receive(100)
    held = first_of(one, 0, b"20")

    one.hold_back(held)
    one.source.processed(Fetched([record for record in one.received if record.position.partition == 1]).ends)
    one.source.processed(Fetched([record for record in one.received if record.position < held.position]).ends)
    produce(kafka, topic, *numbers(50, 60), partition=0)
    produce(kafka, topic, *numbers(50, 60), partition=1)
    one.poll_until(lambda: len(of(one, 1)) == 60)
    one.poll(0.5)
    of_the_held_one = of(one, 0)
    one.let_go(held)
    one.poll_until(lambda: len(of(one, 0)) >= 50 + 40)
    one.poll(0.5)

    assert of_the_held_one == numbers(0, 50)
    assert of(one, 0) == numbers(0, 50) + numbers(20, 60)
    assert of(one, 1) == numbers(0, 60)
    assert one.source.owns(first_of(one, 0, b"59"))
    one.source.close()
    assert (committed(kafka, group, topic, 0), committed(kafka, group, topic, 1)) == (20, 50)


def test_a_record_that_lies_far_behind_what_is_fetched_ahead_is_delivered_again_with_all_behind_it_once(
    kafka: Kafka, member: OpenMember
) -> None:
    topic = fresh_topic(kafka, "events", partitions=2)
    produce(kafka, topic, *numbers(0, 5000), partition=0)
    produce(kafka, topic, *numbers(0, 5000), partition=1)
    one = member(fresh("group"), topic)
    seen: dict[int, list[bytes | None]] = {0: [], 1: []}
    offsets: dict[int, int] = {0: 0, 1: 0}
    holds = 0

    def poll() -> None:
        """Every 700th record of a partition is held back, for two polls, the first time it comes."""
        nonlocal holds
        waiting: list[Record] = []
        stopped: set[int] = set()
        for record in one.poll():
            number = record.position.partition
            if number in stopped:
                continue
            if record.position.offset % 700 == 699 and record.position not in again:
                again.add(record.position)
                one.hold_back(record)
                waiting.append(record)
                stopped.add(number)
                continue
            assert record.position.offset == offsets[number]
            offsets[number] += 1
            seen[number].append(record.value)
        holds += len(waiting)
        held.append(waiting)
        for record in held.pop(0):
            one.let_go(record)

    again: set[object] = set()
    held: list[list[Record]] = [[], []]
    for _ in range(FAR_MS):
        if offsets == {0: 5000, 1: 5000}:
            break
        poll()

    assert holds == 14
    assert seen == {0: numbers(0, 5000), 1: numbers(0, 5000)}


def test_what_is_held_back_stays_so_when_everything_goes_on_and_is_let_go_when_everything_waits(
    kafka: Kafka, member: OpenMember
) -> None:
    topic = fresh_topic(kafka, "events", partitions=2)
    produce(kafka, topic, b"a0", b"a1", partition=0)
    produce(kafka, topic, b"b0", partition=1)
    one = member(fresh("group"), topic)
    one.receive(3)
    held = first_of(one, 0, b"a1")

    one.hold_back(held)
    one.source.pause()
    one.poll(0.5)
    one.source.resume()
    produce(kafka, topic, b"b1", partition=1)
    one.poll_until(lambda: of(one, 1) == [b"b0", b"b1"])
    one.poll(0.5)
    while_held = of(one, 0)
    one.source.pause()
    one.let_go(held)
    one.poll(0.5)
    while_paused = of(one, 0)
    one.source.resume()
    one.poll_until(lambda: len(of(one, 0)) == 3)

    assert while_held == while_paused == [b"a0", b"a1"]
    assert of(one, 0) == [b"a0", b"a1", b"a1"]


def test_librdkafka_fetches_nothing_of_what_is_held_back_or_paused_white_box(kafka: Kafka, member: OpenMember) -> None:
    topic = fresh_topic(kafka, "events", partitions=2)
    produce(kafka, topic, b"a0", partition=0)
    produce(kafka, topic, b"b0", partition=1)
    one = member(fresh("group"), topic)
    one.receive(2)

    one.hold_back(first_of(one, 0, b"a0"))
    while_held_back = one.source._consumer.consume(10, 1.5)
    one.source.pause()
    produce(kafka, topic, b"b1", partition=1)
    while_paused = one.source._consumer.consume(10, 1.0)
    one.source.resume()
    [fetched] = one.source._consumer.consume(1, 10.0)
    fetched_besides = one.source._consumer.consume(10, 1.5)

    assert while_held_back == while_paused == fetched_besides == []
    assert fetched.value() == b"b1"


def test_what_librdkafka_hands_out_of_a_partition_that_is_held_back_comes_again_white_box(
    kafka: Kafka, member: OpenMember
) -> None:
    topic = fresh_topic(kafka, "events", partitions=2)
    produce(kafka, topic, b"a0", b"a1", partition=0)
    one = member(fresh("group"), topic)
    one.receive(2)
    held = first_of(one, 0, b"a1")
    one.hold_back(held)

    one.source._consumer.resume(one.source._consumer.assignment())
    produce(kafka, topic, b"b0", partition=1)
    one.poll_until(lambda: of(one, 1) == [b"b0"] and one.now_s > 1.5)

    assert of(one, 0) == [b"a0", b"a1"]
    one.let_go(held)
    one.poll_until(lambda: len(of(one, 0)) == 3)
    assert of(one, 0) == [b"a0", b"a1", b"a1"]


@each_incremental_protocol  # an eager rebalance takes everything: then both are forgotten
def test_a_partition_that_was_held_back_and_comes_back_is_not_held_back_any_more(
    kafka: Kafka, member: OpenMember, protocol: dict[str, str]
) -> None:
    topic, group = fresh_topic(kafka, "events", partitions=2), fresh("group")
    for number in (0, 1):
        produce(kafka, topic, b"0", b"1", partition=number)
    one = member(group, topic, settings=protocol)
    one.receive(4)
    held = [record for record in one.received if record.value == b"1"]
    for record in held:
        one.hold_back(record)
    one.source.processed(Fetched([record for record in one.received if record.value == b"0"]).ends)

    other = member(group, topic, settings=protocol)
    one.poll_until(lambda: len(one.source._partitions.keys) == len(other.source._partitions.keys) == 1, other)
    gone = next(record for record in held if not one.source.owns(record))
    one.let_go(gone)
    one.hold_back(gone)
    one.poll_until(lambda: len(other.received) >= 1, other)
    other.source.close()
    one.poll_until(lambda: len(one.source._partitions.keys) == 2 and len(one.received) >= 5)

    assert of(other, gone.position.partition) == [b"1"]
    assert [record.value for record in one.received[4:]] == [b"1"]
    assert one.received[4].position == gone.position
    assert one.received[4].epoch > gone.epoch
    one.hold_back(one.received[4])
    one.let_go(gone)
    assert one.poll(1.0) == []
    one.let_go(one.received[4])
    assert one.receive(6)[5] == b"1"


def test_all_partitions_may_be_held_back_and_the_source_be_closed(kafka: Kafka, member: OpenMember) -> None:
    topic, group = fresh_topic(kafka, "events"), fresh("group")
    produce(kafka, topic, b"0", b"1", partition=0)
    one = member(group, topic)
    one.receive(2)

    one.hold_back(one.received[1])
    one.source.processed(Fetched(one.received[:1]).ends)
    one.source.close()

    assert committed(kafka, group, topic) == 1
    assert member(group, topic).receive(1) == [b"1"]


def test_what_is_held_back_twice_is_delivered_from_the_first_record_on(kafka: Kafka, member: OpenMember) -> None:
    topic = fresh_topic(kafka, "events")
    produce(kafka, topic, b"0", b"1", b"2", partition=0)
    one = member(fresh("group"), topic)
    one.receive(3)

    one.hold_back(one.received[2])
    one.hold_back(one.received[1])
    one.let_go(one.received[1])

    assert one.receive(5) == [b"0", b"1", b"2", b"1", b"2"]


def test_a_member_that_waits_for_longer_than_a_poll_may_last_stays_one(kafka: Kafka, member: OpenMember) -> None:
    topic, group = fresh_topic(kafka, "events"), fresh("group")
    produce(kafka, topic, b"0", partition=0)
    one = member(group, topic, settings={"max.poll.interval.ms": 2500})
    one.receive(1)
    held = one.received[0]

    one.hold_back(held)
    one.poll_until(lambda: one.now_s > 4.0)

    assert one.source.owns(held)
    one.let_go(held)
    assert one.receive(2) == [b"0", b"0"]


def test_a_partition_that_has_stopped_can_be_held_back_too(kafka: Kafka, member: OpenMember) -> None:
    topic = fresh_topic(kafka, "events", partitions=2)
    produce(kafka, topic, b"a0", b"a1", partition=0)
    one = member(fresh("group"), topic, recheck_s=1000.0)
    one.receive(2)
    one.source.pause()
    produce(kafka, topic, b"a2", b"a3", partition=0)
    kafka.delete_records(topic, 0, 3)
    one.source.resume()
    one.poll_until(lambda: bool(one.source._stopped))

    one.hold_back(first_of(one, 0, b"a1"))
    produce(kafka, topic, b"b0", partition=1)

    assert one.receive(3)[2] == b"b0"
