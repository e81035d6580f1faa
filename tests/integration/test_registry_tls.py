import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography.hazmat.primitives import serialization

from consumer.adapters.registry import Registry, Tls
from consumer.errors import Broken, ExitCode, Unavailable
from tests.contracts.sns_bench import certificate_for_this_host
from tests.registries import ScriptedRegistry, json_reply

SCHEMA = '{"type": "record", "name": "R", "fields": []}'
PASSWORD = "canary-password"


class Files(NamedTuple):
    """Two certificates that vouch for themselves: the registry's, and ours that it wants to see."""

    ca: Path
    certificate: Path
    key: Path

    def ours(self, **changes: Path | str | None) -> Tls:
        given = {"ca_bundle": self.ca, "certificate": self.certificate, "key": self.key} | changes
        return Tls(**given)  # type: ignore[arg-type]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    theirs.mkdir()
    ours.mkdir()
    server, client = certificate_for_this_host(theirs), certificate_for_this_host(ours)
    return Files(ca=server.chain, certificate=client.chain, key=client.key)


@pytest.fixture
def url(files: Files) -> Iterator[str]:
    """A registry that answers nobody whose certificate it does not know."""
    wanted = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    wanted.load_cert_chain(files.ca, files.ca.with_name("key.pem"))
    wanted.load_verify_locations(files.certificate)
    wanted.verify_mode = ssl.CERT_REQUIRED
    with ScriptedRegistry(lambda _: json_reply({"schema": SCHEMA})) as server:
        server.socket = wanted.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        yield server.url.replace("http:", "https:")


def _asked(url: str, tls: Tls | None) -> str:
    with Registry(url, timeout_s=5.0, attempts_max=1, tls=tls) as registry:
        return registry.by_id(7)


def test_a_registry_that_wants_a_certificate_is_shown_ours(url: str, files: Files) -> None:
    assert _asked(url, files.ours()) == SCHEMA


def test_a_key_may_stand_beside_its_certificate(url: str, files: Files, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(files.certificate.read_bytes() + files.key.read_bytes())

    assert _asked(url, files.ours(certificate=both, key=None)) == SCHEMA


def test_a_key_may_be_encrypted(url: str, files: Files) -> None:
    _encrypt(files.key)

    assert _asked(url, files.ours(key_password=PASSWORD)) == SCHEMA


@pytest.mark.parametrize("absent", [{"certificate": None, "key": None}, {"ca_bundle": None}], ids=["ours", "theirs"])
def test_without_a_certificate_that_is_known_there_is_no_answer_and_no_dead_letter(
    url: str, files: Files, absent: dict[str, None]
) -> None:
    with pytest.raises(Unavailable) as outage:
        _asked(url, files.ours(**absent))

    assert (outage.value.what, outage.value.code) == ("registry", "tls")


def test_files_that_cannot_be_used_stop_the_start_and_keep_the_password(url: str, files: Files, tmp_path: Path) -> None:
    _encrypt(files.key)
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text(json.dumps("nonsense"), encoding="utf-8")

    for tls in (
        files.ours(),
        files.ours(key_password="canary-wrong"),
        files.ours(key=tmp_path / "absent.pem", key_password=PASSWORD),
        files.ours(certificate=nonsense, key_password=PASSWORD),
        files.ours(ca_bundle=nonsense, key_password=PASSWORD),
        files.ours(ca_bundle=tmp_path / "absent.pem", key_password=PASSWORD),
    ):
        with pytest.raises(Broken, match=r"the registry's .* cannot be used") as problem:
            _asked(url, tls)
        assert problem.value.exit_code == ExitCode.SETTINGS
        assert "canary" not in f"{problem.value} {tls!r}"


def _encrypt(key: Path) -> None:
    read = serialization.load_pem_private_key(key.read_bytes(), None)
    how = serialization.BestAvailableEncryption(PASSWORD.encode())
    key.write_bytes(read.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how))
