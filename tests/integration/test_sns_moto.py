"""The send suite against moto's server: a second opinion on the wire format, by people who have never seen our endpoint."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.containers import moto_container
from tests.contracts.sns_bench import forget_the_developers_aws, provider
from tests.contracts.sns_suite import SendSuite, Sent, Wire

MOTO_CANNOT_SHOW = {
    "attributes": "it records no SMS attributes: sender, type and origination number are seen by the scripted endpoint only",
    "refusals": "it accepts the number 12345, an empty text, more than 1,600 characters and unknown attributes",
    "signatures": "it believes any key and any signature",
    "faults": "it never throttles, hangs, hangs up, breaks TLS or spoils a reply",
    "requests": "it records texts, not requests: one that was refused or came twice with an error leaves no trace",
}

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with moto_container() as url:
        yield url


class TestSendingToMoto(SendSuite):
    @pytest.fixture
    def wire(self, moto: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Wire]:
        forget_the_developers_aws(monkeypatch, tmp_path)
        httpx.post(f"{moto}/moto-api/reset").raise_for_status()

        def sent() -> list[Sent]:
            data: dict[str, Any] = httpx.get(f"{moto}/moto-api/data.json").json()
            return [
                Sent(phone=one["phone_number"], text=one["message"], message_id=one["message_id"])
                for one in data["sns"].get("SMS", [])
            ]

        sending = provider(moto, read_timeout_s=10.0)
        yield Wire(provider=sending, sent=sent)
        client = sending._clients._client
        assert client is not None
        client.close()  # else the garbage collector finds its connection open, in the middle of another test


def test_what_moto_cannot_show_is_still_what_it_cannot_show(moto: str) -> None:
    """Should moto learn one of these, the suite can ask more of it."""
    httpx.post(f"{moto}/moto-api/reset").raise_for_status()
    form = {"Action": "Publish", "PhoneNumber": "12345", "Message": "", "Version": "2010-03-31"}
    signature = (
        "AWS4-HMAC-SHA256 Credential=nobody/20261122/eu-south-1/sns/aws4_request, SignedHeaders=host, Signature=0"
    )

    reply = httpx.post(moto, data=form, headers={"Authorization": signature})

    (text,) = httpx.get(f"{moto}/moto-api/data.json").json()["sns"]["SMS"]
    assert reply.status_code == 200
    assert sorted(text) == ["message", "message_id", "phone_number"]
    assert set(MOTO_CANNOT_SHOW) == {"attributes", "refusals", "signatures", "faults", "requests"}
