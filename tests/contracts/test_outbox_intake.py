from collections.abc import Sequence
from decimal import Decimal

import msgspec
import pytest

from consumer.core.delivery import Trigger
from consumer.core.notice import Change
from consumer.core.standing import Questions, Side, Standing, StandingChange, StandingKey
from consumer.errors import Conflict
from consumer.ports import Recorded
from tests.builders import NOW, notice
from tests.outboxes import (
    OutboxBench,
    claimed,
    numbered,
    once,
    recorded,
    settled,
)

LOW = StandingKey(customer_id="cust-1", account="a1", kind="low_balance")
OVERDRAWN = StandingKey(customer_id="cust-1", account="a1", kind="overdrawn")


def below(sequence: int) -> Standing:
    return Standing(side=Side.BELOW, sequence=sequence)


def above(sequence: int) -> Standing:
    return Standing(side=Side.ABOVE, sequence=sequence)


def moved(key: StandingKey, before: Standing | None, after: Standing) -> StandingChange:
    return StandingChange(key=key, before=before, after=after)


def standings(bench: OutboxBench, *keys: StandingKey) -> Sequence[Standing | None]:
    memory = bench.outbox.recall(Questions(standings=frozenset(keys)))
    return [memory.standings.get(key) for key in keys]


def test_a_recorded_notice_comes_back_from_a_claim_as_it_was(outboxes: OutboxBench) -> None:
    told = notice(
        occurrences=(once(amount=Decimal("12.50"), currency="EUR"),), also=("atm_withdrawal",), traceparent="00-a"
    )

    result = outboxes.outbox.record([Change(notice=told)], NOW).durable()

    assert result == Recorded(notices=1, cancelled=0)
    assert claimed(outboxes.outbox)[0].notice == told


def test_a_redelivered_event_is_told_to_whoever_judged_it_and_nothing_of_its_batch_is_written(
    outboxes: OutboxBench,
) -> None:
    again = Change(notice=notice(kind="low_balance"), standings=(moved(LOW, None, below(7)),))
    outboxes.outbox.record([again], NOW).durable()

    with pytest.raises(Conflict) as conflict:
        outboxes.outbox.record([Change(notice=numbered(9)), again], NOW).durable()

    assert conflict.value.known == {notice().key}
    assert outboxes.reader.stats()["pending"] == 1
    assert standings(outboxes, LOW) == [below(7)]


def test_an_event_twice_in_one_batch_is_a_defect_of_whoever_made_the_batch(outboxes: OutboxBench) -> None:
    with pytest.raises(AssertionError):
        outboxes.outbox.record([Change(notice=notice()), Change(notice=notice())], NOW).durable()


def test_the_same_event_is_another_notice_for_another_customer(outboxes: OutboxBench) -> None:
    other = notice(key=msgspec.structs.replace(notice().key, customer_id="cust-2"))

    assert outboxes.outbox.record([Change(notice=notice()), Change(notice=other)], NOW).durable().notices == 2


def test_an_empty_batch_is_recorded(outboxes: OutboxBench) -> None:
    assert outboxes.outbox.record([], NOW).durable() == Recorded(notices=0, cancelled=0)


def test_what_was_told_is_remembered_with_its_amount(outboxes: OutboxBench) -> None:
    occurrence = once(amount=Decimal("12.50"), currency="EUR")
    recorded(outboxes.outbox, notice(occurrences=(occurrence,)))

    memory = outboxes.outbox.recall(Questions(occurrences=frozenset({occurrence.key, once("tx:other:posted").key})))

    assert memory.told == {occurrence.key: occurrence}


def test_an_occurrence_that_another_told_meanwhile_is_a_conflict_and_undoes_the_whole_batch(
    outboxes: OutboxBench,
) -> None:
    recorded(outboxes.outbox, numbered(1, occurrences=(once(),)))

    with pytest.raises(Conflict):
        recorded(outboxes.outbox, numbered(2), numbered(3, occurrences=(once(),)))

    assert outboxes.reader.stats()["pending"] == 1


