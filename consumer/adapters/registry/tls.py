"""TLS to a registry: whom to trust, and the certificate that shows who asks."""

import ssl
from pathlib import Path

import httpx
import msgspec

from consumer.errors import Broken, ExitCode


class Tls(msgspec.Struct, frozen=True, kw_only=True):
    """PEM files. `certificate` may hold its key too; `key_password` opens a key that is encrypted. Never printed."""

    ca_bundle: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    key_password: str | None = None

    def __repr__(self) -> str:
        """Nothing of it."""
        return "Tls()"


def context(tls: Tls) -> ssl.SSLContext:
    """What connections are made with; raises Broken where a file cannot be used."""
    made = httpx.create_ssl_context()
    if tls.ca_bundle is not None:
        try:
            made = ssl.create_default_context(cafile=tls.ca_bundle)
        except (OSError, ValueError):
            raise _unusable("certificate authorities (CA_BUNDLE)") from None
    if tls.certificate is not None:
        try:  # never without a password: OpenSSL would ask for one on the terminal
            made.load_cert_chain(tls.certificate, tls.key, tls.key_password or "")
        except (OSError, ValueError):
            raise _unusable("client certificate or its key (CLIENT_CERTIFICATE, CLIENT_KEY)") from None
    return made


def is_about_tls(problem: BaseException | None) -> bool:
    """Whether TLS failed beneath, and not the network."""
    while problem is not None:
        if isinstance(problem, ssl.SSLError):
            return True
        problem = problem.__cause__ or problem.__context__
    return False


def _unusable(what: str) -> Broken:
    return Broken(
        f"the registry's {what} cannot be used: is it there, readable, PEM, and do both match?", ExitCode.SETTINGS
    )
