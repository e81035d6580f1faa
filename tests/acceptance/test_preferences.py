"""Preferences that cannot be read, and preferences that have become too few, as `avviso run` deals with them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from consumer.errors import ExitCode
from consumer.sandbox.sns_endpoint import ScriptedSns
from tests.acceptance.stage import Stage, eventually, preference_fields, transaction_fields
from tests.brokers import Kafka, fresh_topic

CUSTOMERS = 10


@pytest.fixture
def stage(kafka: Kafka, tmp_path: Path) -> Iterator[Stage]:
    with ScriptedSns() as sns:
        stage = Stage(kafka, sns, tmp_path, partitions=1)
        yield stage
        stage.close()


def phones(stage: Stage) -> list[str]:
    return [text.phone for text in stage.sns.accepted]


def test_who_says_what_cannot_be_read_is_told_nothing_until_they_are_heard_again(stage: Stage) -> None:
    anna, bruno = "+393401234567", "+393401234568"
    both = {"customer_ids": ["cust-1", "cust-2"]}
    stage.publish("AlertPreferences", "cust-1", preference_fields())
    stage.worker()
    stage.publish("TransactionPosted", "acc-1", transaction_fields(1, **both))
    eventually(lambda: phones(stage) == [anna], "a text")

    stage.publish_raw("AlertPreferences", "cust-1", b"\xc3\x01garbage")
    stage.publish("AlertPreferences", "cust-2", preference_fields(customer_id="cust-2", phone=bruno))
    (letter,) = stage.dead_letters(1)
    numbers = iter(range(2, 100))

    def told() -> list[str]:
        before = len(stage.sns.accepted)
        stage.publish("TransactionPosted", "acc-1", transaction_fields(next(numbers), **both))
        eventually(lambda: len(stage.sns.accepted) > before, "a text")
        return phones(stage)[before:]

    eventually(lambda: told() == [bruno], "the other holder alone is told")
    assert told() == [bruno]
    assert (letter.key(), letter.value()) == (b"cust-1", b"\xc3\x01garbage")
    headers = dict(letter.headers())
    assert headers["avviso-topic"].decode() == stage.topics["AlertPreferences"]
    assert stage.said("preference_refused") == 1

    stage.publish("AlertPreferences", "cust-1", preference_fields())
    eventually(lambda: anna in told(), "she is told again")


def test_a_topic_that_lost_most_of_its_customers_is_not_believed_before_an_operator_says_so(stage: Stage) -> None:
    for number in range(1, CUSTOMERS + 1):
        stage.publish("AlertPreferences", f"cust-{number}", preference_fields(customer_id=f"cust-{number}"))
    worker = stage.worker()
    stage.publish("TransactionPosted", "acc-1", transaction_fields(1))
    eventually(lambda: len(stage.sns.accepted) == 1, "a text")
    assert worker.stop() == ExitCode.OK

    stage.topics["AlertPreferences"] = fresh_topic(stage.kafka, "preferences", 1, {"cleanup.policy": "compact"})
    stage.publish("AlertPreferences", "cust-1", preference_fields())
    stage.publish("TransactionPosted", "acc-1", transaction_fields(2))
    waiting = stage.worker()
    eventually(lambda: stage.said("preferences_shrunken") == 1, "an alarm")
    eventually(lambda: stage.said("intake_paused") > 0, "intake waiting")
    assert waiting.stop() == ExitCode.OK
    assert len(stage.sns.accepted) == 1
    [alarm] = [line for line in stage.log_lines() if line["line"] == "preferences_shrunken"]
    *_, option, numbers = alarm["remedy"].split()

    assert (option, numbers) == ("--accept-preferences", f"1/{CUSTOMERS}")
    stage.worker(option, numbers)
    eventually(lambda: len(stage.sns.accepted) == 2, "the text that waited")
    assert (stage.said("preferences_accepted"), stage.said("preferences_replaced")) == (1, 1)


def test_an_acceptance_that_is_no_two_numbers_is_refused(stage: Stage) -> None:
    assert stage.worker("--accept-preferences", "5").ended() == ExitCode.SETTINGS
