from datetime import timedelta

import pytest

from consumer.core.catalogue import InDoubtPolicy
from consumer.core.delivery import Claim, Settlement, Trigger
from consumer.core.standing import Questions
from consumer.ports import Swept
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
    proof,
    recorded,
    settled,
    state,
    story,
    triggers,
)

RESEND = InDoubtPolicy.RESEND
SECOND = timedelta(seconds=1)


def resent(outboxes: OutboxBench) -> Claim:
    """A notice whose first send is in doubt, claimed for the second."""
    recorded(outboxes.outbox, numbered(1, in_doubt=RESEND, occurrences=(once(),)))
    first = doubted(outboxes.outbox, due=NOW + SECOND)
    outboxes.outbox.sweep(NOW + SECOND, PATIENCE)
    return first


def test_a_doubt_waits_for_proof_until_it_is_due(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1))
    doubted(outboxes.outbox, due=NOW + SECOND)

    swept = outboxes.outbox.sweep(NOW, PATIENCE)

    assert swept == Swept()
    assert state(outboxes.reader) == "in_doubt"


def test_a_doubt_without_an_instant_of_its_own_is_due_when_patience_ends(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1))
    doubted(outboxes.outbox)

    early = outboxes.outbox.sweep(NOW + PATIENCE.doubt - SECOND, PATIENCE)
    late = outboxes.outbox.sweep(NOW + PATIENCE.doubt, PATIENCE)

    assert (early, late) == (Swept(), Swept(held=1))


def test_a_lost_reply_is_held_and_not_sent_again_when_the_policy_is_hold(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1, occurrences=(once(),)))
    doubted(outboxes.outbox, due=NOW)

    swept = outboxes.outbox.sweep(NOW, PATIENCE)

    assert swept == Swept(held=1)
    assert state(outboxes.reader) == "held"
    assert claimed(outboxes.outbox) == []
    assert once().key in outboxes.outbox.recall(Questions(occurrences=frozenset({once().key}))).told


def test_a_lost_reply_is_sent_once_more_while_fresh_when_the_policy_is_resend(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1, in_doubt=RESEND))
    doubted(outboxes.outbox, due=NOW)

    swept = outboxes.outbox.sweep(NOW, PATIENCE)

    assert swept == Swept(resent=1)
    (again,) = claimed(outboxes.outbox)
    assert (again.attempts, again.doubts) == (1, 1)


def test_a_lost_reply_is_held_when_it_is_no_longer_news(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1, in_doubt=RESEND, stale_at=NOW + SECOND))
    doubted(outboxes.outbox, due=NOW + SECOND)

    assert outboxes.outbox.sweep(NOW + SECOND, PATIENCE) == Swept(held=1)


def test_a_second_doubt_is_held_at_once(outboxes: OutboxBench) -> None:
    resent(outboxes)
    second = begun(outboxes.outbox, NOW + SECOND)

    outboxes.outbox.settle(second, settled(Trigger.DOUBT, "ReadTimeoutError"), NOW + SECOND)

    assert state(outboxes.reader) == "held"
    assert story(outboxes.reader).claim.doubts == 2


def test_a_resend_that_is_accepted_is_accepted(outboxes: OutboxBench) -> None:
    resent(outboxes)
    second = begun(outboxes.outbox, NOW + SECOND)

    outboxes.outbox.settle(second, accepted(), NOW + SECOND)

    assert state(outboxes.reader) == "accepted"


@pytest.mark.parametrize("trigger", [Trigger.EXPIRE, Trigger.CANCEL, Trigger.REJECT])
def test_what_may_have_been_told_never_ends_as_untold_but_is_held(outboxes: OutboxBench, trigger: Trigger) -> None:
    resent(outboxes)
    (claim,) = claimed(outboxes.outbox, NOW + SECOND)

    assert outboxes.outbox.settle(claim, settled(trigger, "because"), NOW + SECOND)

    assert story(outboxes.reader).summary.state == "held"
    assert story(outboxes.reader).summary.reason == "because"
    assert once().key in outboxes.outbox.recall(Questions(occurrences=frozenset({once().key}))).told


def test_a_resend_that_is_refused_is_held(outboxes: OutboxBench) -> None:
    resent(outboxes)
    second = begun(outboxes.outbox, NOW + SECOND)

    outboxes.outbox.settle(second, settled(Trigger.REJECT, "InvalidParameter"), NOW + SECOND)

    assert state(outboxes.reader) == "held"


def test_a_resend_whose_worker_dies_is_held_and_counted_so(outboxes: OutboxBench) -> None:
    resent(outboxes)
    begun(outboxes.outbox, NOW + SECOND)

    swept = outboxes.outbox.sweep(NOW + SECOND + LEASE, PATIENCE)

    assert swept == Swept(doubts=1, held=1)
    assert state(outboxes.reader) == "held"


