"""Stand-ins for what the outbox must recognise but never hold."""

import hmac
from functools import cached_property

import msgspec

from consumer.core.preferences import Phone


class Pseudonyms(msgspec.Struct, frozen=True, dict=True):
    """HMAC-SHA256 under the bank's own key: the same input gives the same stand-in, and only the key's holder can match it.

    `key`: at least 16 bytes, from settings; replaced, it makes everything remembered under it unrecognisable.
    """

    key: bytes

    def __post_init__(self) -> None:
        """Refuse a key that can be guessed."""
        if len(self.key) < 16:  # noqa: PLR2004
            raise ValueError("the pseudonym key is shorter than 16 bytes")

    def account(self, account_id: str) -> str:
        """32 hexadecimal digits that stand for an account's id."""
        return self._digest("account", account_id)[:32]

    def phone(self, phone: Phone) -> str:
        """64 hexadecimal digits that stand for a phone number, to match a delivery log with."""
        return self._digest("phone", phone.e164)

    def _digest(self, domain: str, value: str) -> str:
        digest = self._keyed.copy()  # at half the cost of beginning with the key each time
        digest.update(f"{domain}:{value}".encode())
        return digest.hexdigest()

    @cached_property
    def _keyed(self) -> hmac.HMAC:
        return hmac.new(self.key, digestmod="sha256")

    def __repr__(self) -> str:
        """Nothing of it."""
        return "Pseudonyms()"
