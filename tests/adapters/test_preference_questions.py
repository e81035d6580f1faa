"""What is asked about a topic: waited for once, never twice in vain, and assumed where nobody answers."""

from concurrent.futures import Future
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Uuid

from consumer.adapters.preference_table.questions import Administrator
from tests.preference_topics import lines

HOUR_MS = "3600000"
DAY = timedelta(hours=24)


class Broker(Administrator):
    """Answers each question as the test says, when it says so."""

    def __init__(self) -> None:
        super().__init__({}, topic="preferences", timeout_s=0.01)
        self.questions: list[Future[Any]] = []

    def _ask_configuration(self) -> "Future[Any]":
        self.questions.append(Future())
        return self.questions[-1]

    _ask_description = _ask_configuration

    def answer(self, value: str | None) -> None:
        self.questions[-1].set_result({"delete.retention.ms": SimpleNamespace(value=value)})

    def refuse(self, code: int) -> None:
        self.questions[-1].set_exception(KafkaException(KafkaError(code)))


@pytest.fixture
def broker() -> Broker:
    return Broker()


def test_nothing_is_waited_for_by_who_only_looks(broker: Broker) -> None:
    retention = broker.retention()

    retention.ask()
    retention.look()
    retention.ask()
    assert (retention.value, len(broker.questions)) == (DAY, 1)

    broker.answer(HOUR_MS)
    retention.look()
    retention.look()
    assert (retention.value, len(broker.questions)) == (timedelta(hours=1), 1)


def test_who_must_know_takes_the_answer_to_the_question_that_is_open(broker: Broker) -> None:
    retention = broker.retention()
    retention.wait()

    retention.ask()
    broker.answer(HOUR_MS)
    retention.wait()

    assert (retention.value, len(broker.questions)) == (timedelta(hours=1), 1)


@pytest.mark.parametrize(
    ("value", "kept"), [("0", timedelta(0)), ("-1", timedelta(0)), (str(2**63 - 1), timedelta(days=3650))]
)
def test_odd_answers_are_brought_within_what_makes_sense(broker: Broker, value: str, kept: timedelta) -> None:
    retention = broker.retention()

    retention.ask()
    broker.answer(value)
    retention.look()

    assert retention.value == kept


def test_without_the_right_to_ask_the_default_is_assumed_and_a_line_says_so_once(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    retention = broker.retention()

    for _ in range(3):
        retention.ask()
        broker.refuse(KafkaError.TOPIC_AUTHORIZATION_FAILED)
        retention.wait()

    assert retention.value == DAY
    expected = {"what": "delete.retention.ms", "topic": "preferences", "code": "TOPIC_AUTHORIZATION_FAILED"}
    assert lines(caplog, "topic_untold") == [expected]


def test_what_was_known_stays_known_while_nobody_answers(broker: Broker) -> None:
    retention = broker.retention()
    retention.ask()
    broker.answer(HOUR_MS)
    retention.look()

    retention.ask()
    retention.wait()

    assert retention.value == timedelta(hours=1)


def test_where_an_answer_did_not_come_none_is_waited_for_any_more(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    retention = broker.retention()
    retention.ask()
    retention.wait()
    assert [line["code"] for line in lines(caplog, "topic_untold")] == ["no_answer"]

    retention.ask()
    retention.wait()
    retention.ask()
    assert len(broker.questions) == 2

    broker.answer(HOUR_MS)
    retention.wait()
    assert retention.value == timedelta(hours=1)


def test_after_a_refusal_the_next_answer_is_waited_for(broker: Broker) -> None:
    retention = broker.retention()
    retention.ask()
    broker.refuse(KafkaError.UNKNOWN_TOPIC_OR_PART)
    retention.look()

    retention.ask()
    retention.wait()
    retention.ask()

    assert len(broker.questions) == 3


def test_an_answer_without_a_number_is_none(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    retention = broker.retention()
    retention.ask()
    broker.answer(None)
    retention.look()

    assert retention.value == DAY
    assert [line["code"] for line in lines(caplog, "topic_untold")] == ["no_sense"]


@pytest.mark.parametrize(("told", "known"), [(Uuid(7, 9), str(Uuid(7, 9))), (Uuid(0, 0), None)])
def test_brokers_without_ids_tell_none(broker: Broker, told: Uuid, known: str | None) -> None:
    identity = broker.identity()

    identity.ask()
    broker.questions[-1].set_result(SimpleNamespace(topic_id=told))
    identity.look()

    assert identity.value == known


def test_a_question_put_anew_is_not_answered_by_what_was_asked_before(broker: Broker) -> None:
    identity = broker.identity()
    identity.ask()
    broker.refuse(KafkaError.UNKNOWN_TOPIC_OR_PART)

    identity.ask_anew()
    broker.questions[-1].set_result(SimpleNamespace(topic_id=Uuid(7, 9)))
    identity.wait()

    assert (identity.value, identity.is_unknown_topic) == (str(Uuid(7, 9)), False)


def test_it_is_told_apart_when_there_is_no_such_topic(broker: Broker) -> None:
    identity = broker.identity()
    identity.ask()
    broker.refuse(KafkaError.UNKNOWN_TOPIC_OR_PART)
    identity.wait()

    assert identity.is_unknown_topic