def test_a_resend_that_the_process_did_not_outlive_is_an_alarm_at_the_next_start(
    outboxes: OutboxBench, caplog: pytest.LogCaptureFixture
) -> None:
    resent(outboxes)
    begun(outboxes.outbox, NOW + SECOND)

    outboxes.kill(NOW + 2 * SECOND)

    assert state(outboxes.reader) == "held"
    assert [(line.levelname, line.getMessage(), line.__dict__["fields"]) for line in caplog.records] == [
        ("ERROR", "swept", {"held": 1})
    ]


def test_a_resend_that_goes_stale_in_the_queue_is_held(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1, in_doubt=RESEND, stale_at=NOW + 2 * SECOND))
    doubted(outboxes.outbox, due=NOW)
    outboxes.outbox.sweep(NOW, PATIENCE)

    assert outboxes.outbox.sweep(NOW + 2 * SECOND, PATIENCE) == Swept(held=1)


def test_late_proof_turns_a_doubt_into_accepted(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1))
    claim = doubted(outboxes.outbox)

    ours = outboxes.outbox.settle(claim, accepted("message-9"), NOW + SECOND)

    assert not ours
    assert triggers(outboxes.reader)[-1] == "prove"
    assert state(outboxes.reader) == "accepted"
    assert proof(outboxes.reader)["message_id"] == "message-9"


def test_late_proof_turns_held_into_accepted(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1))
    claim = doubted(outboxes.outbox, due=NOW)
    outboxes.outbox.sweep(NOW, PATIENCE)

    outboxes.outbox.settle(claim, accepted(), NOW)

    assert state(outboxes.reader) == "accepted"


def test_late_proof_keeps_a_waiting_resend_from_being_sent(outboxes: OutboxBench) -> None:
    first = resent(outboxes)

    outboxes.outbox.settle(first, accepted(), NOW + SECOND)

    assert state(outboxes.reader) == "accepted"
    assert claimed(outboxes.outbox, NOW + SECOND) == []


def test_late_proof_keeps_a_claimed_resend_from_beginning(outboxes: OutboxBench) -> None:
    first = resent(outboxes)
    (second,) = claimed(outboxes.outbox, NOW + SECOND)

    outboxes.outbox.settle(first, accepted(), NOW + SECOND)

    assert not outboxes.outbox.begin(second, ATTEMPT, NOW + SECOND)
    assert state(outboxes.reader) == "accepted"


@pytest.mark.parametrize(
    "second_end",
    [
        settled(Trigger.RETRY, "Throttling", not_before=NOW + SECOND),
        settled(Trigger.REJECT, "InvalidParameter"),
        settled(Trigger.DOUBT, "ReadTimeoutError"),
        settled(Trigger.HOLD, "by_hand"),
    ],
    ids=lambda settlement: settlement.trigger.value,
)
def test_proof_that_came_during_the_resend_wins_however_the_resend_ends(
    outboxes: OutboxBench, second_end: Settlement
) -> None:
    first = resent(outboxes)
    second = begun(outboxes.outbox, NOW + SECOND)
    outboxes.outbox.settle(first, accepted("message-1"), NOW + SECOND)
    assert triggers(outboxes.reader)[-1] == "proof_kept"
    assert state(outboxes.reader) == "sending"

    outboxes.outbox.settle(second, second_end, NOW + 2 * SECOND)

    assert state(outboxes.reader) == "accepted"


def test_proof_of_what_is_final_already_is_kept_and_changes_nothing(outboxes: OutboxBench) -> None:
    first = resent(outboxes)
    second = begun(outboxes.outbox, NOW + SECOND)
    outboxes.outbox.settle(second, accepted("message-2"), NOW + SECOND)

    ours = outboxes.outbox.settle(first, accepted("message-1"), NOW + SECOND)

    assert not ours
    assert triggers(outboxes.reader)[-2:] == ["accept", "proof_kept"]
    assert proof(outboxes.reader)["message_id"] == "message-1"


def test_a_late_settlement_without_proof_changes_nothing(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1))
    claim = doubted(outboxes.outbox)

    ours = outboxes.outbox.settle(claim, settled(Trigger.RETRY, "Throttling", not_before=NOW), NOW)

    assert not ours
    assert state(outboxes.reader) == "in_doubt"
    assert triggers(outboxes.reader)[-1] == "doubt"


def test_a_slow_worker_cannot_overwrite_its_successor_but_its_proof_counts(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1))
    slow = begun(outboxes.outbox)

    swept = outboxes.outbox.sweep(NOW + LEASE, PATIENCE)

    assert swept == Swept(doubts=1)
    assert not outboxes.outbox.settle(slow, settled(Trigger.REJECT, "late"), NOW + LEASE)
    assert state(outboxes.reader) == "in_doubt"
    outboxes.outbox.settle(slow, accepted(), NOW + LEASE)
    assert state(outboxes.reader) == "accepted"
