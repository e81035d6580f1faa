"""How each fault of `tests/data/sns_faults.yaml` is brought about through real boto3."""

import hashlib
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import msgspec
import pytest
from botocore.exceptions import ParamValidationError
from cryptography import x509

from consumer.adapters.sns import failure_of
from consumer.core.delivery import Failure, Outcome
from consumer.sandbox.sns_endpoint import ScriptedSns
from consumer.sandbox.sns_script import (
    Answer,
    Behaviour,
    BreakTls,
    BreakTlsBeforeRequest,
    Drop,
    Hang,
    Refuse,
    Spoil,
    Spoiling,
)
from tests.contracts.sns_bench import KEY, REGION, Bench, certificate, provider, run_as_a_pod, sms

REPOSITORY = Path(__file__).parents[2]
HANGS_LONGER_THAN_S = 0.3
SSO_SESSION = "the-bank-of-the-tests"

BEHAVIOURS: dict[str, Behaviour] = {
    "tls_breaks_before_the_request": BreakTlsBeforeRequest(),
    "tls_breaks_before_acceptance": BreakTls(accepts=False),
    "tls_breaks_after_acceptance": BreakTls(accepts=True),
    "hangs_before_acceptance": Hang(accepts=False),
    "hangs_after_acceptance": Hang(accepts=True),
    "hangs_up_before_acceptance": Drop(accepts=False),
    "hangs_up_after_acceptance": Drop(accepts=True),
    "cuts_the_reply": Spoil(how=Spoiling.CUT),
    "replies_nothing": Spoil(how=Spoiling.EMPTY),
    "replies_without_message_id": Spoil(how=Spoiling.NO_MESSAGE_ID),
    "garbles_the_reply": Spoil(how=Spoiling.GARBLED_BODY),
    "garbles_the_status": Spoil(how=Spoiling.GARBLED_STATUS),
    "garbles_the_headers": Spoil(how=Spoiling.GARBLED_HEADERS),
}


def send(by: dict[str, Any], bench: Bench) -> Outcome:
    """Bring the fault about with one publish."""
    match by:
        case {"reply": reply}:
            bench.sns.then(Refuse(**reply))
            return provider(bench.sns.url).publish(sms())
        case {"raw": {"status": status, "body": body}}:
            bench.sns.then(Answer(status=status, body=body.encode()))
            return provider(bench.sns.url).publish(sms())
        case {"endpoint": name}:
            behaviour = BEHAVIOURS[name]
            bench.sns.then(behaviour)
            read_timeout_s = HANGS_LONGER_THAN_S if isinstance(behaviour, Hang) else 10.0
            sender = provider(bench.sns.url, ca_bundle=bench.ca_bundle, read_timeout_s=read_timeout_s)
            return sender.publish(sms())
        case {"client": name}:
            return CLIENT_SIDE[name](bench)
        case _:
            raise AssertionError(f"no way to provoke {by}")


def nobody_listens(bench: Bench) -> Outcome:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return provider(f"http://127.0.0.1:{port}").publish(sms())


def nobody_accepts(bench: Bench) -> Outcome:
    with full_backlog() as port:
        return provider(f"http://127.0.0.1:{port}", connect_timeout_s=0.3).publish(sms())


