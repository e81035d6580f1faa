"""The bench that everything about SNS is tested on: an endpoint, a key, a certificate, and nobody's environment."""

import ipaddress
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from consumer.adapters.sns import Credentials, SnsProvider
from consumer.core.catalogue import SmsType
from consumer.core.preferences import Phone
from consumer.ports import Sms
from consumer.sandbox.sns_endpoint import Certificate, ScriptedSns

KEY = Credentials(access_key_id="AKIDEXAMPLE", secret_access_key="not a secret")
SECRETS = {KEY.access_key_id: KEY.secret_access_key}
REGION = "eu-south-1"

_MAY_SIGN = x509.KeyUsage(
    digital_signature=True,
    key_cert_sign=True,
    crl_sign=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """What a test of the provider may use. `ca_bundle`: what to trust where the endpoint speaks TLS."""

    sns: ScriptedSns
    ca_bundle: Path | None
    environment: pytest.MonkeyPatch
    folder: Path


def sms(**changes: Any) -> Sms:
    ordinary = Sms(
        phone=Phone("+393401234567"), text="Zahlung 250,00 EUR, Konto ..3456", sms_type=SmsType.TRANSACTIONAL
    )
    return msgspec.structs.replace(ordinary, **changes)


def provider(url: str, **changes: Any) -> SnsProvider:
    ordinary: dict[str, Any] = {
        "region": REGION,
        "credentials": KEY,
        "endpoint_url": url,
        "connect_timeout_s": 10.0,
        "read_timeout_s": 10.0,
        "start_timeout_s": 10.0,
    }
    return SnsProvider(**(ordinary | changes))


def forget_the_developers_aws(environment: pytest.MonkeyPatch, folder: Path) -> None:
    """No key, role, profile, proxy or CA of this machine's user may reach a test."""
    for name in list(os.environ):
        if name.upper().startswith("AWS_") or name.upper().endswith("_PROXY"):
            environment.delenv(name)
    environment.setenv("HOME", str(folder))
    environment.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    environment.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "credentials"))
    environment.setenv("AWS_EC2_METADATA_DISABLED", "true")


def run_as_a_pod(environment: pytest.MonkeyPatch, folder: Path, token_service_url: str) -> None:
    """As on EKS: a token file, a role, and a token service to ask for a key."""
    (folder / "token").write_text("a token")
    environment.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(folder / "token"))
    environment.setenv("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/sender")
    environment.setenv("AWS_ENDPOINT_URL_STS", token_service_url)


def certificate(folder: Path, *names: x509.GeneralName) -> Certificate:
    """A certificate that vouches for itself, for these names."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "scripted SNS")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_MAY_SIGN, critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, secret = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return Certificate(chain=chain, key=secret)


def certificate_for_this_host(folder: Path) -> Certificate:
    return certificate(folder, x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
