"""Keys that expire, rotate and come from elsewhere: when they are looked for anew, and when that is a halt."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from consumer.core.delivery import Accepted, Failure, Fault, Hint, Outcome
from consumer.sandbox.sns_endpoint import ScriptedSns
from consumer.sandbox.sns_script import Answer, Refuse
from tests.contracts.sns_bench import KEY, SECRETS, forget_the_developers_aws, provider, run_as_a_pod, sms

EXPIRED = Refuse(status=403, code="ExpiredToken")


@pytest.fixture
def sns(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ScriptedSns]:
    forget_the_developers_aws(monkeypatch, tmp_path)
    with ScriptedSns(secrets=SECRETS, latency_s=0.2) as endpoint:
        yield endpoint


def faults(*outcomes: Outcome) -> list[Fault | None]:
    return [outcome.fault if isinstance(outcome, Failure) else None for outcome in outcomes]


def write_key(folder: Path, key: str, secret: str) -> None:
    (folder / "credentials").write_text(f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")


def test_a_key_that_expired_is_replaced_by_the_one_that_lies_there_now(sns: ScriptedSns, tmp_path: Path) -> None:
    write_key(tmp_path, "AKIAOLD", "old")
    sender = provider(sns.url, credentials=None)
    sns.then(EXPIRED)
    first = sender.publish(sms())
    write_key(tmp_path, KEY.access_key_id, KEY.secret_access_key)

    second = sender.publish(sms())

    assert faults(first, second) == [Fault.TRANSIENT, None]
    assert len(sns.publishes) == 2


def test_a_new_key_that_is_stale_too_is_looked_for_once_more(sns: ScriptedSns, tmp_path: Path) -> None:
    """When to stop is the breaker's affair; the provider says what happened, each time."""
    write_key(tmp_path, "AKIAOLD", "old")
    sender = provider(sns.url, credentials=None)
    sns.then(EXPIRED, EXPIRED)
    outcomes = [sender.publish(sms()) for _ in range(2)]
    write_key(tmp_path, KEY.access_key_id, KEY.secret_access_key)

    outcomes.append(sender.publish(sms()))

    assert faults(*outcomes) == [Fault.TRANSIENT, Fault.TRANSIENT, None]
    assert {outcome.hint for outcome in outcomes if isinstance(outcome, Failure)} == {Hint.REFRESH_CREDENTIALS}


def test_twenty_threads_that_meet_the_same_old_key_lose_and_double_nothing(sns: ScriptedSns) -> None:
    sender = provider(sns.url, read_timeout_s=10.0)
    sns.then(*[EXPIRED] * 20)

    with ThreadPoolExecutor(20) as threads:
        outcomes = list(threads.map(lambda _: sender.publish(sms()), range(20)))

    assert faults(*outcomes) == [Fault.TRANSIENT] * 20
    assert isinstance(sender.publish(sms()), Accepted)
    assert (len(sns.publishes), len(sns.accepted)) == (21, 1)


def test_white_box_a_thread_that_hears_late_of_an_old_key_does_not_throw_the_new_one_away(sns: ScriptedSns) -> None:
    sender = provider(sns.url)
    _, old = sender._clients._current()
    sns.then(EXPIRED)
    late = sender.publish(sms())
    _, new = sender._clients._current()
    assert isinstance(late, Failure)

    sender._clients._learn(late, old)

    _, now = sender._clients._current()
    assert now is new
    assert now is not old


def test_whoever_mends_a_wrong_key_need_not_restart_us(sns: ScriptedSns, tmp_path: Path) -> None:
    write_key(tmp_path, KEY.access_key_id, "a typing error")
    sender = provider(sns.url, credentials=None)
    wrong = sender.probe()
    write_key(tmp_path, KEY.access_key_id, KEY.secret_access_key)

    outcome = sender.probe()

    assert faults(wrong) == [Fault.HALT]
    assert isinstance(outcome, Accepted)


def test_a_pod_gets_its_key_from_the_token_service_before_the_first_text_asks(
    sns: ScriptedSns, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run_as_a_pod(monkeypatch, tmp_path, sns.url)
    sns.then(_key_for_an_hour(), action="AssumeRoleWithWebIdentity")

    sender = provider(sns.url, credentials=None)
    asked = [request.action for request in sns.requests]
    outcome = sender.publish(sms())

    assert asked == ["AssumeRoleWithWebIdentity"]
    assert isinstance(outcome, Accepted)


def test_a_token_service_that_refuses_us_is_no_answer_to_a_probe(
    sns: ScriptedSns, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run_as_a_pod(monkeypatch, tmp_path, sns.url)
    denied = Refuse(status=403, code="AccessDenied")
    sns.then(denied, denied, action="AssumeRoleWithWebIdentity")

    outcome = provider(sns.url, credentials=None).probe()

    assert faults(outcome) == [Fault.HALT]


def _key_for_an_hour() -> Answer:
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    document = (
        '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
        "<AssumeRoleWithWebIdentityResult><Credentials>"
        f"<AccessKeyId>{KEY.access_key_id}</AccessKeyId><SecretAccessKey>{KEY.secret_access_key}</SecretAccessKey>"
        f"<SessionToken>a session</SessionToken><Expiration>{until}</Expiration>"
        "</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
    )
    return Answer(status=200, body=document.encode(), content_type="text/xml")
