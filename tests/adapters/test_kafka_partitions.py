"""The books of the Kafka source: what may be committed, whatever came and went."""

from collections.abc import Sequence

from hypothesis import example, given, settings
from hypothesis import strategies as some

from consumer.adapters.kafka_source.partitions import Key, Partitions
from consumer.core.record import Fetched, Position, Record
from tests.builders import record

KEY = ("events", 0)


def delivered(books: Partitions, offset: int, key: Key = KEY) -> Record:
    position = Position(topic=key[0], partition=key[1], offset=offset)
    one = record(position=position, epoch=books.epochs[key])
    books.delivered(Fetched([one]).ends)
    return one


def held() -> Partitions:
    books = Partitions()
    books.assigned([KEY])
    return books


def test_the_offset_after_the_last_processed_record_is_told_and_never_an_earlier_one() -> None:
    books = held()
    records = [delivered(books, offset) for offset in (3, 4, 9)]

    books.processed(Fetched(records).ends)
    books.processed(Fetched(records[:1]).ends)

    assert books.untold() == {KEY: 10}


def test_what_was_told_is_not_told_again() -> None:
    books = held()
    books.processed(Fetched([delivered(books, 3)]).ends)

    books.told(books.untold())

    assert books.untold() == {}


def test_what_was_refused_is_told_again() -> None:
    books = held()
    books.processed(Fetched([delivered(books, 3)]).ends)
    books.told({KEY: 4})

    books.answered(KEY, 4, confirmed=False)

    assert books.untold() == {KEY: 4}


def test_what_was_processed_may_be_told_any_time_and_before_that_what_kafka_has_confirmed() -> None:
    books = held()
    nothing = books.known()
    books.told({KEY: 3})
    books.answered(KEY, 3, confirmed=True)
    one = delivered(books, 3)
    confirmed = books.known()
    books.processed(Fetched([one]).ends)

    assert (nothing, confirmed, books.known()) == ({}, {KEY: 3}, {KEY: 4})


def test_where_it_was_placed_may_be_told_but_not_where_it_is_placed_with_records_on_their_way() -> None:
    books = held()
    books.placed(KEY, 3)
    beginning = books.known()
    delivered(books, 7)
    books.placed(KEY, 8)

    other = held()
    delivered(other, 7)
    other.placed(KEY, 8)

    assert (beginning, books.known(), other.known()) == ({KEY: 3}, {KEY: 3}, {})


def test_a_late_refusal_of_something_older_changes_nothing() -> None:
    books = held()
    books.processed(Fetched([delivered(books, 3)]).ends)
    books.told({KEY: 4})
    books.processed(Fetched([delivered(books, 4)]).ends)
    books.told({KEY: 5})

    books.answered(KEY, 4, confirmed=False)

    assert books.untold() == {}


def test_what_was_told_but_not_confirmed_is_committed_before_its_partition_goes() -> None:
    books = held()
    books.processed(Fetched([delivered(books, 3)]).ends)
    books.told({KEY: 4})
    assert books.unconfirmed([KEY, ("events", 1)]) == {KEY: 4}

    books.answered(KEY, 4, confirmed=True)

    assert books.unconfirmed([KEY]) == {}


def test_an_answer_from_before_its_topic_was_made_again_confirms_nothing_of_now() -> None:
    books = held()
    books.processed(Fetched([delivered(books, 7)]).ends)
    books.told({KEY: 8})
    books.made_again([KEY])
    books.processed(Fetched([delivered(books, 0)]).ends)
    books.told({KEY: 1})

    books.answered(KEY, 1, confirmed=True)
    books.answered(KEY, 8, confirmed=True)

    assert books.unconfirmed([KEY]) == {}


def test_only_the_answer_to_what_was_told_last_counts() -> None:
    books = held()
    books.processed(Fetched([delivered(books, 3)]).ends)
    books.told({KEY: 4})
    books.processed(Fetched([delivered(books, 4)]).ends)
    books.told({KEY: 5})

    books.answered(KEY, 5, confirmed=True)
    books.answered(KEY, 4, confirmed=True)

    assert books.unconfirmed([KEY]) == {}


def test_a_record_of_an_earlier_epoch_is_not_ours() -> None:
    books = held()
    old = delivered(books, 3)
    books.gone([KEY])
    assert not books.owns(old)
    assert KEY not in books.epochs
    books.answered(KEY, 4, confirmed=True)

    books.assigned([KEY])

    assert not books.owns(old)
    books.processed(Fetched([old]).ends)
    assert books.untold() == {}
    assert books.resume_at(KEY) is None


Step = tuple[str, int]


