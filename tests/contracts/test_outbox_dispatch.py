from datetime import timedelta

import msgspec
import pytest

from consumer.core.delivery import Attempt, ImpossibleTransition, Trigger
from tests.builders import NOW
from tests.outboxes import (
    ATTEMPT,
    LEASE,
    OutboxBench,
    accepted,
    begun,
    claimed,
    numbered,
    proof,
    recorded,
    settled,
    state,
    story,
    triggers,
)

SECOND = timedelta(seconds=1)


def test_security_goes_first_then_what_is_due_for_longest_then_what_occurred_first(outboxes: OutboxBench) -> None:
    recorded(
        outboxes.outbox,
        numbered(1, rank=2, not_before=NOW - 9 * SECOND),
        numbered(2, rank=1, not_before=NOW - SECOND),
        numbered(3, rank=1, not_before=NOW - 2 * SECOND, occurred_at=NOW - 3 * SECOND),
        numbered(4, rank=1, not_before=NOW - 2 * SECOND, occurred_at=NOW - 4 * SECOND),
        numbered(5, rank=0),
    )

    order = [claim.notice_id for claim in claimed(outboxes.outbox)]

    assert order == [5, 4, 3, 2, 1]


def test_a_claim_takes_no_more_than_asked_for_and_the_next_one_the_rest(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, *(numbered(number, rank=number % 2) for number in range(1, 6)))

    taken = [[claim.notice_id for claim in claimed(outboxes.outbox, limit=3)] for _ in range(3)]

    assert taken == [[2, 4, 1], [3, 5], []]


def test_what_is_not_due_or_no_longer_fresh_is_not_claimed(outboxes: OutboxBench) -> None:
    recorded(
        outboxes.outbox,
        numbered(1, not_before=NOW + SECOND),
        numbered(2, stale_at=NOW),
        numbered(3, not_before=NOW, stale_at=NOW + SECOND),
    )

    assert [claim.notice_id for claim in claimed(outboxes.outbox)] == [3]


def test_each_claim_has_a_higher_fence_and_names_its_owner(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1))
    (first,) = claimed(outboxes.outbox, owner="worker-1")
    outboxes.outbox.settle(first, settled(Trigger.RELEASE, "stopping", not_before=NOW), NOW)

    (second,) = claimed(outboxes.outbox, owner="worker-2")

    assert (first.fence, second.fence) == (1, 2)
    assert (second.owner, second.lease_until, second.attempts, second.doubts) == ("worker-2", NOW + LEASE, 0, 0)


def test_the_way_of_an_accepted_notice_is_kept_with_its_proof(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1))
    claim = begun(outboxes.outbox)

    assert outboxes.outbox.settle(claim, accepted("message-7"), NOW + SECOND)

    told = story(outboxes.reader)
    assert [(entry.trigger, entry.state) for entry in told.history] == [
        ("recorded", "pending"),
        ("claim", "claimed"),
        ("begin", "sending"),
        ("accept", "accepted"),
    ]
    assert told.history[2].detail["phone_digest"] == ATTEMPT.phone_digest
    assert told.history[3].detail == {"fence": "1", "message_id": "message-7", "request_id": "request-1"}
    assert told.history[3].at == NOW + SECOND
    assert (told.summary.state, told.summary.reason, told.summary.attempts) == ("accepted", "accepted", 1)


def test_a_settlement_made_again_after_it_was_written_is_ours_and_written_once(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1))
    claim = begun(outboxes.outbox)
    outboxes.outbox.settle(claim, accepted(), NOW)

    assert outboxes.outbox.settle(claim, accepted(), NOW)

    assert triggers(outboxes.reader).count("accept") == 1
    assert "proof_kept" not in triggers(outboxes.reader)


def test_what_was_surely_not_sent_is_due_again_later(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1))
    claim = begun(outboxes.outbox)

    outboxes.outbox.settle(claim, settled(Trigger.RETRY, "Throttling", not_before=NOW + SECOND), NOW)

    assert state(outboxes.reader) == "pending"
    assert claimed(outboxes.outbox, NOW) == []
    assert outboxes.outbox.due_at() == NOW + SECOND
    (again,) = claimed(outboxes.outbox, NOW + SECOND)
    assert (again.attempts, again.doubts) == (1, 0)


