"""What an outbox tells of its load, and what it remembers of floods."""

from datetime import timedelta

from consumer.core.record import Position
from tests.builders import NOW
from tests.outboxes import OutboxBench, begun, claimed, numbered, recorded

TOPIC = "bank.transactions.v1"


def stop(offset: int, partition: int = 0, topic: str = TOPIC) -> Position:
    return Position(topic=topic, partition=partition, offset=offset)


def test_the_backlog_is_what_may_be_sent_now(outboxes: OutboxBench) -> None:
    recorded(
        outboxes.outbox,
        numbered(1),
        numbered(2, rank=0),
        numbered(3, rank=3),
        numbered(4, not_before=NOW + timedelta(seconds=1)),
        numbered(5, stale_at=NOW),
    )

    assert outboxes.outbox.backlog(NOW, at_most=100) == 3
    assert outboxes.outbox.backlog(NOW + timedelta(seconds=1), at_most=100) == 4


def test_what_is_being_sent_is_no_backlog_any_more(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1))
    begun(outboxes.outbox)
    recorded(outboxes.outbox, numbered(2), numbered(3))
    assert len(claimed(outboxes.outbox, limit=1)) == 1

    assert outboxes.outbox.backlog(NOW, at_most=100) == 1


def test_the_backlog_is_counted_no_further_than_asked(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, *(numbered(number, rank=number % 3) for number in range(9)))

    assert [outboxes.outbox.backlog(NOW, at_most=at_most) for at_most in (1, 4, 8, 9, 10)] == [1, 4, 8, 9, 9]


def test_an_empty_outbox_has_no_backlog(outboxes: OutboxBench) -> None:
    assert outboxes.outbox.backlog(NOW, at_most=10) == 0


def test_the_room_it_takes_grows_with_what_is_in_it(outboxes: OutboxBench) -> None:
    before = outboxes.outbox.room()
    recorded(outboxes.outbox, *(numbered(number) for number in range(300)))
    after = outboxes.outbox.room()

    assert after.used_bytes - before.used_bytes > 300 * 200
    assert after.free_bytes > 0


def test_stops_are_remembered_by_the_next_process(outboxes: OutboxBench) -> None:
    assert outboxes.outbox.stops() == []
    outboxes.outbox.stop_at([stop(7), stop(9, 1), stop(1, topic="a.b-c_d")], NOW)

    outboxes.kill()

    assert sorted(outboxes.outbox.stops()) == sorted([stop(7), stop(9, 1), stop(1, topic="a.b-c_d")])


def test_a_newer_stop_takes_the_place_of_its_partitions_earlier_one(outboxes: OutboxBench) -> None:
    outboxes.outbox.stop_at([stop(7), stop(9, 1)], NOW)
    outboxes.outbox.stop_at([stop(5)], NOW)

    assert sorted(outboxes.outbox.stops()) == [stop(5), stop(9, 1)]


def test_a_stop_that_was_passed_is_forgotten_and_no_other(outboxes: OutboxBench) -> None:
    outboxes.outbox.stop_at([stop(7), stop(9, 1)], NOW)

    outboxes.outbox.pass_stops([stop(7)])

    assert outboxes.outbox.stops() == [stop(9, 1)]
