"""How long a member may go without a poll before it must listen again."""

import pytest

from consumer.adapters.kafka_source.attendance import Attendance


@pytest.mark.parametrize(
    ("settings", "limit_s"),
    [
        ({}, 45.0),
        ({"session.timeout.ms": "6000"}, 6.0),
        ({"max.poll.interval.ms": 30_000}, 30.0),
        ({"session.timeout.ms": 60_000, "max.poll.interval.ms": "400000"}, 60.0),
    ],
)
def test_it_is_overdue_when_the_group_may_have_given_it_up(
    settings: dict[str, str | int | float | bool], limit_s: float
) -> None:
    now_s = [100.0]
    attendance = Attendance(settings, lambda: now_s[0])

    found = []
    for step_s in (limit_s - 0.1, 0.1):
        now_s[0] += step_s
        found.append(attendance.overdue)
    attendance.listened()

    assert [*found, attendance.overdue] == [False, True, False]
