"""The scripted endpoint itself: it refuses what AWS refuses, remembers every request, and fails on command."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from consumer.core.delivery import Accepted, Failure
from consumer.sandbox.sns_endpoint import ScriptedSns
from consumer.sandbox.sns_log import read_log
from consumer.sandbox.sns_script import ACCEPT, THROTTLE, Behaviour, Hang, Request
from tests.contracts.sns_bench import KEY, REGION, SECRETS, forget_the_developers_aws, provider, sms

PHONE = "+393401234567"


@pytest.fixture(autouse=True)
def nobodys_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    forget_the_developers_aws(monkeypatch, tmp_path)


@pytest.fixture
def sns() -> Iterator[ScriptedSns]:
    with ScriptedSns(secrets=SECRETS) as endpoint:
        yield endpoint


def client(sns: ScriptedSns, *, key: str = KEY.access_key_id, secret: str = KEY.secret_access_key) -> Any:
    """boto3 as anyone uses it, but without its check of parameters: AWS would have to refuse them."""
    config = Config(parameter_validation=False, retries={"total_max_attempts": 1, "mode": "standard"})
    return boto3.Session(key, secret, region_name=REGION).client("sns", endpoint_url=sns.url, config=config)


def string(value: str, data_type: str = "String") -> dict[str, str]:
    return {"DataType": data_type, "StringValue": value}


def refusal(sns: ScriptedSns, **parameters: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as found:
        client(sns).publish(**parameters)
    return found.value.response["ResponseMetadata"]["HTTPStatusCode"], found.value.response["Error"]["Code"]


@pytest.mark.parametrize(
    "phone", ["12345", "393401234567", "+0393401234567", "+39340", "+3934012345678901", "+39x", "+"]
)
def test_a_number_that_is_not_e164_is_refused(sns: ScriptedSns, phone: str) -> None:
    assert refusal(sns, PhoneNumber=phone, Message="text") == (400, "InvalidParameter")
    assert sns.accepted == ()


@pytest.mark.parametrize("text", ["", "x" * 1601])
def test_a_text_that_is_empty_or_too_long_is_refused(sns: ScriptedSns, text: str) -> None:
    assert refusal(sns, PhoneNumber=PHONE, Message=text) == (400, "InvalidParameter")


def test_a_text_to_no_phone_is_refused(sns: ScriptedSns) -> None:
    assert refusal(sns, Message="text") == (400, "InvalidParameter")


def test_a_text_to_a_phone_and_a_topic_is_refused(sns: ScriptedSns) -> None:
    topic = "arn:aws:sns:eu-south-1:111122223333:bank"

    assert refusal(sns, PhoneNumber=PHONE, TopicArn=topic, Message="text") == (400, "InvalidParameter")
    assert refusal(sns, TopicArn=topic, Message="text") == (404, "NotFound")


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("AWS.SNS.SMS.SenderID", string("ab"), "InvalidParameter"),
        ("AWS.SNS.SMS.SenderID", string("twelve-chars"), "InvalidParameter"),
        ("AWS.SNS.SMS.SenderID", string("123456"), "InvalidParameter"),
        ("AWS.SNS.SMS.SenderID", string("12", "Number"), "InvalidParameter"),
        ("AWS.SNS.SMS.SMSType", string("transactional"), "InvalidParameter"),
        ("AWS.SNS.SMS.SMSType", string(""), "ParameterValueInvalid"),
        ("AWS.SNS.SMS.SMSType", string("Transactional", "Text"), "ParameterValueInvalid"),
        ("AWS.SNS.SMS.SMSType", {"StringValue": "Transactional"}, "ParameterValueInvalid"),
        ("AWS.SNS.SMS.MaxPrice", string("dear", "Number"), "InvalidParameter"),
        ("AWS.MM.SMS.OriginationNumber", string("1234"), "InvalidParameter"),
        ("AWS.SNS.SMS.SenderId", string("MyBank"), "ParameterValueInvalid"),
        ("AWS.SNS.SMS.Unheard", string("of"), "ParameterValueInvalid"),
        ("mine", string("1", "Text"), "ParameterValueInvalid"),
    ],
)
def test_an_attribute_that_aws_would_refuse_is_refused(
    sns: ScriptedSns, name: str, value: dict[str, str], code: str
) -> None:
    refused = refusal(sns, PhoneNumber=PHONE, Message="text", MessageAttributes={name: value})

    assert refused == (400, code)


def test_every_attribute_of_aws_and_of_ones_own_is_taken_with_a_right_value(sns: ScriptedSns) -> None:
    attributes = {
        "AWS.SNS.SMS.SenderID": string("My-Bank1"),
        "AWS.SNS.SMS.SMSType": string("Promotional"),
        "AWS.SNS.SMS.MaxPrice": string("0.50", "Number"),
        "AWS.MM.SMS.OriginationNumber": string("+12345678901"),
        "AWS.MM.SMS.EntityId": string("1101456324"),
        "AWS.MM.SMS.TemplateId": string("1107456324"),
        "mine": string("[1]", "String.Array"),
    }

    reply = client(sns).publish(PhoneNumber=PHONE, Message="text", MessageAttributes=attributes)

    (request,) = sns.accepted
    assert request.message_id == reply["MessageId"]
    assert request.attributes == {name: value["StringValue"] for name, value in attributes.items()}


def test_a_request_without_a_signature_is_refused(sns: ScriptedSns) -> None:
    reply = httpx.post(sns.url, data={"Action": "Publish", "PhoneNumber": PHONE, "Message": "text"})

    assert (reply.status_code, "MissingAuthenticationToken" in reply.text) == (403, True)
    assert sns.accepted == ()


def test_a_signature_in_another_form_is_refused(sns: ScriptedSns) -> None:
    form = {"Action": "Publish", "PhoneNumber": PHONE, "Message": "text"}

    reply = httpx.post(sns.url, data=form, headers={"Authorization": "Bearer x"})

    assert (reply.status_code, "IncompleteSignature" in reply.text) == (400, True)


@pytest.mark.parametrize(
    ("key", "secret", "code"),
    [
        ("AKIAOTHER", KEY.secret_access_key, "InvalidClientTokenId"),
        (KEY.access_key_id, "another secret", "SignatureDoesNotMatch"),
    ],
)
def test_a_signature_by_another_key_is_refused(sns: ScriptedSns, key: str, secret: str, code: str) -> None:
    with pytest.raises(ClientError, match=code):
        client(sns, key=key, secret=secret).publish(PhoneNumber=PHONE, Message="text")


def test_a_signature_from_another_time_is_refused() -> None:
    with ScriptedSns(now=lambda: datetime.now(UTC) + timedelta(minutes=16)) as sns:
        assert refusal(sns, PhoneNumber=PHONE, Message="text") == (403, "RequestExpired")


def test_an_action_that_no_text_needs_is_refused(sns: ScriptedSns) -> None:
    with pytest.raises(ClientError, match="InvalidAction"):
        client(sns).create_topic(Name="bank")


def test_a_refused_number_stands_in_the_reply_as_it_does_with_aws(sns: ScriptedSns) -> None:
    with pytest.raises(ClientError) as found:
        client(sns).publish(PhoneNumber="+39340", Message="text")

    assert "+39340" in found.value.response["Error"]["Message"]
    assert found.value.response["ResponseMetadata"]["RequestId"]


def test_what_stands_in_the_file_is_what_stands_in_memory(tmp_path: Path) -> None:
    with ScriptedSns(log=tmp_path / "requests.jsonl") as sns:
        sns.then(THROTTLE)
        sender = provider(sns.url)
        sender.publish(sms())
        sender.publish(sms(text="così, € 5"))
        sender.probe()

    assert read_log(tmp_path / "requests.jsonl") == sns.requests
    assert [(one.number, one.action, one.accepted, one.reply) for one in sns.requests] == [
        (1, "Publish", False, "Throttling"),
        (2, "Publish", True, "accept"),
        (3, "GetSMSAttributes", False, "accept"),
    ]


def test_a_last_line_that_was_cut_short_is_left_out(tmp_path: Path) -> None:
    with ScriptedSns(log=tmp_path / "requests.jsonl") as sns:
        provider(sns.url).publish(sms())
    with (tmp_path / "requests.jsonl").open("ab") as file:
        file.write(b'{"at":"2026')

    assert read_log(tmp_path / "requests.jsonl") == sns.requests


def test_half_a_request_is_no_request(sns: ScriptedSns) -> None:
    with socket.create_connection(("127.0.0.1", sns.port)) as half:
        half.sendall(b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nAction=Publish")

    provider(sns.url).publish(sms())

    assert [one.number for one in sns.requests] == [1]


def test_more_texts_in_a_second_than_allowed_are_throttled() -> None:
    now = [datetime.now(UTC)]
    with ScriptedSns(texts_per_second_max=2, now=lambda: now[0]) as sns:
        sender = provider(sns.url)
        for _ in range(3):
            sender.publish(sms())
        now[0] += timedelta(seconds=1)
        sender.publish(sms())

    assert [one.reply for one in sns.publishes] == ["accept", "accept", "Throttling", "accept"]


def test_a_script_may_choose_by_number_and_phone() -> None:
    def choose(request: Request) -> Behaviour:
        return THROTTLE if request.number == 1 or request.phone.startswith("+44") else ACCEPT

    with ScriptedSns(otherwise=choose) as sns:
        sender = provider(sns.url)
        sender.publish(sms())
        sender.publish(sms())
        sender.publish(sms(phone=type(sms().phone)("+447700900123")))

    assert [one.accepted for one in sns.publishes] == [False, True, False]


def test_what_hangs_is_logged_before_it_is_let_go_and_then_answered(sns: ScriptedSns) -> None:
    sns.then(Hang(accepts=True))
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(provider(sns.url, read_timeout_s=10.0).publish, sms())
        assert sns.log.wait_until(lambda entries: len(entries) == 1, timeout_s=5.0)

        unanswered = not waiting.done()
        sns.release()

        assert unanswered
        assert isinstance(waiting.result(timeout=5.0), Accepted)


def test_an_endpoint_that_stops_lets_go_whoever_hangs() -> None:
    with ThreadPoolExecutor(1) as threads:
        with ScriptedSns() as sns:
            sns.then(Hang(accepts=False))
            waiting = threads.submit(provider(sns.url, read_timeout_s=30.0).publish, sms())
            assert sns.log.wait_until(lambda entries: len(entries) == 1, timeout_s=5.0)

        assert isinstance(waiting.result(timeout=5.0), Failure)


def test_a_script_that_breaks_is_not_hidden() -> None:
    def broken(request: Request) -> Behaviour:
        raise LookupError

    with pytest.raises(LookupError), ScriptedSns(otherwise=broken) as sns:
        provider(sns.url).publish(sms())
