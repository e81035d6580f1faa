"""From the outbox to the wire: real boto3, a scripted SNS, and what the endpoint's own log says was taken."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from consumer.sandbox.sns_endpoint import ScriptedSns
from consumer.sandbox.sns_script import THROTTLE, Drop, Hang, Refuse
from tests.builders import PHONE
from tests.contracts.sns_bench import SECRETS, forget_the_developers_aws, provider
from tests.dispatch.rig import Rig

NOT_ALLOWED = Refuse(status=403, code="AuthorizationError")
BAD_SENDER = Refuse(status=400, code="InvalidParameter", message="Invalid parameter: AWS.SNS.SMS.SenderID")


@pytest.fixture
def sns() -> Iterator[ScriptedSns]:
    with ScriptedSns(secrets=SECRETS) as endpoint:
        yield endpoint


@pytest.fixture
def rig(tmp_path: Path, sns: ScriptedSns, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    forget_the_developers_aws(monkeypatch, tmp_path)
    made = Rig(tmp_path, provider=provider(sns.url, read_timeout_s=1.0))
    yield made
    made.close()


def test_a_notice_becomes_one_text_on_one_phone_with_its_proof(rig: Rig, sns: ScriptedSns) -> None:
    rig.record()

    rig.run()

    (taken,) = sns.accepted
    assert taken.phone == PHONE
    assert taken.text.startswith("Debit")
    assert taken.attributes["AWS.SNS.SMS.SMSType"] == "Transactional"
    story = rig.reader.show(1)
    assert story is not None
    assert story.summary.state == "accepted"
    assert story.history[-1].detail["message_id"] == taken.message_id


def test_a_throttled_text_is_taken_once_at_the_second_try(rig: Rig, sns: ScriptedSns) -> None:
    sns.then(THROTTLE)
    rig.record()

    rig.run()
    rig.clock.advance(5)
    rig.run()

    assert rig.standing() == ("accepted", "accepted")
    assert len(sns.publishes) == 2
    assert len(sns.accepted) == 1


@pytest.mark.parametrize("lost", [Drop(accepts=True), Hang(accepts=True)], ids=["dropped", "hanging"])
def test_a_text_whose_reply_was_lost_is_taken_once_and_in_doubt(rig: Rig, sns: ScriptedSns, lost: Drop | Hang) -> None:
    sns.then(lost)
    rig.record()

    rig.run()
    rig.clock.advance(60)
    rig.run()

    assert rig.standing()[0] == "in_doubt"
    assert len(sns.accepted) == 1


def test_a_key_without_the_right_to_send_stops_sending_and_one_trial_starts_it_again(
    rig: Rig, sns: ScriptedSns
) -> None:
    sns.then(NOT_ALLOWED, NOT_ALLOWED)
    sns.then(NOT_ALLOWED, action="GetSMSAttributes")
    for _ in range(3):
        rig.record()

    rig.run()
    rig.clock.advance(30)
    rig.run()
    tried = [request.number for request in sns.publishes]
    assert len(tried) == 2
    rig.clock.advance(60)
    for _ in range(5):
        rig.run()
        rig.clock.advance(5)

    assert [request.action for request in sns.requests[:4]] == [
        "Publish",
        "GetSMSAttributes",
        "Publish",
        "GetSMSAttributes",
    ]
    assert [rig.standing(n)[0] for n in (1, 2, 3)] == ["accepted"] * 3
    assert len(sns.accepted) == 3


def test_a_sender_that_is_refused_stops_the_class_and_country_but_not_the_provider(rig: Rig, sns: ScriptedSns) -> None:
    sns.then(BAD_SENDER)
    rig.record()
    rig.record()

    rig.run()

    assert rig.standing(1) == ("pending", "InvalidParameter")
    assert rig.standing(2) == ("pending", "breaker")
    assert len(sns.requests) == 1
