"""A known number and a known text go through every fault there is, and turn up nowhere but on the wire."""

import io
import logging
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumer import telemetry
from consumer.adapters.sns import Credentials
from consumer.core.preferences import Phone
from consumer.sandbox.sns_endpoint import ScriptedSns
from consumer.sandbox.sns_script import ACCEPT, Answer, Behaviour, Hang, Refuse
from tests.contracts.sns_bench import certificate_for_this_host, forget_the_developers_aws, provider, sms
from tests.contracts.sns_provocations import BEHAVIOURS

PHONE = "+393478812345"
TEXT = "Canarino: addebito di EUR 77.123,45"
SECRET = "canary-secret-key"
ECHO = f"Invalid parameter: PhoneNumber Reason: {PHONE} is not valid to publish to ({TEXT})"
CANARIES = (
    PHONE,
    PHONE[1:],
    TEXT,
    "Canarino",
    "77.123",
    urllib.parse.quote_plus(TEXT),
    urllib.parse.quote(TEXT),
    SECRET,
)

FAULTS: dict[str, Behaviour] = {
    "accepted": ACCEPT,
    "echoed by a 400": Refuse(status=400, code="InvalidParameter", message=ECHO),
    "echoed by a 500": Refuse(status=500, code="InternalError", message=ECHO),
    "echoed by a 403": Refuse(status=403, code="AuthorizationError", message=ECHO),
    "echoed as a code": Refuse(status=400, code=ECHO, message=ECHO),
    "a number as a code": Refuse(status=400, code=PHONE[1:], message=ECHO),
    "echoed by a page": Answer(status=502, body=ECHO.encode()),
    "echoed by a broken page": Answer(status=400, body=f"<html>{ECHO}".encode()),
    "echoed by a 200": Answer(status=200, body=ECHO.encode()),
    **BEHAVIOURS,
}


@pytest.fixture
def foreign_lines() -> Iterator[io.StringIO]:
    """Everything that any library logs, as loud as it can, with texts and tracebacks."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def sns(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ScriptedSns]:
    forget_the_developers_aws(monkeypatch, tmp_path)
    name: str = request.getfixturevalue("name")
    with ScriptedSns(certificate=certificate_for_this_host(tmp_path) if name.startswith("tls") else None) as endpoint:
        yield endpoint


@pytest.mark.parametrize("name", FAULTS)
def test_number_text_and_key_occur_in_no_outcome_and_no_log_line(
    name: str,
    sns: ScriptedSns,
    foreign_lines: io.StringIO,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    sns.then(FAULTS[name])
    sender = provider(
        sns.url,
        credentials=Credentials(access_key_id="AKIDEXAMPLE", secret_access_key=SECRET),
        ca_bundle=tmp_path / "chain.pem" if name.startswith("tls") else None,
        read_timeout_s=0.3 if isinstance(FAULTS[name], Hang) else 10.0,
    )
    private = sms(phone=Phone(PHONE), text=TEXT)

    outcome = sender.publish(private)

    said = [repr(outcome), str(outcome), repr(private), str(private), repr(sender), repr(sender._clients._target)]
    said += [repr(sns.requests), foreign_lines.getvalue(), *capfd.readouterr()]
    assert [(canary, text) for canary in CANARIES for text in said if canary in text] == []
    assert name == "tls_breaks_before_the_request" or (sns.publishes[0].phone, sns.publishes[0].text) == (PHONE, TEXT)


def test_a_library_that_talks_all_the_same_is_heard_without_its_words() -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    before = root.handlers, root.level
    telemetry.configure_logging(stream)
    try:
        logging.getLogger("botocore.endpoint").warning("Sending http request: %s", ECHO)
    finally:
        root.handlers, level = before
        root.setLevel(level)
        logging.captureWarnings(capture=False)

    assert "botocore.endpoint" in stream.getvalue()
    assert [canary for canary in CANARIES if canary in stream.getvalue()] == []
