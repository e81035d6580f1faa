"""`avviso run` as an operator has it: started, looked into, refused, stopped."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from consumer.errors import ExitCode
from consumer.sandbox.sns_endpoint import ScriptedSns
from consumer.sandbox.sns_script import Hang
from tests.acceptance.stage import (
    REPOSITORY,
    Stage,
    alert_fields,
    eventually,
    preference_fields,
    transaction_fields,
)
from tests.brokers import Kafka


@pytest.fixture
def sns() -> Iterator[ScriptedSns]:
    with ScriptedSns() as endpoint:
        yield endpoint


@pytest.fixture
def stage(kafka: Kafka, sns: ScriptedSns, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(kafka, sns, tmp_path)
    yield stage
    stage.close()


def avviso(environ: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "consumer", *arguments],
        cwd=REPOSITORY,
        env=dict(environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_event_becomes_one_masked_text_in_the_customers_language_and_can_be_explained(stage: Stage) -> None:
    stage.publish("AlertPreferences", "cust-1", preference_fields(language="it"))
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    stage.publish("TransactionPosted", "acc-1", transaction_fields(1), {"traceparent": traceparent.encode()})
    worker = stage.worker()
    eventually(lambda: len(stage.sns.accepted) == 1, "a text")

    (text,) = stage.sns.accepted
    assert text.phone == "+393401234567"
    assert "EUR 210,01" in text.text
    assert "4242" in text.text
    assert "IT60X0542811101000000123456" not in text.text
    assert text.attributes["AWS.SNS.SMS.SMSType"] == "Transactional"

    eventually(lambda: stage.states() == {"accepted": 1}, "the notice accepted")
    listed = json.loads(avviso(stage.environ(), "outbox", "list", "--json").stdout)
    notice_id = str(listed[0]["notice_id"])
    story = avviso(stage.environ(), "outbox", "show", notice_id)
    stats = json.loads(avviso(stage.environ(), "outbox", "stats", "--json").stdout)
    assert worker.stop() == ExitCode.OK

    assert story.returncode == 0
    for words in ("large_debit", "evt-1", traceparent, "threshold 100", text.message_id, "claim", "begin", "accept"):
        assert words in story.stdout
    assert "+393401234567" not in story.stdout
    assert text.text not in story.stdout
    assert {state: count for state, count in stats.items() if count} == {"accepted": 1}


def test_preferences_that_change_or_go_are_followed_while_it_runs(stage: Stage) -> None:
    stage.publish("AlertPreferences", "cust-1", preference_fields())
    stage.publish("AlertPreferences", "cust-2", preference_fields(customer_id="cust-2", phone="+393401234568"))
    stage.worker()
    both: dict[str, Any] = {"customer_ids": ["cust-1", "cust-2"]}
    stage.publish("TransactionPosted", "acc-1", transaction_fields(1, **both))
    eventually(lambda: len(stage.sns.accepted) == 2, "a text to both holders")

    stage.publish_raw("AlertPreferences", "cust-1", None)
    stage.publish("AlertPreferences", "cust-2", preference_fields(customer_id="cust-2", phone="+393401234569"))
    numbers = iter(range(2, 100))

    def only_the_new_phone_is_told() -> bool:
        before = len(stage.sns.accepted)
        stage.publish("TransactionPosted", "acc-1", transaction_fields(next(numbers), **both))
        eventually(lambda: len(stage.sns.accepted) > before, "a text")
        return [text.phone for text in stage.sns.accepted[-1:]] == ["+393401234569"]

    eventually(only_the_new_phone_is_told, "the tombstone and the new phone in force")


def test_what_cannot_be_read_is_set_aside_as_it_was_with_its_reason(stage: Stage) -> None:
    stage.publish("AlertPreferences", "cust-1", preference_fields())
    stage.publish_raw("TransactionPosted", "acc-1", b"\x00\x00\x00\x00\x09abc", {"origin": b"core"})
    stage.publish("TransactionPosted", "acc-1", transaction_fields(1))
    stage.worker()
    eventually(lambda: len(stage.sns.accepted) == 1, "the text of the record behind it")

    (letter,) = stage.dead_letters(1)

    headers = dict(letter.headers())
    assert (letter.key(), letter.value(), headers["origin"]) == (b"acc-1", b"\x00\x00\x00\x00\x09abc", b"core")
    assert headers["avviso-reason"] == b"no_registry"
    assert headers["avviso-topic"].decode() == stage.topics["TransactionPosted"]
    assert headers["avviso-offset"] == b"0"


def test_a_second_worker_on_the_same_outbox_is_refused(stage: Stage) -> None:
    stage.publish("AlertPreferences", "cust-1", preference_fields())
    stage.publish("TransactionPosted", "acc-1", transaction_fields(1))
    first = stage.worker()
    eventually(lambda: len(stage.sns.accepted) == 1, "a text")

    second = stage.worker(AVVISO_PREFERENCES__PATH=str(stage.folder / "other.lmdb"))

    assert second.ended() == ExitCode.OUTBOX_IN_USE
    assert first.process.poll() is None


def test_an_outbox_of_another_group_is_refused(stage: Stage) -> None:
    stage.publish("AlertPreferences", "cust-1", preference_fields())
    stage.publish("TransactionPosted", "acc-1", transaction_fields(1))
    worker = stage.worker()
    eventually(lambda: len(stage.sns.accepted) == 1, "a text")
    assert worker.stop() == ExitCode.OK

    assert stage.worker(AVVISO_GROUP_ID="another").ended() == ExitCode.OUTBOX_FOREIGN


@pytest.mark.real
def test_a_worker_that_does_not_own_every_partition_ends_by_itself(stage: Stage) -> None:
    stage.publish("AlertPreferences", "cust-1", preference_fields())
    stage.publish("TransactionPosted", "acc-1", transaction_fields(1))
    first = stage.worker(AVVISO_INTAKE__SOLE_OWNER_PATIENCE_S="5")
    eventually(lambda: len(stage.sns.accepted) == 1, "a text")

    second = stage.worker(
        AVVISO_INTAKE__SOLE_OWNER_PATIENCE_S="5",
        AVVISO_OUTBOX__URL=f"sqlite:///{stage.folder / 'second.sqlite'}",
        AVVISO_PREFERENCES__PATH=str(stage.folder / "second.lmdb"),
    )

    codes: list[int] = []

    def one_has_ended() -> bool:
        codes[:] = [code for worker in (first, second) if (code := worker.process.poll()) is not None]
        return bool(codes)

    eventually(one_has_ended, "one of the two ended", 90.0)
    assert codes[0] == ExitCode.NOT_SOLE_OWNER


def test_sigterm_lets_the_call_in_flight_end_and_settles_it(stage: Stage) -> None:
    stage.sns.then(Hang(accepts=True, for_s=2.0))
    stage.publish("AlertPreferences", "cust-1", preference_fields())
    stage.publish("TransactionPosted", "acc-1", transaction_fields(1))
    worker = stage.worker()
    eventually(lambda: len(stage.sns.publishes) == 1, "a call in flight")

    assert worker.stop() == ExitCode.OK

    assert stage.states() == {"accepted": 1}
    again = stage.worker()
    eventually(lambda: stage.said("partitions_assigned") == 2, "the next process at work")
    assert again.stop() == ExitCode.OK
    assert len(stage.sns.publishes) == 1


def test_without_a_key_for_pseudonyms_it_does_not_start_and_says_what_to_do(stage: Stage) -> None:
    environ = {name: value for name, value in stage.environ().items() if name != "AVVISO_PSEUDONYM_KEY"}

    refused = avviso(environ | {"AVVISO_GRUOP_ID": "x"}, "run")

    assert refused.returncode == ExitCode.SETTINGS
    assert "AVVISO_PSEUDONYM_KEY" in refused.stderr
    assert "AVVISO_GRUOP_ID: is no setting; did you mean AVVISO_GROUP_ID?" in refused.stderr


def test_an_alert_kind_of_the_banks_own_needs_only_a_catalogue_and_texts(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "alerts.yaml").write_text(
        (REPOSITORY / "consumer" / "alerts.yaml").read_text()
        + "\n  fee_charged:\n    class: transaction\n    rule: debit_from_threshold\n    repeat: every_time\n"
        + "    thresholds:\n      EUR: 0\n"
    )
    texts = tmp_path / "texts"
    texts.mkdir()
    for language, words in {"en": "A fee was charged on", "it": "Una spesa addebitata il"}.items():
        shipped = (REPOSITORY / "consumer" / "texts" / f"{language}.ftl").read_text()
        variants = "".join(f"    .{level} = {words} {{ $date }} {{ $time }}\n" for level in ("none", "some", "full"))
        (texts / f"{language}.ftl").write_text(f"{shipped}\nfee_charged =\n{variants}")
    environ = stage.environ(AVVISO_CATALOGUE_PATH=str(tmp_path / "alerts.yaml"), AVVISO_TEXTS_PATH=str(texts))

    kinds = avviso(environ, "decide", "--event", str(event_file(tmp_path)), "--preferences", str(asked(tmp_path)))

    assert kinds.returncode == 0, kinds.stderr
    assert "notify, fee_charged" in kinds.stdout


def event_file(folder: Path) -> Path:
    fields = transaction_fields(1, amount="3.50", channel="FEE")
    fields |= {"type": "TransactionPosted", "occurred_at": fields["occurred_at"].isoformat()}
    path = folder / "event.json"
    path.write_text(json.dumps(fields))
    return path


def asked(folder: Path) -> Path:
    fields = preference_fields(alerts=[alert_fields("fee_charged")], detail_level="NONE")
    path = folder / "preferences.json"
    path.write_text(json.dumps(fields, default=lambda value: str(value) if isinstance(value, Decimal) else None))
    return path
