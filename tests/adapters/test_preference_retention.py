"""How long a topic keeps tombstones: asked seldom, waited for once, assumed where nobody answers."""

from collections.abc import Mapping
from concurrent.futures import Future
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from consumer.adapters.preference_table.retention import ASSUMED, Retention
from tests.preference_topics import lines

HOUR_MS = "3600000"


class Broker:
    """Answers each question as the test says, when it says so."""

    def __init__(self) -> None:
        self.questions: list[Future[Mapping[str, Any]]] = []

    def __call__(self) -> Future[Mapping[str, Any]]:
        self.questions.append(Future())
        return self.questions[-1]

    def answer(self, value: str | None) -> None:
        self.questions[-1].set_result({"delete.retention.ms": SimpleNamespace(value=value)})

    def refuse(self, code: int) -> None:
        self.questions[-1].set_exception(KafkaException(KafkaError(code)))


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def retention(broker: Broker) -> Retention:
    return Retention(broker, topic="preferences", timeout_s=0.01)


def test_nothing_is_waited_for_by_who_only_looks(retention: Retention, broker: Broker) -> None:
    assert (retention.look(), retention.look(), len(broker.questions)) == (ASSUMED, ASSUMED, 1)
    broker.answer(HOUR_MS)
    assert (retention.look(), len(broker.questions)) == (timedelta(hours=1), 1)
    retention.look()
    assert len(broker.questions) == 2


def test_who_must_know_takes_the_answer_to_the_question_that_is_open(retention: Retention, broker: Broker) -> None:
    retention.look()
    broker.answer(HOUR_MS)

    assert (retention.kept(), len(broker.questions)) == (timedelta(hours=1), 1)


@pytest.mark.parametrize(
    ("value", "kept"), [("0", timedelta(0)), ("-1", timedelta(0)), (str(2**63 - 1), timedelta(days=3650))]
)
def test_odd_answers_are_brought_within_what_makes_sense(
    retention: Retention, broker: Broker, value: str, kept: timedelta
) -> None:
    retention.look()
    broker.answer(value)

    assert retention.look() == kept


def test_without_the_right_to_ask_the_default_is_assumed_and_a_line_says_so_once(
    retention: Retention, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        retention.look()
        broker.refuse(KafkaError.TOPIC_AUTHORIZATION_FAILED)
        assert retention.kept() == ASSUMED

    expected = {"topic": "preferences", "code": "TOPIC_AUTHORIZATION_FAILED", "kept_s": 86_400}
    assert lines(caplog, "preferences_retention") == [expected]


def test_what_was_known_stays_known_while_nobody_answers(retention: Retention, broker: Broker) -> None:
    retention.look()
    broker.answer(HOUR_MS)
    retention.look()

    assert retention.kept() == timedelta(hours=1)


def test_an_answer_that_did_not_come_is_not_waited_for_again(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    impatient = Retention(broker, topic="preferences", timeout_s=0.01)
    assert impatient.kept() == ASSUMED
    assert [line["code"] for line in lines(caplog, "preferences_retention")] == ["no_answer"]

    asked = len(broker.questions)
    assert (impatient.kept(), impatient.kept(), len(broker.questions)) == (ASSUMED, ASSUMED, asked + 1)
    broker.answer(HOUR_MS)
    assert impatient.kept() == timedelta(hours=1)


def test_an_answer_without_a_number_is_none(
    retention: Retention, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    retention.look()
    broker.answer(None)

    assert retention.look() == ASSUMED
    assert [line["code"] for line in lines(caplog, "preferences_retention")] == ["no_number"]
