from datetime import timedelta

from consumer.core.catalogue import InDoubtPolicy
from consumer.core.delivery import State, Trigger, replayed
from consumer.core.standing import Questions
from consumer.ports import Lapsed, Swept
from tests.builders import NOW
from tests.outboxes import (
    ATTEMPT,
    LEASE,
    PATIENCE,
    OutboxBench,
    accepted,
    begun,
    claimed,
    doubted,
    numbered,
    once,
    recorded,
    settled,
    state,
    story,
    triggers,
)

SECOND = timedelta(seconds=1)
LAPSED = Lapsed(notice_id=1, kinds=("large_debit",))


def test_a_lost_lease_gives_the_notice_back(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1))
    (first,) = claimed(outboxes.outbox)

    early = outboxes.outbox.sweep(NOW + LEASE - SECOND, PATIENCE)
    late = outboxes.outbox.sweep(NOW + LEASE, PATIENCE)

    assert (early, late) == (Swept(), Swept(leases_lost=1))
    assert triggers(outboxes.reader)[-1] == "lease_lost"
    (second,) = claimed(outboxes.outbox, NOW + LEASE)
    assert second.fence == first.fence + 1
    assert not outboxes.outbox.begin(first, ATTEMPT, NOW + LEASE)


def test_what_is_stale_expires_and_may_be_told_by_another_event(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1, stale_at=NOW + SECOND, occurrences=(once(),)))

    early = outboxes.outbox.sweep(NOW, PATIENCE)
    late = outboxes.outbox.sweep(NOW + SECOND, PATIENCE)

    assert (early, late) == (Swept(), Swept(expired=1, lapsed=(LAPSED,)))
    assert story(outboxes.reader).summary.reason == "stale"
    assert outboxes.outbox.recall(Questions(occurrences=frozenset({once().key}))).told == {}
    recorded(outboxes.outbox, numbered(2, occurrences=(once(),)))
    assert state(outboxes.reader, 2) == "pending"


def test_what_expired_is_named_with_all_kinds_that_it_would_have_told_of(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1, stale_at=NOW, also=("low_balance", "overdrawn")))

    swept = outboxes.outbox.sweep(NOW, PATIENCE)

    assert swept.lapsed == (Lapsed(notice_id=1, kinds=("large_debit", "low_balance", "overdrawn")),)


def test_what_is_claimed_does_not_expire_under_its_owner(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1, stale_at=NOW + SECOND))
    claimed(outboxes.outbox)

    assert outboxes.outbox.sweep(NOW + SECOND, PATIENCE) == Swept()


def test_a_lost_lease_of_what_is_stale_expires_in_the_same_sweep(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1, stale_at=NOW + SECOND))
    claimed(outboxes.outbox)

    assert outboxes.outbox.sweep(NOW + LEASE, PATIENCE) == Swept(leases_lost=1, expired=1, lapsed=(LAPSED,))


def test_a_sweep_has_a_limit_and_the_next_one_goes_on(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, *(numbered(number, stale_at=NOW) for number in range(1, 702)))

    sweeps = [outboxes.outbox.sweep(NOW, PATIENCE).expired for _ in range(3)]

    assert sweeps == [500, 201, 0]


def test_what_a_dead_process_had_claimed_is_pending_again(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1))
    (before,) = claimed(outboxes.outbox)

    outboxes.kill(NOW + SECOND)

    assert story(outboxes.reader).summary.reason == "owner_died"
    assert triggers(outboxes.reader)[-1] == "lease_lost"
    assert not outboxes.outbox.begin(before, ATTEMPT, NOW + SECOND)
    assert len(claimed(outboxes.outbox, NOW + SECOND)) == 1


def test_what_a_dead_process_was_sending_is_in_doubt(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1))
    before = begun(outboxes.outbox)

    outboxes.kill(NOW + SECOND)

    assert state(outboxes.reader) == "in_doubt"
    assert claimed(outboxes.outbox, NOW + SECOND) == []
    assert outboxes.outbox.sweep(NOW + PATIENCE.doubt, PATIENCE) == Swept()
    assert outboxes.outbox.sweep(NOW + PATIENCE.doubt + SECOND, PATIENCE) == Swept(held=1)
    assert not outboxes.outbox.settle(before, accepted(), NOW + PATIENCE.doubt)
    assert state(outboxes.reader) == "accepted"


def test_what_a_dead_process_was_resending_is_held(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1, in_doubt=InDoubtPolicy.RESEND))
    doubted(outboxes.outbox, due=NOW)
    outboxes.outbox.sweep(NOW, PATIENCE)
    begun(outboxes.outbox)

    outboxes.kill()

    assert state(outboxes.reader) == "held"


def test_everything_that_was_acknowledged_survives_the_process(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, *(numbered(number, occurrences=(once(f"tx:{number}:posted"),)) for number in range(1, 4)))
    first, second, _ = claimed(outboxes.outbox)
    outboxes.outbox.begin(first, ATTEMPT, NOW)
    outboxes.outbox.settle(first, accepted(), NOW)
    outboxes.outbox.settle(second, settled(Trigger.REJECT, "no_phone"), NOW)

    outboxes.kill()

    assert [state(outboxes.reader, number) for number in (1, 2, 3)] == ["accepted", "failed", "pending"]
    told = outboxes.outbox.recall(Questions(occurrences=frozenset(once(f"tx:{n}:posted").key for n in (1, 2, 3)))).told
    assert {key.scope for key in told} == {"tx:1:posted", "tx:3:posted"}


def test_a_history_replays_to_the_state(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1, in_doubt=InDoubtPolicy.RESEND))
    first = doubted(outboxes.outbox, due=NOW)
    outboxes.outbox.sweep(NOW, PATIENCE)
    begun(outboxes.outbox)
    outboxes.outbox.settle(first, accepted(), NOW)
    outboxes.kill()

    assert replayed(triggers(outboxes.reader)) is State.ACCEPTED
    assert state(outboxes.reader) == "accepted"
