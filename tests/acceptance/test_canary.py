"""Known private values go into everything that comes in, and are looked for in all that goes out but the text itself."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from consumer.sandbox.sns_endpoint import ScriptedSns
from consumer.sandbox.sns_script import (
    ACCEPT,
    LOSE_REPLY,
    THROTTLE,
    Answer,
    Behaviour,
    Hang,
    Refuse,
    Request,
    Spoil,
    Spoiling,
)
from consumer.telemetry import Fields
from tests.acceptance.stage import (
    Stage,
    alert_fields,
    eventually,
    preference_fields,
    transaction_fields,
)
from tests.brokers import Kafka

PHONE = "+393409876543"
IBAN = "IT31C0300203280775133415221"
ACCOUNT_ID = "core-account-77120934"
CARD = "4556737586899855"
NAME = "Ermenegilda Canarini"
PRIVATE = (PHONE, PHONE[1:], PHONE[-8:], IBAN, IBAN[-12:], ACCOUNT_ID, CARD, "Ermenegilda", "Canarini")

_FAULTS: tuple[Behaviour, ...] = (
    Refuse(status=400, code="InvalidParameter", message=f"Invalid parameter: PhoneNumber Reason: {PHONE} is not valid"),
    THROTTLE,
    LOSE_REPLY,
    Answer(status=503, body=f"<html>{PHONE}</html>".encode()),
    Spoil(how=Spoiling.CUT),
    Hang(accepts=False, for_s=3.0),
    *[ACCEPT] * 6,
    Refuse(status=400, code="OptedOut", message=f"{PHONE} has opted out"),  # nothing more goes there afterwards
)


class Faults:
    """The first publishes fail, each in another way that repeats the number; in the end the number opts out."""

    def __init__(self) -> None:
        self._left = list(_FAULTS)

    def __call__(self, request: Request) -> Behaviour:
        return self._left.pop(0) if request.action == "Publish" and self._left else ACCEPT


@pytest.fixture
def stage(kafka: Kafka, tmp_path: Path) -> Iterator[Stage]:
    with ScriptedSns(otherwise=Faults()) as sns:
        stage = Stage(kafka, sns, tmp_path)
        yield stage
        stage.close()


def test_nothing_private_is_in_a_log_line_a_dead_letter_header_or_a_column_of_the_outbox(stage: Stage) -> None:
    publish_private(stage)
    fragile = {
        "AVVISO_LOG_LEVEL": "debug",
        "AVVISO_SNS__READ_TIMEOUT_S": "1",
        "AVVISO_BREAKER__FIRST_S": "0.5",
        "AVVISO_BREAKER__LONGEST_S": "1",
        "AVVISO_DISPATCH__BACKOFF_FIRST_S": "0.2",
        "AVVISO_DISPATCH__DOUBT_S": "15",
    }
    worker = stage.worker(**fragile)
    eventually(lambda: len(stage.sns.accepted) >= 6, "texts in spite of the faults")
    letters = stage.dead_letters(4)
    worker.kill()
    worker = stage.worker(**fragile)
    eventually(
        lambda: not set(stage.states()) & {"pending", "claimed", "sending", "in_doubt"}, "an end of every notice"
    )
    assert worker.stop() == 0

    texts = {request.text for request in stage.sns.requests if request.text}
    assert len(letters) == 4
    assert set(stage.states()) >= {"accepted", "held", "failed"}
    must_not_hold(stage.log.read_bytes(), "the log", texts)
    for letter in letters:
        ours = [
            header for header in letter.headers() if header[0].startswith("avviso-")
        ]  # the others are the bank's own
        must_not_hold(repr(ours).encode(), "a dead letter's headers", texts)
    for file in stage.outbox.parent.glob("outbox.sqlite*"):
        must_not_hold(file.read_bytes(), f"the outbox ({file.name})", texts)


def test_a_log_line_has_only_keys_that_are_allowed(stage: Stage) -> None:
    publish_private(stage)
    worker = stage.worker(AVVISO_LOG_LEVEL="debug", AVVISO_SNS__READ_TIMEOUT_S="1")
    eventually(lambda: bool(stage.sns.accepted), "a text")
    assert worker.stop() == 0

    keys = {key for line in stage.log_lines() for key in line}

    assert keys <= {"at", "level", "line", *Fields.__annotations__}


def publish_private(stage: Stage) -> None:
    """A customer who sees amounts only, a card number in a name, and four records that cannot be read."""
    asked = [alert_fields("large_debit", "100"), alert_fields("card_not_present")]
    customer = preference_fields(phone=PHONE, detail_level="SOME", alerts=asked)
    stage.publish("AlertPreferences", "cust-1", customer)
    for number in range(1, 16):
        fields = transaction_fields(
            number,
            account_id=ACCOUNT_ID,
            account_number=IBAN,
            counterparty_name=f"{NAME} {CARD}",
            balance_after=Decimal("77.00"),
            channel="ECOMMERCE" if number % 3 == 0 else "CARD_PRESENT",
        )
        stage.publish("TransactionPosted", ACCOUNT_ID, fields)
    private = f"{NAME}|{PHONE}|{IBAN}|{CARD}".encode()
    stage.publish_raw("TransactionPosted", PHONE, private)
    stage.publish_raw("TransactionPosted", IBAN, b"\x00\x00\x00\x00\x07" + private)
    stage.publish_raw("BalanceChanged", NAME, b"\xc3\x01" + bytes(8) + private, {"note": private})
    stage.publish_raw("BalanceChanged", CARD, None)


def must_not_hold(content: bytes, where: str, texts: set[str]) -> None:
    """Fails by saying where, and by no more than the place of the value in this test's list."""
    found = [index for index, value in enumerate(PRIVATE) if value.encode() in content]
    assert not found, f"{where} holds private values {found}"
    assert not [text for text in texts if text.encode() in content], f"{where} holds a text"
