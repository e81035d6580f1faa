"""What was polled and waits for a schema is kept in hand: its topic may be another one when the schema comes."""

from consumer.adapters.outbox_sqlite import SqliteOutbox
from consumer.errors import Unavailable
from tests.intakes import Flaky, Run, States, records
from tests.waits import EIGHT, SEVEN, UNKNOWN, A, B, done, nothing, told


def test_what_waits_is_recorded_although_its_topic_was_made_again_meanwhile(
    outbox: SqliteOutbox, states: States
) -> None:
    run = Run(outbox, {1: SEVEN, 2: told(2), 3: told(3)}, [records(1, 2, 3)])
    run.in_turn(run.source.made_again, lambda: run.decoder.learn(1, told(1)))

    run()

    assert done(run, A) == [1, 2, 3]
    assert states() == {"pending": 3}


def test_what_waits_for_two_schemas_one_after_the_other_is_kept_until_both_are_there(
    outbox: SqliteOutbox, states: States
) -> None:
    run = Run(outbox, {1: SEVEN, 2: told(2), 3: EIGHT, 4: told(4)}, [records(1, 2, 3, 4)])
    run.ahead_max = 0
    run.in_turn(
        run.source.made_again,
        lambda: run.decoder.learn(1, told(1)),
        lambda: between.extend(done(run, A)),
        lambda: run.decoder.learn(3, UNKNOWN),
    )
    between: list[int] = []

    run()

    assert between == [1, 2]
    assert done(run, A) == [1, 2, 3, 4]
    assert [letter.reason for letter in run.drawer.letters] == ["unknown_schema"]
    assert states() == {"pending": 3}


def test_all_partitions_together_keep_so_many_records_each_its_first_one_and_none_out_of_order(
    outbox: SqliteOutbox,
) -> None:
    content = {number: told(number) for number in (2, 3, 4, 12, 13)} | {1: SEVEN, 11: EIGHT}
    batch = [*records(1, 2, partition=A), *records(11, 12, 13, partition=B), *records(3, 4, partition=A)]
    run = Run(outbox, content, [batch])
    run.kept_max = 3
    run.in_turn(
        run.source.made_again,
        lambda: run.decoder.learn(1, told(1)),
        lambda: run.decoder.learn(11, told(11)),
    )

    run()

    assert (done(run, A), done(run, B)) == ([1, 2], [11])


def test_what_other_partitions_keep_already_leaves_less_room(outbox: SqliteOutbox) -> None:
    content = {number: told(number) for number in (2, 3, 12)} | {1: SEVEN, 11: EIGHT}
    run = Run(outbox, content, [records(1, 2, 3, partition=A), records(11, 12, partition=B)])
    run.kept_max = 3
    run.in_turn(
        nothing,
        run.source.made_again,
        lambda: run.decoder.learn(1, told(1)),
        lambda: run.decoder.learn(11, told(11)),
    )

    run()

    assert (done(run, A), done(run, B)) == ([1, 2, 3], [11])


def test_what_nobody_had_room_to_keep_comes_once_more(outbox: SqliteOutbox, states: States) -> None:
    content = {number: told(number) for number in range(2, 6)} | {1: SEVEN}
    run = Run(outbox, content, [records(1, 2, 3, 4, 5)])
    run.kept_max = 2
    run.in_turn(lambda: run.decoder.learn(1, told(1)))

    run()

    assert done(run, A) == [1, 2, 3, 4, 5]
    assert states() == {"pending": 5}


def test_what_was_kept_gives_its_room_back(outbox: SqliteOutbox) -> None:
    content = {1: SEVEN, 2: told(2), 11: EIGHT, 12: told(12)}
    run = Run(outbox, content, [records(1, 2, partition=A)])
    run.kept_max = 2
    run.in_turn(
        lambda: run.decoder.learn(1, told(1)),
        lambda: run.source.deliver(records(11, 12, partition=B)),
        run.source.made_again,
        lambda: run.decoder.learn(11, told(11)),
    )

    run()

    assert (done(run, A), done(run, B)) == ([1, 2], [11, 12])


def test_what_was_kept_waits_like_any_batch_while_something_is_away(outbox: SqliteOutbox, states: States) -> None:
    run = Run(Flaky(outbox, [Unavailable("outbox", "full")] * 2), {1: SEVEN, 2: told(2)}, [records(1, 2)])
    run.in_turn(run.source.made_again, lambda: run.decoder.learn(1, told(1)), nothing, nothing)

    run()

    assert done(run, A) == [1, 2]
    assert states() == {"pending": 2}
