"""A flood is judged by counts alone, per topic, and never twice in another way."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.core.flood import Flood, FloodLimits, Judgement, Watch, accepted_offsets, as_far_as_there_is, as_offsets
from consumer.core.record import Position

TOPIC, OTHER = "bank.transactions.v1", "bank.balances.v1"
LIMITS = FloodLimits(window_records=20, letters_min=8, share_max=0.5, run_max=5)
GOOD, BAD = ".", "x"


def at(offset: int, partition: int = 0, topic: str = TOPIC) -> Position:
    return Position(topic=topic, partition=partition, offset=offset)


def judged(watch: Watch, what: str, first: int = 0, partition: int = 0, topic: str = TOPIC) -> Judgement:
    """One batch written as `..x.`: an `x` is a dead letter."""
    records = [at(first + number, partition, topic) for number in range(len(what))]
    reasons = {where: "no_registry" for where, mark in zip(records, what, strict=True) if mark == BAD}
    judgement = watch.judge(records, reasons)
    if judgement.flood is None:
        watch.learn(judgement)
    return judgement


def flood(watch: Watch, what: str, first: int = 0, partition: int = 0) -> Flood | None:
    return judged(watch, what, first, partition).flood


def test_a_run_is_a_flood_from_its_last_record_on() -> None:
    assert flood(Watch(LIMITS), "x" * 4) is None
    found = flood(Watch(LIMITS), ".." + "x" * 6)

    assert found is not None
    assert (found.topic, found.letters, found.records, found.again) == (TOPIC, 5, 7, False)
    assert found.stops == (at(2),)
    assert found.ends == (at(8),)
    assert found.reasons == {"no_registry": 6}


def test_a_share_is_a_flood_only_from_a_minimum_of_letters_on() -> None:
    assert flood(Watch(LIMITS), "xxx.xxx.x") is None
    assert flood(Watch(LIMITS), "xxx.xxx.xx") is not None


def test_a_share_at_its_limit_is_none() -> None:
    assert flood(Watch(LIMITS), ".x" * 50) is None
    assert flood(Watch(LIMITS), ".x" * 50 + "x") is not None


def test_what_left_the_window_is_forgotten() -> None:
    assert flood(Watch(LIMITS), "xxx.xxx." + "." * 20 + "xxx.xxx.") is None


def test_a_readable_record_ends_a_run() -> None:
    assert flood(Watch(LIMITS), "." * 20 + "xxxx.xxxx") is None
    assert flood(Watch(LIMITS), "." * 20 + "xxxxx") is not None


def test_a_run_goes_on_from_batch_to_batch() -> None:
    watch = Watch(LIMITS)

    assert flood(watch, "xxx") is None
    assert flood(watch, "xx", first=3) is not None


def test_a_batch_without_letters_counts_too() -> None:
    watch = Watch(LIMITS)

    assert flood(watch, "xxxx") is None
    assert flood(watch, "." * 20, first=4) is None
    assert flood(watch, "xxxx", first=24) is None


def test_partitions_of_a_topic_are_judged_together_and_topics_apart() -> None:
    watch = Watch(LIMITS)

    assert judged(watch, "xxx").flood is None
    assert judged(watch, "xxxx", topic=OTHER).flood is None
    together = judged(watch, "xx", partition=1).flood
    assert together is not None
    assert together.stops == (at(0, 1),)


def test_a_flood_names_every_partition_and_reason_of_its_topic_in_the_batch() -> None:
    positions = [at(offset, partition) for partition in (1, 0) for offset in range(5, 10)]
    reasons = {position: "undecodable" if position.partition else "no_framing" for position in positions}
    foreign = at(1, topic=OTHER)

    found = Watch(LIMITS).judge([*positions, foreign], reasons | {foreign: "no_value"}).flood

    assert found is not None
    assert found.stops == (at(5, 0), at(5, 1))
    assert found.ends == (at(10, 0), at(10, 1))
    assert found.reasons == {"undecodable": 5, "no_framing": 5}


def test_a_record_that_is_broken_in_another_way_is_no_place_to_stop_at() -> None:
    elsewhere = [at(offset, 1) for offset in range(4)]
    flooded = [at(offset) for offset in range(5)]
    reasons = dict.fromkeys(flooded, "unknown_schema") | {elsewhere[2]: "undecodable"}

    found = Watch(LIMITS).judge([*elsewhere, *flooded], reasons).flood

    assert found is not None
    assert found.stops == (at(0),)
    assert found.ends == (at(5), at(3, 1))


def test_a_partition_with_a_record_of_the_most_frequent_reason_is_one_to_stop_at() -> None:
    elsewhere = [at(offset, 1) for offset in range(4)]
    flooded = [at(offset) for offset in range(5)]

    found = Watch(LIMITS).judge([*elsewhere, *flooded], dict.fromkeys([*flooded, elsewhere[2]], "unknown_schema")).flood

    assert found is not None
    assert found.stops == (at(0), at(2, 1))


def test_what_stopped_it_before_is_what_it_is_about_however_few_these_are() -> None:
    again, elsewhere = at(10), [at(offset, 1) for offset in range(20)]
    reasons = {again: "undecodable", elsewhere[5]: "wrong_type", elsewhere[6]: "wrong_type"}

    found = Watch(LIMITS, stops=[again]).judge([*elsewhere, again], reasons).flood

    assert found is not None
    assert (found.again, found.leading, found.stops) == (True, "undecodable", (again,))


def test_the_partitions_of_another_topic_are_not_counted_with_those_of_the_same_number() -> None:
    flooded, other = [at(offset) for offset in range(5)], [at(offset, 1, OTHER) for offset in range(9)]
    broken = [at(offset, 1) for offset in range(2)]
    reasons = dict.fromkeys(flooded, "no_registry") | dict.fromkeys(broken, "undecodable")

    found = Watch(LIMITS).judge([*other, *broken, *flooded], reasons).flood

    assert found is not None
    assert found.stops == (at(0), at(0, 1))


def test_judging_changes_nothing() -> None:
    watch = Watch(LIMITS)
    judged(watch, "." * 20, first=100)
    batches = [[at(4 * number + offset) for offset in range(4)] for number in range(5)]

    assert [watch.judge(batch, dict.fromkeys(batch, "no_registry")).flood for batch in batches] == [None] * 5


def test_a_stop_of_an_earlier_process_needs_one_letter_only() -> None:
    watch = Watch(LIMITS, stops=[at(100)])

    assert flood(watch, "x.", first=98) is None
    found = flood(watch, "x", first=100)

    assert found is not None
    assert found.again
    assert found.stops == (at(100),)


def test_a_stop_holds_for_the_next_record_that_is_still_there() -> None:
    assert flood(Watch(LIMITS, stops=[at(100)]), "x", first=150) is not None


def test_a_stop_of_another_partition_is_none() -> None:
    assert flood(Watch(LIMITS, stops=[at(100)]), "x", first=100, partition=1) is None
    assert judged(Watch(LIMITS, stops=[at(100)]), "x", first=100, topic=OTHER).flood is None


def test_a_stop_is_passed_by_a_record_that_can_be_read_and_single_letters_are_no_flood_again() -> None:
    watch = Watch(LIMITS, stops=[at(100)])

    passed = judged(watch, ".x.", first=100)

    assert (passed.flood, passed.passed) == (None, (at(100),))
    assert judged(watch, "x", first=103).passed == ()


def test_accepted_letters_count_neither_as_good_nor_as_bad() -> None:
    watch = Watch(LIMITS, accepted={(TOPIC, 0): 100})

    assert flood(watch, "x" * 100) is None
    assert flood(watch, "x" * 4, first=100) is None
    assert flood(watch, "x", first=104) is not None


def test_letters_behind_what_is_accepted_are_the_same_flood_if_it_was_stopped_before() -> None:
    watch = Watch(LIMITS, stops=[at(10)], accepted={(TOPIC, 0): 20})

    assert flood(watch, "xxxx.xxxxx", first=10) is None
    assert flood(watch, "x", first=20) is not None


def test_a_readable_record_behind_what_is_accepted_passes_the_stop() -> None:
    watch = Watch(LIMITS, stops=[at(10)], accepted={(TOPIC, 0): 20})

    assert judged(watch, "xxxxxxxxxx.x", first=10).passed == (at(10),)


def test_a_flood_does_not_name_what_was_accepted() -> None:
    found = flood(Watch(LIMITS, accepted={(TOPIC, 0): 10}), "x" * 20)

    assert found is not None
    assert found.stops == (at(10),)
    assert found.reasons == {"no_registry": 10}


@settings(max_examples=200)
@given(
    what=st.text(alphabet=GOOD + BAD, max_size=60),
    cuts=st.lists(st.integers(min_value=0, max_value=60), max_size=5),
)
def test_the_verdict_does_not_depend_on_how_the_records_come_in_batches(what: str, cuts: Sequence[int]) -> None:
    """The record that makes it a flood is the same one, so that none behind it is ever written."""
    at_once, in_batches = Watch(LIMITS), Watch(LIMITS)
    edges = sorted({0, len(what), *(min(cut, len(what)) for cut in cuts)})
    batches = [(what[low:high], low) for low, high in pairwise(edges)]

    whole = flood(at_once, what)
    parts = [flood(in_batches, batch, first=first) for batch, first in batches]
    found = [part for part in parts if part is not None]

    assert bool(found) == (whole is not None)
    if whole is not None:
        assert (found[0].letters, found[0].records) == (whole.letters, whole.records)


@settings(max_examples=100)
@given(sizes=st.lists(st.integers(min_value=1, max_value=30), max_size=4))
def test_a_process_that_was_stopped_never_gets_past_the_stop(sizes: Sequence[int]) -> None:
    """However little it reads at once, and although it has forgotten all that came before."""
    what = "." * 3 + "x" * 30
    first_life = flood(Watch(LIMITS), what)
    assert first_life is not None
    watch = Watch(LIMITS, stops=first_life.stops)

    written = 0
    for size in [*sizes, len(what)]:
        if flood(watch, what[written : written + size], first=written) is not None:
            break
        written += size

    assert written <= 3


def test_offsets_are_read_as_they_are_printed_and_as_kafkas_tools_print_them() -> None:
    places = {(TOPIC, 0): 120, (TOPIC, 11): 7}

    assert accepted_offsets(as_offsets([at(120), at(7, 11)])) == places
    assert accepted_offsets(f"{TOPIC}:0:120\n{TOPIC}:11:7\n") == places


@pytest.mark.parametrize(
    "text",
    [
        "",
        " , ",
        "120",
        "topic:120",
        "topic:0:-1",
        "topic:0:x",
        "a b:0:1",
        "t:0:1:2:",
        "t:2147483648:1",
        "t:0:9223372036854775808",
    ],
)
def test_offsets_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not topic:partition:offset|no offset in it"):
        accepted_offsets(text)


def test_a_partition_that_is_named_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=f"partition 0 of {TOPIC} is named twice"):
        accepted_offsets(f"{TOPIC}:0:120,{TOPIC}:1:5,{TOPIC}:0:7")


def test_what_is_still_to_come_is_not_accepted() -> None:
    accepted, ends = {(TOPIC, 0): 120, (TOPIC, 1): 7}, {(TOPIC, 0): 50, (TOPIC, 1): 50}

    assert as_far_as_there_is(accepted, ends) == {(TOPIC, 0): 50, (TOPIC, 1): 7}


def test_a_flood_says_its_reasons_and_all_its_ends_as_they_are_given_back() -> None:
    positions = [at(offset, partition) for partition in range(11) for offset in (5, 6)]
    reasons = {one: "undecodable" if one.partition else "no_framing" for one in positions}

    found = Watch(LIMITS).judge(positions, reasons).flood

    assert found is not None
    assert (found.ranked, found.counts) == (["undecodable", "no_framing"], "undecodable 20, no_framing 2")
    assert found.until == ",".join(f"{TOPIC}:{number}:7" for number in range(11))
    assert accepted_offsets(found.until) == {(TOPIC, number): 7 for number in range(11)}
    assert found.covered == "this batch"


def test_of_very_many_partitions_a_flood_says_as_many_as_can_be_given_back_and_that_there_are_more() -> None:
    positions = [at(offset, partition) for partition in range(60) for offset in (5, 6)]

    found = Watch(LIMITS).judge(positions, dict.fromkeys(positions, "undecodable")).flood

    assert found is not None
    assert accepted_offsets(found.until) == {(TOPIC, number): 7 for number in range(50)}
    assert found.covered == "50 of the 60 partitions in this batch"


def test_reasons_that_are_as_frequent_come_in_the_order_of_their_names() -> None:
    positions = [at(offset) for offset in range(6)]
    reasons = {one: ("b", "a")[one.offset % 2] for one in positions}

    found = Watch(LIMITS).judge(positions, reasons).flood

    assert found is not None
    assert (found.counts, found.until) == ("a 3, b 3", f"{TOPIC}:0:6")


def test_a_dead_letter_that_is_delivered_again_is_one_still() -> None:
    watch = Watch(LIMITS)
    assert flood(watch, "xxxx") is None

    assert flood(watch, "xxxx") is None
    assert flood(watch, "x", first=4) is not None
