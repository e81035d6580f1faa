"""With KIP-848 only the group's answers tell that a member is one, and what counts is when they were asked for."""

import pytest

from consumer.adapters.kafka_source.attendance import Attendance
from consumer.adapters.kafka_source.confirmation import Confirmation

SILENCE_S = 40.0
POLL_MAX_S = SILENCE_S / 4


class Lasting:
    """Of a group that bears with a member for 45 s, and wants to hear of it every 5 s."""

    silence_s = SILENCE_S


class Member:
    """One that asks when a test says so, and is answered when it says so."""

    def __init__(self, **settings: str | int) -> None:
        self.now_s = 1000.0
        self.confirmation = Confirmation()
        given: dict[str, str | int | float | bool] = {"group.protocol": "consumer"}
        given |= {name.replace("_", "."): value for name, value in settings.items()}
        self.attendance = Attendance(given, Lasting(), self.confirmation, lambda: self.now_s)  # type: ignore[arg-type]

    def asks(self) -> None:
        self.confirmation.asked(self.now_s)

    def hears(self, *, confirmed: bool = True, after_s: float = 0.0) -> bool:
        """An answer, so much later. Returns whether it is overdue then."""
        self.now_s += after_s
        self.confirmation.answered(confirmed=confirmed)
        return self.attendance.overdue

    def is_told(self, *, confirmed: bool = True) -> bool:
        """Asks, and is answered at once."""
        self.asks()
        return self.hears(confirmed=confirmed)


def test_one_answer_is_not_enough_and_two_are() -> None:
    member = Member()

    assert [member.attendance.overdue, member.is_told(), member.is_told()] == [True, True, False]
    assert member.attendance.unconfirmed is False


def test_a_poll_tells_nothing() -> None:
    member = Member()

    member.attendance.begin(1.0)
    member.attendance.end(empty=True)

    assert member.attendance.overdue


def test_it_counts_when_the_first_of_two_questions_was_asked() -> None:
    member = Member()
    member.asks()
    member.hears(after_s=15.0)
    member.asks()
    found = [member.hears(after_s=15.0)]

    for step_s in (9.9, 0.1):
        member.now_s += step_s
        found.append(member.attendance.overdue)

    assert found == [False, False, True]


def test_who_was_frozen_and_is_answered_just_before_its_session_ends_claims_nothing_before_the_next_answer() -> None:
    member = Member()
    member.is_told()
    member.is_told()

    member.now_s += 44.9
    found = [member.attendance.overdue, member.is_told()]
    member.now_s += 0.1
    found.append(member.is_told())

    assert found == [True, True, False]


def test_what_is_refused_does_not_count() -> None:
    member = Member()

    assert [member.is_told(confirmed=confirmed) for confirmed in (True, False, False, True)] == [
        True,
        True,
        True,
        False,
    ]


def test_who_is_told_that_it_is_no_member_claims_nothing_before_two_answers_more() -> None:
    member = Member()
    member.is_told()
    found = [member.is_told()]
    member.confirmation.ended()

    found += [member.attendance.overdue, member.is_told(), member.is_told()]

    assert found == [False, True, True, False]


def test_an_answer_that_comes_when_it_was_given_up_counts_for_the_question_that_was_asked_first() -> None:
    member = Member()
    member.is_told()
    member.asks()
    member.now_s += 120.0
    member.asks()

    late, its_own = member.hears(), member.hears()

    assert (late, its_own) == (True, True)
    assert [member.is_told(), member.is_told()] == [True, False]


def test_an_answer_to_nothing_that_was_asked_does_not_count() -> None:
    member = Member()
    member.is_told()

    assert member.hears()


@pytest.mark.parametrize("interval_s", [30.0, 300.0])
def test_it_is_overdue_when_its_session_may_have_ended_or_it_may_have_polled_too_late(interval_s: float) -> None:
    member = Member(max_poll_interval_ms=int(interval_s * 1000))
    member.is_told()
    member.is_told()

    found = []
    for step_s in (min(interval_s, SILENCE_S) - 0.1, 0.1):
        member.now_s += step_s
        found.append(member.attendance.overdue)

    assert found == [False, True]


def test_it_asks_at_once_until_it_is_confirmed_and_then_every_now_and_then() -> None:
    member = Member()
    found = [member.attendance.asks]
    for step_s in (0.0, 0.0, 4.9, 0.1):
        if len(found) < 3:
            member.is_told()
        member.now_s += step_s
        found.append(member.attendance.asks)

    assert found == [True, True, False, False, True]


def test_who_asks_as_late_as_it_may_and_is_answered_as_late_as_a_poll_waits_is_never_overdue() -> None:
    member = Member()
    member.is_told()
    member.is_told()

    for _ in range(10):
        member.now_s += SILENCE_S / 8
        assert member.attendance.asks
        member.asks()
        assert not member.attendance.overdue
        assert not member.hears(after_s=member.attendance.begin(POLL_MAX_S + 1.0))


def test_a_classic_member_asks_nothing_and_delivers_what_comes() -> None:
    member = Member(group_protocol="classic")
    member.now_s += 60.0

    assert member.attendance.overdue
    assert not member.attendance.asks
    assert not member.attendance.unconfirmed
