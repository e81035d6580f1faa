"""Parts as carriers bill them, at each limit, and what becomes of characters that GSM 03.38 does not know."""

# ruff: noqa: RUF001 (look-alike characters are the point)

import pytest

from consumer.core.gsm7 import Encoding, encoding, fits, length, parts, plain, to_gsm7


@pytest.mark.parametrize(
    "text",
    ["", "Saldo: EUR 1.250,00", "perché è così più già", "\u20ac^{}\\[~]|", "@£$¥ÄÖÑÜ§¿äöñüàÇÉ", "line\nline"],
)
def test_what_gsm_03_38_knows_is_gsm7(text: str) -> None:
    assert encoding(text) is Encoding.GSM7


@pytest.mark.parametrize("character", ["È", "ç", "á", "’", "–", "“", "\u00a0", "`", "\t", "\x1b", "я", "北", "😀"])
def test_one_character_that_it_does_not_know_makes_the_text_ucs2(character: str) -> None:
    assert encoding(f"Saldo{character}") is Encoding.UCS2


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 80 + "a", 2),
        ("я" * 70, 1),
        ("я" * 71, 2),
        ("я" * 134, 2),
        ("я" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 35 + "a", 2),
    ],
)
def test_a_text_is_one_part_as_long_as_it_fits_alone_and_several_smaller_ones_beyond(text: str, count: int) -> None:
    assert parts(text) == count


def test_an_extension_character_is_never_torn_between_two_parts() -> None:
    even = "€" * 153

    assert length(even) == 306
    assert parts(even) == 3  # 76 of them are 152 septets: the 153rd septet of each part stays empty


def test_a_surrogate_pair_is_never_torn_between_two_parts() -> None:
    even = "😀" * 67

    assert length(even) == 134
    assert parts(even) == 3


def test_length_is_in_septets_or_in_units_of_utf_16() -> None:
    assert length("ab€") == 4
    assert length("abя") == 3
    assert length("ab😀") == 4


def test_a_lone_surrogate_is_counted_and_not_a_crash() -> None:
    assert parts("\ud800" * 71) == 2


@pytest.mark.parametrize(("longest", "one_more"), [("a" * 1600, "a"), ("я" * 630, "я"), ("😀" * 315, "a")])
def test_sns_takes_no_text_longer_than_its_limit(longest: str, one_more: str) -> None:
    assert fits(longest)
    assert not fits(longest + one_more)


@pytest.mark.parametrize(
    ("written", "near"),
    [
        ("EUR\u00a01\u202f250,00", "EUR 1 250,00"),
        ("CHF 1\u2019250.00", "CHF 1'250.00"),
        ("\u221212,50", "-12,50"),
        ("\u200e\u200f\u2066\u206922/11", "22/11"),
        ("\u201cquoted\u201d\u2026", '"quoted"...'),
    ],
)
def test_typographic_characters_become_those_of_a_keyboard(written: str, near: str) -> None:
    assert plain(written) == near
    assert to_gsm7(written) == near


@pytest.mark.parametrize(
    ("written", "near"),
    [
        ("Caffè Perù", "Caffè Perù"),
        ("È Così", "E Così"),
        ("François", "Francois"),
        ("Łódź", "Lodz"),
        ("Москва", "Moskva"),
        ("北京", "BeiJing"),
        ("a\x00b", "ab"),
        ("back`tick", "back'tick"),
    ],
)
def test_only_what_is_not_gsm_is_transliterated(written: str, near: str) -> None:
    assert to_gsm7(written) == near
