from consumer.core.delivery import State
from consumer.core.notice import EventKey
from tests.builders import NOW
from tests.outboxes import OutboxBench, accepted, begun, claimed, numbered, recorded, story


def test_an_empty_outbox_counts_nothing_in_every_state(outboxes: OutboxBench) -> None:
    assert outboxes.reader.stats() == {state.value: 0 for state in State}


def test_stats_count_by_state_beside_the_running_process(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1))
    outboxes.outbox.settle(begun(outboxes.outbox), accepted(), NOW)
    recorded(outboxes.outbox, numbered(2), numbered(3))
    claimed(outboxes.outbox, limit=1)

    stats = outboxes.reader.stats()

    assert {state: count for state, count in stats.items() if count} == {"accepted": 1, "claimed": 1, "pending": 1}


def test_a_list_shows_the_newest_first_and_no_more_than_asked_for(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, *(numbered(number) for number in range(1, 5)))

    found = outboxes.reader.list(state=None, customer_id=None, limit=3)

    assert [one.notice_id for one in found] == [4, 3, 2]


def test_a_list_can_be_narrowed_to_a_state_and_a_customer(outboxes: OutboxBench) -> None:
    other = EventKey(tenant="default", event_type="TransactionPosted", event_id="evt-2", customer_id="cust-2")
    recorded(outboxes.outbox, numbered(1, rank=0), numbered(2, key=other), numbered(3))
    claimed(outboxes.outbox, limit=1)

    def ids(state: str | None, customer_id: str | None) -> list[int]:
        return [one.notice_id for one in outboxes.reader.list(state=state, customer_id=customer_id, limit=9)]

    assert ids("pending", None) == [3, 2]
    assert ids(None, "cust-1") == [3, 1]
    assert ids("claimed", "cust-1") == [1]
    assert ids("claimed", "cust-2") == []


def test_a_story_holds_the_notice_its_facts_and_positions_and_the_last_claim(outboxes: OutboxBench) -> None:
    told = numbered(1)
    recorded(outboxes.outbox, told)
    (claim,) = claimed(outboxes.outbox)

    found = story(outboxes.reader)

    assert found.claim == claim
    assert found.claim.notice == told
    assert found.summary.kind == "large_debit"
    assert found.summary.occurred_at == told.occurred_at


def test_what_was_never_claimed_has_fence_0(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1))

    assert story(outboxes.reader).claim.fence == 0


def test_there_is_no_story_of_what_there_is_not(outboxes: OutboxBench) -> None:
    assert outboxes.reader.show(7) is None
