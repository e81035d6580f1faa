"""How long a member may go without a poll before it must listen again."""

from concurrent.futures import Future
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import ConfigEntry  # type: ignore[attr-defined]  # left out of its types

from consumer.adapters.kafka_source.attendance import Attendance
from consumer.adapters.kafka_source.confirmation import Confirmation
from consumer.adapters.kafka_source.session import Session

KIP_848: dict[str, str | int | float | bool] = {"group.protocol": "consumer"}


class Groups:
    """An asker, and its client: each question about a group's settings stays open until a test answers it."""

    def __init__(self) -> None:
        self.renewals = 0
        self.questions: list[Future[Any]] = []

    @property
    def client(self) -> "Groups":
        return self

    def describe_configs(self, resources: list[Any], *, request_timeout: float) -> dict[Any, Future[Any]]:
        self.questions.append(Future())
        return dict.fromkeys(resources, self.questions[-1])

    def say(self, session_ms: int, heartbeat_ms: int) -> None:
        times = {"consumer.session.timeout.ms": session_ms, "consumer.heartbeat.interval.ms": heartbeat_ms}
        self.questions[-1].set_result({name: ConfigEntry(name, str(value)) for name, value in times.items()})

    def fail(self, code: int) -> None:
        self.questions[-1].set_exception(KafkaException(KafkaError(code)))


@pytest.fixture
def groups() -> Groups:
    return Groups()


def session(settings: dict[str, str | int | float | bool], groups: Groups) -> Session:
    return Session(settings, groups, "group")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "limit_s"),
    [
        ({}, 42.0),
        ({"session.timeout.ms": "6000", "heartbeat.interval.ms": "1000"}, 5.0),
        ({"session.timeout.ms": "4000"}, 2.0),
        ({"max.poll.interval.ms": 30_000}, 30.0),
        ({"session.timeout.ms": 60_000, "max.poll.interval.ms": "400000"}, 57.0),
    ],
)
def test_it_is_overdue_when_the_group_may_have_given_it_up(
    settings: dict[str, str | int | float | bool], limit_s: float, groups: Groups
) -> None:
    now_s = [100.0]
    attendance = Attendance(settings, session(settings, groups), Confirmation(), lambda: now_s[0])

    found = []
    for step_s in (limit_s - 0.1, 0.1):
        now_s[0] += step_s
        found.append(attendance.overdue)
    polls(attendance, empty=True)

    assert [*found, attendance.overdue] == [False, True, False]


class Stalled:
    """A member that must hear of its group within 42 s, and has its last poll 50 s behind it."""

    def __init__(self, groups: Groups) -> None:
        self.now_s = 0.0
        self.attendance = Attendance({}, session({}, groups), Confirmation(), lambda: self.now_s)
        self.now_s = 50.0

    def overdue_after(self, step_s: float, *, empty: bool) -> bool:
        """A poll after so long."""
        self.now_s += step_s
        polls(self.attendance, empty=empty)
        return self.attendance.overdue


def polls(attendance: Attendance, *, empty: bool, wait_s: float = 1.0) -> None:
    attendance.begin(wait_s)
    attendance.end(empty=empty)


def test_records_that_come_first_after_a_stall_may_have_been_fetched_before_it(groups: Groups) -> None:
    member = Stalled(groups)

    found = [member.overdue_after(0.1, empty=empty) for empty in (False, False, True, False)]

    assert found == [True, True, False, False]


def test_a_poll_that_does_not_wait_hears_nothing_after_a_stall(groups: Groups) -> None:
    member = Stalled(groups)

    for wait_s, hears in ((0.0, False), (0.02, False), (0.1, True)):
        polls(member.attendance, empty=True, wait_s=wait_s)
        assert member.attendance.overdue is not hears


def test_a_poll_that_was_frozen_itself_tells_nothing_of_the_time_since_it_began(groups: Groups) -> None:
    member = Stalled(groups)
    member.attendance.begin(1.0)
    member.now_s += 50.0
    member.attendance.end(empty=True)

    assert member.attendance.overdue
    assert not member.overdue_after(1.0, empty=True)


def test_a_poll_that_waits_is_none_that_was_frozen(groups: Groups) -> None:
    now_s = [0.0]
    short: dict[str, str | int | float | bool] = {"session.timeout.ms": 6000}
    attendance = Attendance(short, session(short, groups), Confirmation(), lambda: now_s[0])

    for empty in (True, False):
        now_s[0] += attendance.begin(10.0)
        attendance.end(empty=empty)

    assert now_s == [1.5]
    assert not attendance.overdue


def test_who_is_never_polled_empty_has_heard_after_as_long_again(groups: Groups) -> None:
    member = Stalled(groups)

    found = [member.overdue_after(step_s, empty=False) for step_s in (0.0, 20.0, 20.0, 2.0, 30.0)]

    assert found == [True, True, True, False, False]


def test_another_stall_begins_that_time_anew(groups: Groups) -> None:
    member = Stalled(groups)

    found = [member.overdue_after(step_s, empty=False) for step_s in (0.0, 41.0, 42.0, 41.0, 1.0)]

    assert found == [True, True, True, True, False]


def test_a_classic_group_is_not_asked(groups: Groups) -> None:
    assert session({}, groups).silence_s == 42.0
    assert groups.questions == []


def test_with_kip_848_it_is_the_group_s_own_session_that_counts(groups: Groups) -> None:
    asked = session(KIP_848, groups)
    before = asked.silence_s

    groups.say(8000, 500)

    assert (before, asked.silence_s, asked.silence_s) == (35.0, 7.0, 7.0)
    assert len(groups.questions) == 1


def test_without_the_right_to_ask_the_brokers_default_counts(groups: Groups) -> None:
    asked = session(KIP_848, groups)

    groups.fail(KafkaError.GROUP_AUTHORIZATION_FAILED)

    assert asked.silence_s == asked.silence_s == 35.0
    assert len(groups.questions) == 1


def test_who_does_not_answer_is_asked_again(groups: Groups) -> None:
    asked = session(KIP_848, groups)
    groups.fail(KafkaError._TIMED_OUT)
    before = asked.silence_s

    groups.say(8000, 500)

    assert (before, asked.silence_s) == (35.0, 7.0)


def test_what_the_old_client_was_asked_is_asked_again(groups: Groups) -> None:
    asked = session(KIP_848, groups)
    groups.renewals += 1
    before = asked.silence_s

    groups.say(8000, 500)

    assert (before, asked.silence_s, len(groups.questions)) == (35.0, 7.0, 2)


def test_a_broker_that_does_not_say_has_the_default(groups: Groups) -> None:
    asked = session(KIP_848, groups)

    groups.questions[-1].set_result({})

    assert asked.silence_s == 35.0