def test_a_standing_that_changed_meanwhile_is_a_conflict_and_undoes_the_whole_batch(outboxes: OutboxBench) -> None:
    outboxes.outbox.record([Change(standings=(moved(LOW, None, above(3)),))], NOW).durable()

    for stale in (None, above(2), below(3)):
        with pytest.raises(Conflict):
            outboxes.outbox.record(
                [Change(notice=numbered(1)), Change(standings=(moved(LOW, stale, below(9)),))], NOW
            ).durable()

    assert outboxes.reader.stats()["pending"] == 0
    assert standings(outboxes, LOW) == [above(3)]


def test_standings_are_folded_in_the_order_of_the_batch(outboxes: OutboxBench) -> None:
    outboxes.outbox.record(
        [
            Change(standings=(moved(LOW, None, below(1)),)),
            Change(standings=(moved(LOW, below(1), above(2)),)),
            Change(standings=(moved(LOW, above(2), below(3)),)),
        ],
        NOW,
    ).durable()

    assert standings(outboxes, LOW) == [below(3)]


def test_an_untold_end_releases_its_occurrences_and_rearms_its_standings(outboxes: OutboxBench) -> None:
    told = numbered(1, kind="low_balance", occurrences=(once(kind="low_balance"),))
    outboxes.outbox.record([Change(notice=told, standings=(moved(LOW, None, below(7)),))], NOW).durable()
    (claim,) = claimed(outboxes.outbox)

    outboxes.outbox.settle(claim, settled(Trigger.REJECT, "no_phone"), NOW)

    assert outboxes.outbox.recall(Questions(occurrences=frozenset({told.occurrences[0].key}))).told == {}
    assert standings(outboxes, LOW) == [above(7)]


def test_a_told_end_keeps_its_occurrences_and_standings(outboxes: OutboxBench) -> None:
    told = numbered(1, kind="low_balance", occurrences=(once(kind="low_balance"),))
    outboxes.outbox.record([Change(notice=told, standings=(moved(LOW, None, below(7)),))], NOW).durable()
    (claim,) = claimed(outboxes.outbox)

    outboxes.outbox.settle(claim, settled(Trigger.HOLD, "by_hand"), NOW)

    assert len(outboxes.outbox.recall(Questions(occurrences=frozenset({told.occurrences[0].key}))).told) == 1
    assert standings(outboxes, LOW) == [below(7)]


def test_a_standing_that_moved_on_below_still_belongs_to_the_notice_that_told_of_it(outboxes: OutboxBench) -> None:
    outboxes.outbox.record(
        [
            Change(notice=numbered(1, kind="low_balance"), standings=(moved(LOW, None, below(7)),)),
            Change(
                notice=numbered(2, kind="overdrawn", rank=0),
                standings=(moved(LOW, below(7), below(8)), moved(OVERDRAWN, None, below(8))),
            ),
        ],
        NOW,
    ).durable()
    overdrawn, low = claimed(outboxes.outbox)

    outboxes.outbox.settle(overdrawn, settled(Trigger.REJECT, "too_long"), NOW)
    assert standings(outboxes, LOW, OVERDRAWN) == [below(8), above(8)]

    outboxes.outbox.settle(low, settled(Trigger.REJECT, "too_long"), NOW)
    assert standings(outboxes, LOW) == [above(8)]


def test_a_standing_that_recovered_and_fell_again_belongs_to_the_newer_notice(outboxes: OutboxBench) -> None:
    outboxes.outbox.record(
        [
            Change(notice=numbered(1, kind="low_balance"), standings=(moved(LOW, None, below(1)),)),
            Change(standings=(moved(LOW, below(1), above(2)),)),
            Change(
                notice=numbered(2, kind="other", also=("low_balance",)), standings=(moved(LOW, above(2), below(3)),)
            ),
        ],
        NOW,
    ).durable()
    first, second = claimed(outboxes.outbox)

    outboxes.outbox.settle(first, settled(Trigger.REJECT, "no_phone"), NOW)
    assert standings(outboxes, LOW) == [below(3)]

    outboxes.outbox.settle(second, settled(Trigger.REJECT, "no_phone"), NOW)
    assert standings(outboxes, LOW) == [above(3)]
