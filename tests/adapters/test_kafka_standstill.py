"""What stands still for long is told once, and once that it is over."""

import io
import json

from consumer.adapters.kafka_source.standstill import Standstill


def said(log: io.StringIO) -> list[tuple[str, str]]:
    return [(one["level"], one["line"]) for one in map(json.loads, log.getvalue().splitlines())]


def test_a_minute_of_it_is_an_alarm_once_and_its_end_is_told(log: io.StringIO) -> None:
    now_s = [0.0]
    standstill = Standstill(lambda: now_s[0])

    for step_s, stands in ((0.0, True), (59.9, True), (0.1, True), (100.0, True), (1.0, False), (1.0, False)):
        now_s[0] += step_s
        standstill.see(stands=stands)

    assert said(log) == [("error", "intake_paused"), ("info", "intake_resumed")]


def test_what_goes_on_in_time_is_not_told_and_the_next_one_counts_from_its_own_beginning(log: io.StringIO) -> None:
    now_s = [0.0]
    standstill = Standstill(lambda: now_s[0])

    for step_s, stands in ((0.0, True), (59.0, True), (1.0, False), (1.0, True), (59.0, True)):
        now_s[0] += step_s
        standstill.see(stands=stands)

    assert said(log) == []