@settings(max_examples=200)
@example([("deliver", 3), ("process", 3), ("tell", 1), ("remake", 1), ("deliver", 1)])
@given(
    some.lists(
        some.tuples(
            some.sampled_from(["deliver", "process", "tell", "confirm", "refuse", "rebalance", "remake"]),
            some.integers(1, 3),
        ),
        max_size=40,
    )
)
def test_within_an_epoch_offsets_never_go_back_nor_past_what_was_processed_and_end_confirmed(
    steps: Sequence[Step],
) -> None:
    books, next_offset, waiting, under_way = held(), 0, list[Record](), list[int]()
    highest_told = highest_processed = 0
    for step, size in steps:
        match step:
            case "deliver":
                waiting += [delivered(books, next_offset + index) for index in range(size)]
                next_offset += size
            case "process":
                done, waiting = waiting[:size], waiting[size:]
                books.processed(Fetched(done).ends)
                highest_processed = max([highest_processed, *(one.position.offset + 1 for one in done)])
            case "tell":
                offsets = books.untold()
                books.told(offsets)
                under_way += offsets.values()
                assert all(highest_told <= offset <= highest_processed for offset in offsets.values())
                highest_told = max([highest_told, *offsets.values()])
            case "confirm" | "refuse" if under_way:
                books.answered(KEY, under_way.pop(size % len(under_way)), confirmed=step == "confirm")
            case "rebalance":
                books.gone([KEY])
                books.assigned([KEY])
                next_offset, waiting = highest_processed, []
            case "remake":
                books.made_again([KEY])
                next_offset, waiting, highest_told, highest_processed = 0, [], 0, 0
            case _:
                pass
    books.processed(Fetched(waiting).ends)
    last = books.unconfirmed([KEY])
    assert last.get(KEY, next_offset) == next_offset
    books.told(last)
    for offset in [*under_way, *last.values()]:
        books.answered(KEY, offset, confirmed=True)
    assert books.unconfirmed([KEY]) == {}


def test_what_is_held_back_is_so_until_it_is_let_go_taken_away_or_comes_anew() -> None:
    books, other = held(), ("events", 1)
    books.assigned([other])

    assert books.hold_back((*KEY, 1))
    assert books.hold_back((*other, 2))
    assert books.held_back == {KEY, other}
    assert books.let_go((*other, 2))
    assert books.held_back == {KEY}
    books.assigned([KEY])
    assert books.held_back == set()
    assert books.hold_back((*KEY, 3))
    books.gone([KEY])
    assert books.held_back == set()


def test_nobody_holds_back_or_lets_go_what_another_epoch_holds() -> None:
    books = held()
    books.assigned([KEY])

    assert not books.hold_back((*KEY, 1))
    assert books.hold_back((*KEY, 2))
    assert not books.let_go((*KEY, 1))
    assert books.held_back == {KEY}


def test_what_is_made_again_flows_once_it_is_placed_and_nobody_holds_it_back() -> None:
    books, other = held(), ("events", 1)
    books.assigned([other])
    former = delivered(books, 7)
    books.hold_back(former.delivery)

    books.made_again([KEY, other])
    assert books.held_back == {KEY, other}
    books.placed(other, 0)
    assert books.held_back == {KEY}
    books.let_go(former.delivery)
    assert (books.held_back, books.is_held_back(KEY)) == ({KEY}, True)
    books.placed(KEY, 0)

    assert (books.held_back, books.is_held_back(KEY)) == (set(), False)


def test_what_is_in_hand_of_a_topic_may_hold_back_the_one_that_was_made_again() -> None:
    books = held()
    former = delivered(books, 7)
    books.made_again([KEY])
    books.placed(KEY, 0)

    assert books.hold_back(former.delivery)

    assert books.held_back == {KEY}
    assert books.let_go(former.delivery)
    assert books.held_back == set()


def test_what_is_in_hand_is_so_still_where_its_topic_is_made_again_twice() -> None:
    books = held()
    former = delivered(books, 7)

    books.made_again([KEY])
    books.made_again([KEY])
    assert books.owns(former)
    new = delivered(books, 0)
    books.made_again([KEY])

    assert (books.owns(former), books.owns(new)) == (False, True)


def test_what_came_before_its_topic_was_made_again_may_be_written_and_is_not_committed() -> None:
    books = held()
    old = delivered(books, 7)

    books.made_again([KEY])
    new = delivered(books, 0)

    assert (books.owns(old), books.owns(new)) == (True, True)
    books.processed(Fetched([old]).ends)
    assert books.untold() == {}
    books.processed(Fetched([old, new]).ends)
    assert books.untold() == {KEY: 1}


def test_what_was_to_come_once_more_when_its_topic_was_made_again_is_gone() -> None:
    books = held()
    records = [delivered(books, offset) for offset in (7, 8, 9)]
    books.rewound(records[1].position)

    books.made_again([KEY])

    assert [books.owns(record) for record in records] == [True, False, False]


def test_what_came_before_its_topic_was_made_again_is_another_member_s_business_after_a_rebalance() -> None:
    books = held()
    old = delivered(books, 7)
    books.made_again([KEY])

    books.gone([KEY])
    books.assigned([KEY])

    assert not books.owns(old)


def test_a_partition_is_placed_anew_where_it_is() -> None:
    books = held()
    assert books.place_of(KEY) is None

    books.placed(KEY, 3)
    assert (books.place_of(KEY), books.resume_at(KEY)) == (3, None)
    delivered(books, 3)
    assert books.place_of(KEY) == 4
    books.placed(KEY, 0)

    assert (books.place_of(KEY), books.resume_at(KEY)) == (0, None)


def test_what_is_looked_up_is_no_better_than_where_it_was_placed() -> None:
    books = held()
    books.made_again([KEY])
    assert books.anew == {KEY}
    books.told({KEY: 9})
    books.answered(KEY, 9, confirmed=True)

    books.placed(KEY, 3)

    assert (books.known(), books.anew) == ({KEY: 3}, set())