def test_nothing_is_due_where_nothing_is_pending(outboxes: OutboxBench) -> None:
    assert outboxes.outbox.due_at() is None


def test_due_at_is_the_earliest_of_all_ranks(outboxes: OutboxBench) -> None:
    recorded(
        outboxes.outbox,
        numbered(1, rank=0, not_before=NOW + 5 * SECOND),
        numbered(2, rank=3, not_before=NOW + 2 * SECOND),
    )

    assert outboxes.outbox.due_at() == NOW + 2 * SECOND


@pytest.mark.parametrize(
    ("trigger", "end"),
    [
        (Trigger.EXPIRE, "expired"),
        (Trigger.CANCEL, "cancelled"),
        (Trigger.REJECT, "failed"),
        (Trigger.HOLD, "held"),
    ],
)
def test_a_claim_that_comes_to_nothing_ends_without_an_attempt(
    outboxes: OutboxBench, trigger: Trigger, end: str
) -> None:
    recorded(outboxes.outbox, numbered(1))
    (claim,) = claimed(outboxes.outbox)

    assert outboxes.outbox.settle(claim, settled(trigger, "because"), NOW)

    told = story(outboxes.reader).summary
    assert (told.state, told.reason, told.attempts) == (end, "because", 0)
    assert claimed(outboxes.outbox) == []


def test_a_claim_can_begin_only_once(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1))
    claim = begun(outboxes.outbox)

    assert not outboxes.outbox.begin(claim, ATTEMPT, NOW)


@pytest.mark.parametrize("changes", [{"owner": "worker-2"}, {"fence": 2}, {"fence": 0}])
def test_a_claim_of_another_owner_or_fence_neither_begins_nor_settles(
    outboxes: OutboxBench, changes: dict[str, object]
) -> None:
    recorded(outboxes.outbox, numbered(1))
    (claim,) = claimed(outboxes.outbox)
    foreign = msgspec.structs.replace(claim, **changes)

    assert not outboxes.outbox.begin(foreign, ATTEMPT, NOW)
    assert not outboxes.outbox.settle(foreign, settled(Trigger.EXPIRE, "stale"), NOW)

    assert state(outboxes.reader) == "claimed"


def test_a_claim_whose_lease_has_run_out_does_not_begin(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1))
    (claim,) = claimed(outboxes.outbox)

    assert not outboxes.outbox.begin(claim, ATTEMPT, NOW + LEASE)

    assert story(outboxes.reader).summary.attempts == 0


@pytest.mark.parametrize("trigger", [Trigger.RELEASE, Trigger.EXPIRE, Trigger.PROVE, Trigger.LEASE_LOST])
def test_a_settlement_that_the_state_does_not_know_is_a_defect_and_changes_nothing(
    outboxes: OutboxBench, trigger: Trigger
) -> None:
    recorded(outboxes.outbox, numbered(1))
    claim = begun(outboxes.outbox)

    with pytest.raises(ImpossibleTransition):
        outboxes.outbox.settle(claim, settled(trigger, "no"), NOW)

    assert state(outboxes.reader) == "sending"


def test_what_is_claimed_cannot_be_accepted_without_having_begun(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1))
    (claim,) = claimed(outboxes.outbox)

    with pytest.raises(ImpossibleTransition):
        outboxes.outbox.settle(claim, accepted(), NOW)


def test_begun_attempts_survive_the_process_as_they_were_told(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1))
    (claim,) = claimed(outboxes.outbox)
    outboxes.outbox.begin(claim, Attempt(phone_digest="p" * 64, parts=3, language="it"), NOW)

    outboxes.kill()

    begin = story(outboxes.reader).history[2]
    assert begin.detail == {
        "owner": "worker-1",
        "fence": "1",
        "phone_digest": "p" * 64,
        "parts": "3",
        "language": "it",
    }
    assert proof(outboxes.reader) == {}
