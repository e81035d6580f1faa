"""Stand-ins: always the same, never to be turned back without the key."""

import hashlib
import hmac

import pytest

from consumer.core.preferences import Phone
from consumer.core.pseudonym import Pseudonyms
from tests.builders import PHONE, PSEUDONYMS


def test_an_account_is_always_the_same_32_digits() -> None:
    first, second = PSEUDONYMS.account("acc-1"), PSEUDONYMS.account("acc-1")

    assert first == second
    assert len(first) == 32
    assert PSEUDONYMS.account("acc-2") != first


def test_a_stand_in_is_the_hmac_that_an_auditor_can_recompute() -> None:
    key = b"sixteen bytes or more"

    assert Pseudonyms(key).phone(Phone(PHONE)) == hmac.new(key, f"phone:{PHONE}".encode(), hashlib.sha256).hexdigest()


def test_another_key_gives_another_stand_in() -> None:
    assert Pseudonyms(b"another key of the bank").account("acc-1") != PSEUDONYMS.account("acc-1")


def test_an_account_that_is_named_like_a_phone_does_not_look_like_it() -> None:
    assert not PSEUDONYMS.phone(Phone(PHONE)).startswith(PSEUDONYMS.account(PHONE))


def test_a_key_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Pseudonyms(b"short")


def test_the_key_is_never_printed() -> None:
    assert repr(PSEUDONYMS) == "Pseudonyms()"