@contextmanager
def full_backlog() -> Iterator[int]:
    """A port whose queue of connections is full, so that the next one hangs."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        waiting = [socket.socket() for _ in range(8)]
        try:
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(listener.getsockname())
            yield listener.getsockname()[1]
        finally:
            for one in waiting:
                one.close()


def dead_proxy(bench: Bench) -> Outcome:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    bench.environment.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
    return provider(bench.sns.url).publish(sms())


def untrusted_certificate(bench: Bench) -> Outcome:
    return provider(bench.sns.url).publish(sms())


def certificate_of_another_host(bench: Bench) -> Outcome:
    elsewhere = certificate(bench.folder, x509.DNSName("elsewhere.invalid"))
    with ScriptedSns(certificate=elsewhere) as sns:
        return provider(sns.url, ca_bundle=elsewhere.chain).publish(sms())


def missing_ca_file(bench: Bench) -> Outcome:
    return provider(bench.sns.url, ca_bundle=bench.folder / "none.pem").publish(sms())


def parameters_of_a_wrong_type(bench: Bench) -> Outcome:
    """Avviso's own client leaves the check out, so boto3's usual one finds it."""
    client = boto3.Session(KEY.access_key_id, KEY.secret_access_key, region_name=REGION).client("sns")
    wrong: Any = 393401234567
    with pytest.raises(ParamValidationError) as found:
        client.publish(PhoneNumber=wrong, Message="text")
    return failure_of(found.value)


def empty_text(bench: Bench) -> Outcome:
    return provider(bench.sns.url).publish(sms(text=""))


def text_of_1601_characters(bench: Bench) -> Outcome:
    return provider(bench.sns.url).publish(sms(text="x" * 1601))


def text_with_half_a_character(bench: Bench) -> Outcome:
    return provider(bench.sns.url).publish(sms(text="caf\ud83d"))


def no_credentials(bench: Bench) -> Outcome:
    return provider(bench.sns.url, credentials=None).publish(sms())


def half_a_credential(bench: Bench) -> Outcome:
    bench.environment.setenv("AWS_ACCESS_KEY_ID", KEY.access_key_id)
    return provider(bench.sns.url, credentials=None).publish(sms())


def failing_credential_process(bench: Bench) -> Outcome:
    (bench.folder / "config").write_text("[default]\ncredential_process = false\n")
    return provider(bench.sns.url, credentials=None).publish(sms())


def missing_sso_token(bench: Bench) -> Outcome:
    _sign_in_by_sso(bench)
    return provider(bench.sns.url, credentials=None).publish(sms())


def outlived_sso_token(bench: Bench) -> Outcome:
    """In a process of its own: boto3 settles where home is when it is imported."""
    _sign_in_by_sso(bench)
    cache = bench.folder / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    token = {"accessToken": "old", "expiresAt": "2020-01-01T00:00:00Z", "startUrl": "https://bank.invalid/start"}
    (cache / f"{hashlib.sha1(SSO_SESSION.encode()).hexdigest()}.json").write_text(json.dumps(token))
    code = (
        "import msgspec; from tests.contracts.sns_bench import provider, run_as_a_pod, sms; "
        f"outcome = provider({bench.sns.url!r}, credentials=None).publish(sms()); "
        "print(msgspec.json.encode(outcome).decode())"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=REPOSITORY, timeout=60)
    return msgspec.json.decode(ran.stdout, type=Failure)


def _sign_in_by_sso(bench: Bench) -> None:
    (bench.folder / "config").write_text(
        f"[default]\nsso_session = {SSO_SESSION}\nsso_account_id = 111122223333\nsso_role_name = sender\n"
        f"[sso-session {SSO_SESSION}]\nsso_region = {REGION}\nsso_start_url = https://bank.invalid/start\n"
    )


def unknown_profile(bench: Bench) -> Outcome:
    bench.environment.setenv("AWS_PROFILE", "nobody")
    return provider(bench.sns.url, credentials=None).publish(sms())


def no_region(bench: Bench) -> Outcome:
    return provider(bench.sns.url, region=None).publish(sms())


def token_service_hangs(bench: Bench) -> Outcome:
    return _by_web_identity(bench, *[Hang(accepts=False)] * 4)


def token_service_fails(bench: Bench) -> Outcome:
    return _by_web_identity(bench, *[Refuse(status=500, code="InternalError")] * 4)


def token_service_refuses(bench: Bench) -> Outcome:
    return _by_web_identity(bench, *[Refuse(status=400, code="InvalidIdentityToken")] * 4)


def _by_web_identity(bench: Bench, *replies: Behaviour) -> Outcome:
    run_as_a_pod(bench.environment, bench.folder, bench.sns.url)
    bench.sns.then(*replies, action="AssumeRoleWithWebIdentity")
    return provider(bench.sns.url, credentials=None, read_timeout_s=HANGS_LONGER_THAN_S).publish(sms())


def defect_before_sending(bench: Bench) -> Outcome:
    elapsed_s = iter([0.0, 0.0])  # enough to make a client

    def clock_that_breaks() -> float:
        return next(elapsed_s)

    return provider(bench.sns.url, elapsed_s=clock_that_breaks).publish(sms())


CLIENT_SIDE: dict[str, Callable[[Bench], Outcome]] = {
    way.__name__: way
    for way in (
        nobody_listens,
        nobody_accepts,
        dead_proxy,
        untrusted_certificate,
        certificate_of_another_host,
        missing_ca_file,
        parameters_of_a_wrong_type,
        empty_text,
        text_of_1601_characters,
        text_with_half_a_character,
        no_credentials,
        half_a_credential,
        failing_credential_process,
        missing_sso_token,
        outlived_sso_token,
        unknown_profile,
        no_region,
        token_service_hangs,
        token_service_fails,
        token_service_refuses,
        defect_before_sending,
    )
}
