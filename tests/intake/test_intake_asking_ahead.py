"""A partition that waits asks at once for the schemas of what is behind its head, and for so many and no more."""

from collections.abc import Callable
from typing import Any

import pytest

from consumer.adapters.outbox_sqlite import SqliteOutbox
from consumer.errors import Awaited, Broken
from tests.intakes import Run, States, records
from tests.waits import EIGHT, SEVEN, UNKNOWN, A, B, done, later, nothing, told


def each_of_its_own(*offsets: int) -> dict[int, Any]:
    return {offset: Awaited("registry", "no_answer", f"of {offset}") for offset in offsets}


def answer(run: Run, say: Callable[[int], Any]) -> Callable[[], None]:
    """The registry says of all that it was asked for until then."""

    def teach() -> None:
        for offset in {*run.decoder.decoded, *run.decoder.asked}:
            run.decoder.learn(offset, say(offset))

    return teach


def test_two_schemas_of_one_partition_are_asked_for_together_and_it_goes_on_once(
    outbox: SqliteOutbox, states: States
) -> None:
    run = Run(outbox, {1: SEVEN, 2: told(2), 3: EIGHT, 4: told(4)}, [records(1, 2, 3, 4)])
    run.in_turn(lambda: run.decoder.learn(1, told(1)), lambda: run.decoder.learn(3, told(3)), nothing)

    run()

    assert done(run, A) == [1, 2, 3, 4]
    assert run.source.journal.count("hold_back") == run.source.journal.count("let_go") == 1
    assert states() == {"pending": 4}


@pytest.mark.parametrize(("passed_s", "goes_on"), [(0.9, []), (1.0, [1, 2]), (-60.0, [1, 2])])
def test_no_trouble_with_what_is_behind_holds_up_for_long_what_can_be_read(
    outbox: SqliteOutbox, passed_s: float, goes_on: list[int]
) -> None:
    run = Run(outbox, {1: SEVEN, 2: told(2), 3: EIGHT}, [records(1, 2, 3)])
    run.in_turn(lambda: run.decoder.learn(1, told(1)), later(run, passed_s), nothing)

    run()

    assert done(run, A) == goes_on


def test_a_partition_whose_records_each_have_their_own_schema_is_read_in_few_rounds_while_others_flow(
    outbox: SqliteOutbox,
) -> None:
    content = each_of_its_own(*range(1, 301)) | {number: told(number) for number in range(1001, 1004)}
    batches = [[*records(*range(1, 301)), *records(1001, partition=B)]]
    batches += [records(number, partition=B) for number in (1002, 1003)]
    run = Run(outbox, content, batches)
    run.in_turn(lambda: flowed.extend(done(run, B)), *[answer(run, told)] * 3)
    flowed: list[int] = []

    run()

    assert done(run, A) == list(range(1, 301))
    assert flowed == done(run, B) == [1001, 1002, 1003]
    assert run.source.journal.count("hold_back") == 2
    assert run.drawer.letters == []


def test_records_that_each_name_another_unknown_schema_are_a_flood_after_one_round(outbox: SqliteOutbox) -> None:
    run = Run(outbox, each_of_its_own(*range(1, 301)), [records(*range(1, 301))])
    run.in_turn(answer(run, lambda _: UNKNOWN))

    with pytest.raises(Broken, match="unknown_schema"):
        run()

    assert run.source.journal.count("let_go") == 1
    assert run.drawer.letters == []
    assert done(run, A) == []


def test_all_partitions_together_ask_for_so_many_schemas_ahead_and_no_more(outbox: SqliteOutbox) -> None:
    batches = [records(1, 2, 3, 4, partition=A), records(11, 12, 13, 14, partition=B)]
    run = Run(outbox, each_of_its_own(1, 2, 3, 4, 11, 12, 13, 14), batches)
    run.ahead_max = 4
    asked: list[int] = []
    run.in_turn(lambda: asked.extend({*run.decoder.decoded, *run.decoder.asked}), *[answer(run, told)] * 2)

    run()

    assert sorted(asked) == [1, 2, 3, 4, 11, 12]
    assert (done(run, A), done(run, B)) == ([1, 2, 3, 4], [11, 12, 13, 14])


def test_a_schema_that_many_records_need_counts_once(outbox: SqliteOutbox) -> None:
    nine = Awaited("registry", "no_answer", "9")
    run = Run(outbox, {1: SEVEN, 2: SEVEN, 3: EIGHT, 4: EIGHT, 5: nine}, [records(1, 2, 3, 4, 5)])
    run.ahead_max = 2
    run.in_turn(answer(run, told))

    run()

    assert done(run, A) == [1, 2, 3, 4, 5]
    assert run.source.journal.count("hold_back") == 1


def test_a_partition_that_waits_for_long_leaves_the_room_to_ask_ahead_to_others(outbox: SqliteOutbox) -> None:
    content = each_of_its_own(1, 2, 11, 12)
    run = Run(outbox, content, [records(1, 2, partition=A)])
    run.ahead_max = 1
    run.in_turn(later(run, 1.0), lambda: run.source.deliver(records(11, 12, partition=B)), nothing)

    run()

    assert 12 in run.decoder.asked
