"""The provider against the scripted endpoint: the shared suite, and what only an endpoint that logs requests can show."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from consumer.adapters.sns import Credentials
from consumer.core.catalogue import SmsType
from consumer.core.delivery import Accepted, Failure, Fault
from consumer.core.preferences import Phone
from consumer.sandbox.sns_endpoint import ScriptedSns
from consumer.sandbox.sns_script import LOSE_REPLY, Drop, Hang, Refuse
from tests.contracts.sns_bench import SECRETS, forget_the_developers_aws, provider, sms
from tests.contracts.sns_suite import SendSuite, Sent, Wire


@pytest.fixture
def sns(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ScriptedSns]:
    forget_the_developers_aws(monkeypatch, tmp_path)
    with ScriptedSns(secrets=SECRETS) as endpoint:
        yield endpoint


class TestSending(SendSuite):
    @pytest.fixture
    def wire(self, sns: ScriptedSns) -> Wire:
        def sent() -> list[Sent]:
            return [Sent(phone=one.phone, text=one.text, message_id=one.message_id) for one in sns.accepted]

        return Wire(provider=provider(sns.url), sent=sent)


@pytest.mark.parametrize("sms_type", list(SmsType))
def test_the_type_of_the_text_always_goes_with_it(sns: ScriptedSns, sms_type: SmsType) -> None:
    provider(sns.url).publish(sms(sms_type=sms_type))

    (request,) = sns.publishes
    assert request.attributes == {"AWS.SNS.SMS.SMSType": sms_type.value}


def test_the_sender_goes_with_every_text(sns: ScriptedSns) -> None:
    provider(sns.url, sender_id="MyBank-1", origination_number="12345").publish(sms())

    (request,) = sns.accepted
    assert request.attributes == {
        "AWS.SNS.SMS.SMSType": "Transactional",
        "AWS.SNS.SMS.SenderID": "MyBank-1",
        "AWS.MM.SMS.OriginationNumber": "12345",
    }


@pytest.mark.parametrize("sender_id", ["ab", "twelve-chars", "12345", "my bank", "bänk", ""])
def test_a_sender_id_that_sns_would_refuse_is_refused_at_once(sender_id: str) -> None:
    with pytest.raises(ValueError, match="sender id"):
        provider("http://127.0.0.1:1", sender_id=sender_id)


@pytest.mark.parametrize("number", ["1234", "123456789012345", "12 345", ""])
def test_an_origination_number_that_sns_would_refuse_is_refused_at_once(number: str) -> None:
    with pytest.raises(ValueError, match="origination number"):
        provider("http://127.0.0.1:1", origination_number=number)


@pytest.mark.parametrize("url", ["sns.example", "ftp://sns.example", "http://sns.example/path", "http://"])
def test_an_endpoint_that_is_no_url_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="endpoint"):
        provider(url)


def test_a_key_that_sns_does_not_know_is_a_halt(sns: ScriptedSns) -> None:
    sender = provider(sns.url, credentials=Credentials(access_key_id="AKIAOTHER", secret_access_key="x"))

    outcome = sender.publish(sms())

    assert isinstance(outcome, Failure)
    assert (outcome.fault, outcome.code) == (Fault.HALT, "InvalidClientTokenId")


def test_connections_are_kept_and_used_again(sns: ScriptedSns) -> None:
    sender = provider(sns.url)

    for _ in range(5):
        sender.publish(sms())

    assert sns.connections == 1


def test_a_connection_is_not_used_again_when_it_may_have_been_left(sns: ScriptedSns) -> None:
    clock = [0.0]
    sender = provider(sns.url, client_age_max_s=20.0, elapsed_s=lambda: clock[0])
    sender.publish(sms())
    clock[0] = 19.9
    sender.publish(sms())
    before = sns.connections

    clock[0] = 20.0
    sender.publish(sms())

    assert (before, sns.connections) == (1, 2)


def test_a_client_that_is_renewed_under_twenty_threads_loses_and_doubles_nothing(sns: ScriptedSns) -> None:
    sender = provider(sns.url, client_age_max_s=0.0)
    phones = [Phone(f"+3934012{number:05d}") for number in range(100)]

    with ThreadPoolExecutor(20) as threads:
        outcomes = list(threads.map(lambda phone: sender.publish(sms(phone=phone)), phones))

    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert sorted(one.phone for one in sns.publishes) == [phone.e164 for phone in phones]


def test_a_lost_reply_on_a_connection_that_was_good_before_is_not_sent_again(sns: ScriptedSns) -> None:
    sender = provider(sns.url)
    sender.publish(sms())
    sns.then(LOSE_REPLY)

    outcome = sender.publish(sms())

    assert isinstance(outcome, Failure)
    assert outcome.fault is Fault.AMBIGUOUS
    assert len(sns.publishes) == 2


def test_the_next_text_goes_out_after_a_connection_broke(sns: ScriptedSns) -> None:
    sender = provider(sns.url)
    sns.then(Drop(accepts=False))
    sender.publish(sms())

    outcome = sender.publish(sms())

    assert isinstance(outcome, Accepted)


def test_a_reply_that_comes_too_late_is_ambiguous_and_the_text_was_sent_once(sns: ScriptedSns) -> None:
    sns.then(Hang(accepts=True))

    outcome = provider(sns.url, read_timeout_s=0.2).publish(sms())
    sns.release()

    assert isinstance(outcome, Failure)
    assert (outcome.fault, outcome.code) == (Fault.AMBIGUOUS, "ReadTimeoutError")
    assert len(sns.accepted) == 1


def test_a_role_that_may_only_publish_still_answers_a_probe(sns: ScriptedSns) -> None:
    sns.then(Refuse(status=403, code="AuthorizationError"), action="GetSMSAttributes")

    outcome = provider(sns.url).probe()

    assert isinstance(outcome, Accepted)


@pytest.mark.parametrize(
    ("status", "code", "fault"),
    [
        (429, "Throttled", Fault.TRANSIENT),
        (500, "InternalError", Fault.AMBIGUOUS),
        (403, "InvalidSecurity", Fault.HALT),
    ],
)
def test_a_probe_that_fails_says_how(sns: ScriptedSns, status: int, code: str, fault: Fault) -> None:
    sns.then(Refuse(status=status, code=code), action="GetSMSAttributes")

    outcome = provider(sns.url).probe()

    assert isinstance(outcome, Failure)
    assert (outcome.fault, outcome.code) == (fault, code)


def hostile_variables(monkeypatch: pytest.MonkeyPatch, _folder: Path) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "7")
    monkeypatch.setenv("AWS_RETRY_MODE", "adaptive")


def hostile_file(_monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / "config").write_text("[default]\nmax_attempts = 7\nretry_mode = legacy\nregion = us-east-1\n")


def hostile_defaults(monkeypatch: pytest.MonkeyPatch, _folder: Path) -> None:
    monkeypatch.setenv("AWS_DEFAULTS_MODE", "standard")
    monkeypatch.setenv("AWS_NEW_RETRIES_2026", "true")


@pytest.mark.parametrize("environment", [hostile_variables, hostile_file, hostile_defaults])
@pytest.mark.parametrize(
    "fault", [LOSE_REPLY, Refuse(status=503, code="ServiceUnavailable"), Refuse(status=400, code="Throttling")]
)
def test_no_environment_brings_retries_back(
    environment: Callable[[pytest.MonkeyPatch, Path], None],
    fault: Drop | Refuse,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    sns: ScriptedSns,
) -> None:
    environment(monkeypatch, tmp_path)
    sns.then(fault)

    outcome = provider(sns.url).publish(sms())

    assert isinstance(outcome, Failure)
    assert len(sns.publishes) == 1


def test_nothing_is_sent_when_the_call_took_too_long_to_start(sns: ScriptedSns) -> None:
    elapsed_s = iter([0.0, 0.0, 100.0, 100.0, 110.5])  # twice to make a client; begun, client still good, about to send
    sender = provider(sns.url, start_timeout_s=10.0, client_age_max_s=1000.0, elapsed_s=lambda: next(elapsed_s))

    outcome = sender.publish(sms())

    assert isinstance(outcome, Failure)
    assert (outcome.fault, outcome.code) == (Fault.TRANSIENT, "RequestTooLate")
    assert sns.publishes == ()


def test_a_second_request_in_one_call_is_stopped_even_where_boto3_wants_it(sns: ScriptedSns) -> None:
    """White-box: boto3's own decision to try again is brought back by its event, as a change of its defaults might."""
    sender = provider(sns.url)
    client, _ = sender._clients._current()
    again: Any = lambda attempts, **_: 0 if attempts < 5 else None  # noqa: E731 - the event's own protocol
    client.meta.events.register_first("needs-retry.sns", again)
    sns.then(LOSE_REPLY)

    outcome = sender.publish(sms())

    assert isinstance(outcome, Failure)
    assert outcome.fault is Fault.AMBIGUOUS
    assert len(sns.publishes) == 1
