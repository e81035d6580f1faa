"""Segmentation against two other implementations, and laws of transliteration."""

import gsm0338
import pytest
import smsutil
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.core.gsm7 import Encoding, encoding, length, parts, to_gsm7

ESCAPE = "\x1b"
"""Both libraries take it for a character of the alphabet. It announces one: alone it stands for nothing."""
GSM = "abcàèéìòùÇÉÑ@£ \n0123,.:*" + "^{}\\[~]|€"
ANY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=ESCAPE), max_size=400)
GSM_TEXTS = st.text(st.sampled_from(GSM), max_size=700)
MOSTLY_GSM = st.text(st.sampled_from(GSM + "яß😀𝒳È"), max_size=300)
NEAR_THE_LIMITS = st.builds(
    lambda size, late: "a" * (size - len(late)) + late,
    size=st.sampled_from([n * each + d for each in (153, 160, 67, 70) for n in (1, 2, 3) for d in (-1, 0, 1)]),
    late=st.text(st.sampled_from("a€я😀"), max_size=8),
)
CODEC = gsm0338.Codec()


@settings(max_examples=200)
@given(ANY | GSM_TEXTS | MOSTLY_GSM | NEAR_THE_LIMITS)
def test_parts_are_those_that_smsutil_counts(text: str) -> None:
    assert parts(text) == len(smsutil.split(text).parts)


@settings(max_examples=100)
@given(ANY | GSM_TEXTS | MOSTLY_GSM)
def test_septets_are_those_that_gsm0338_encodes(text: str) -> None:
    try:
        septets = len(CODEC.encode(text)[0])
    except UnicodeEncodeError:
        septets = None

    assert (length(text) if encoding(text) is Encoding.GSM7 else None) == septets


def test_the_alphabet_is_that_of_gsm0338_and_smsutil_but_for_the_escape_character() -> None:
    some = [chr(code) for code in range(0x3000)]  # the last character of the alphabet is the euro, U+20AC

    ours = {character for character in some if encoding(character) is Encoding.GSM7}

    theirs = {character for character in some if CODEC.encode(character, "ignore")[0]}
    assert theirs == ours | {ESCAPE}
    assert set(filter(smsutil.is_valid_gsm, some)) == ours | {ESCAPE}


@settings(max_examples=150)
@given(st.text(max_size=60) | MOSTLY_GSM)
def test_every_text_can_be_brought_into_gsm7_once_and_for_all(text: str) -> None:
    near = to_gsm7(text)

    assert encoding(near) is Encoding.GSM7
    assert to_gsm7(near) == near


@settings(max_examples=50)
@given(GSM_TEXTS)
def test_what_is_gsm7_already_stays_as_it_is(text: str) -> None:
    assert to_gsm7(text) == text


@pytest.mark.parametrize("character", ["a", "€", "я", "😀"])
def test_more_text_is_never_fewer_parts(character: str) -> None:
    counts = [parts(character * size) for size in range(1, 330)]

    assert counts == sorted(counts)
