"""Preferences that cannot be read, and preferences that have become too few, as `avviso run` deals with them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from consumer.errors import ExitCode
from consumer.sandbox.sns_endpoint import ScriptedSns
from tests.acceptance.stage import REPOSITORY, Stage, alert_fields, eventually, preference_fields, transaction_fields
from tests.brokers import Kafka, fresh, fresh_topic

CUSTOMERS, RUN_MAX = 10, 5


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

    numbers = iter(range(2, 1000))

    def told() -> set[str]:
        before = len(stage.sns.accepted)
        stage.publish("TransactionPosted", "acc-1", transaction_fields(next(numbers), **both))
        eventually(lambda: len(stage.sns.accepted) > before, "a text")
        return set(phones(stage)[before:])

    stage.publish("AlertPreferences", "cust-2", preference_fields(customer_id="cust-2", phone=bruno))
    eventually(lambda: bruno in told(), "the other holder is told as well")
    stage.publish_raw("AlertPreferences", "cust-1", b"\xc3\x01garbage")
    (letter,) = stage.dead_letters(1)
    eventually(lambda: told() == {bruno}, "the other holder alone is told")
    assert told() == {bruno}
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


def test_a_flood_of_what_cannot_be_read_silences_nobody_and_is_set_aside_only_by_an_operator(
    stage: Stage, tmp_path: Path
) -> None:
    """Kafka may deliver less than all at once, so a few letters may be written; never the one that makes a flood."""
    fraud = tmp_path / "alerts.yaml"
    shipped = (REPOSITORY / "consumer" / "alerts.yaml").read_text()
    fraud.write_text(shipped.replace("    class: security\n", "    class: security\n    mandatory: true\n"))
    settings = {"AVVISO_FLOOD__RUN_MAX": str(RUN_MAX), "AVVISO_CATALOGUE_PATH": str(fraud)}
    silent = preference_fields(alerts=[alert_fields("card_not_present") | {"enabled": False}])

    def steal(number: int, texts: int) -> None:
        stage.publish("TransactionPosted", "acc-1", transaction_fields(number, channel="ECOMMERCE"))
        eventually(lambda: len(stage.sns.accepted) == texts, "a fraud alert")

    stage.publish("AlertPreferences", "cust-1", silent)
    first = stage.worker(**settings)
    steal(1, 1)
    for number in range(CUSTOMERS):
        stage.publish_raw("AlertPreferences", f"cust-{number}", b"\xc3\x01garbage")
    eventually(lambda: stage.said("preferences_flooded") == 1, "an alarm")
    steal(2, 2)
    before = stage.said("preference_refused")
    assert first.stop() == ExitCode.OK
    assert before < RUN_MAX

    again = stage.worker(**settings)
    eventually(lambda: stage.said("preferences_flooded") == 2, "the same alarm after a restart")
    stage.publish("TransactionPosted", "acc-1", transaction_fields(3, channel="ECOMMERCE"))
    eventually(lambda: stage.said("intake_paused") > 0, "intake waiting")
    assert again.stop() == ExitCode.OK
    assert (len(stage.sns.accepted), stage.said("preference_refused")) == (2, before)

    alarm = [line for line in stage.log_lines() if line["line"] == "preferences_flooded"][-1]
    assert (alarm["topic"], alarm["state"]) == (stage.topics["AlertPreferences"], "not_believed")
    *_, option, until = alarm["remedy"].split()
    until = f"{until.rpartition(':')[0]}:{1 + CUSTOMERS}"
    stage.worker(option, until, **settings)
    eventually(lambda: len(stage.sns.accepted) == 3, "the fraud alert that waited")
    assert (option, stage.said("preference_refused")) == ("--accept-dead-letters-until", CUSTOMERS)
    assert len(stage.dead_letters(CUSTOMERS)) == CUSTOMERS


def test_a_second_process_on_the_folder_of_preferences_ends_and_leaves_the_first_alone(stage: Stage) -> None:
    stage.publish("AlertPreferences", "cust-1", preference_fields())
    stage.worker()
    stage.publish("TransactionPosted", "acc-1", transaction_fields(1))
    eventually(lambda: len(stage.sns.accepted) == 1, "a text")

    elsewhere = {"AVVISO_GROUP_ID": fresh("group"), "AVVISO_OUTBOX__URL": f"sqlite:///{stage.folder / 'other.sqlite'}"}
    assert stage.worker(**elsewhere).ended() == ExitCode.PREFERENCES_IN_USE

    stage.publish("TransactionPosted", "acc-1", transaction_fields(2))
    eventually(lambda: len(stage.sns.accepted) == 2, "a text of the first one")
