"""The demo's books: they balance only if every notice and every text on a phone is accounted for."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest

from consumer.core.delivery import Claim
from consumer.core.story import HistoryEntry, NoticeStory, NoticeSummary
from consumer.sandbox.ledger import Books, due, percentile
from consumer.sandbox.sns_log import LoggedRequest
from tests.builders import NOW, notice

PHONES = {"cust-1": "+393401234567"}


def story(
    number: int, state: str, message_id: str = "", not_before: timedelta = timedelta(0), attempts: int = 0
) -> NoticeStory:
    summary = NoticeSummary(
        notice_id=number,
        customer_id="cust-1",
        kind="large_debit",
        state=state,
        reason="",
        occurred_at=NOW,
        not_before=NOW + not_before,
        attempts=attempts,
    )
    detail = {"message_id": message_id} if message_id else {}
    entry = HistoryEntry(at=NOW, trigger="accept", state=state, reason="", detail=detail)
    claim = Claim(notice_id=number, fence=1, owner="me", lease_until=NOW, attempts=attempts, doubts=0, notice=notice())
    return NoticeStory(summary=summary, claim=claim, history=[entry])


def taken(message_id: str, text: str = "") -> LoggedRequest:
    return LoggedRequest(
        at=NOW,
        number=1,
        action="Publish",
        phone=PHONES["cust-1"],
        text=text or message_id,
        attributes={},
        accepted=True,
        message_id=message_id,
        reply="accept",
    )


def books(stories: Sequence[NoticeStory], requests: Sequence[LoggedRequest], recorded: int | None = None) -> Books:
    count = len(stories) if recorded is None else recorded
    return Books(stories=stories, requests=requests, phones=PHONES, recorded=count)


@pytest.mark.parametrize(
    "balanced",
    [
        books([story(1, "accepted", "m-1"), story(2, "pending")], [taken("m-1")]),
        books([story(1, "held")], [taken("m-1")]),
        books([story(1, "held")], []),
        books([], []),
    ],
)
def test_they_balance_if_phones_have_what_was_accepted_and_what_is_in_doubt(balanced: Books) -> None:
    assert balanced.disagreements() == []


@pytest.mark.parametrize(
    ("unbalanced", "words"),
    [
        (books([story(1, "accepted", "m-1")], [taken("m-1")], recorded=2), "recorded 2 notices, the outbox holds 1"),
        (books([story(1, "accepted", "m-1")], []), "1 accepted notices never reached"),
        (books([story(1, "accepted", "m-1")], [taken("m-1"), taken("m-2")]), "1 texts taken without proof"),
        (books([story(1, "accepted", "m-1"), story(2, "held")], [taken("m-1", "hi"), taken("m-2", "hi")]), "2 times"),
        (books([story(1, "failed")], [taken("m-1")]), "1 texts taken without proof"),
        (books([story(1, "failed")], []), "notice 1 is failed"),
        (books([story(1, "sending")], []), "notice 1 is sending"),
        (books([story(1, "pending", attempts=3)], []), "notice 1 is pending () after 3 attempts"),
        (msgspec.structs.replace(books([], []), unread=2), "2 records were published and never read"),
        (books([story(1, "held")], [msgspec.structs.replace(taken("m-1"), phone="+391")]), "that are nobody's"),
    ],
)
def test_they_say_what_does_not_add_up(unbalanced: Books, words: str) -> None:
    assert any(words in sentence for sentence in unbalanced.disagreements())


def test_somebody_who_ends_it_early_leaves_on_its_way_what_is_on_its_way() -> None:
    early = msgspec.structs.replace(books([story(1, "pending", attempts=1)], []), unread=5, interrupted=True)

    assert early.disagreements() == []


def test_a_notice_is_due_while_there_is_something_to_do_about_it_now() -> None:
    stories = [
        story(1, "pending"),
        story(2, "pending", not_before=timedelta(hours=8)),
        story(3, "in_doubt"),
        story(4, "accepted", "m-1"),
    ]

    assert due(stories, NOW) == 2


def test_waits_count_from_the_records_timestamp_to_the_request() -> None:
    late = msgspec.structs.replace(taken("m-1"), at=NOW + timedelta(seconds=6))

    assert books([story(1, "accepted", "m-1")], [late]).waits_s() == [10.0]


def test_a_percentile_is_one_of_the_values() -> None:
    assert [percentile([1.0, 2.0, 3.0, 4.0], share) for share in (0.0, 0.5, 0.99)] == [1.0, 3.0, 4.0]
