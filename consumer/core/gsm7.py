"""How a text travels: its encoding, and its parts exactly as carriers bill them (3GPP TS 23.038 and 23.040)."""

import enum

from anyascii import anyascii

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")
_GSM = _BASIC | _EXTENSION
_BEYOND_ONE_UNIT = 0x10000

SEPTETS_MAX = 1_600
"""SNS takes no longer text."""
UNITS_MAX = 630
"""The same for UCS-2, in UTF-16 units: 1,600 bytes less what the parts need, split between words."""

_PLAIN = str.maketrans(
    {
        "\u00a0": " ",
        "\u202f": " ",
        "\u2009": " ",
        "\u2018": "'",
        "\u2019": "'",
        "\u02bc": "'",
        "`": "'",
        "\u00b4": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u201e": '"',
        "\u2010": "-",
        "\u2011": "-",
        "\u2012": "-",
        "\u2013": "-",
        "\u2014": "-",
        "\u2212": "-",
        "\u2026": "...",
        "\u200e": None,
        "\u200f": None,
        "\u061c": None,
        **dict.fromkeys(map(chr, range(0x2066, 0x206A))),
    }
)


class Encoding(enum.StrEnum):
    """How the characters are sent. GSM7: 7 bits each, extension characters twice that. UCS2: UTF-16."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


_ROOM = {Encoding.GSM7: (160, 153), Encoding.UCS2: (70, 67)}
"""What fits into a text of one part, and into each of several: septets, or UTF-16 units."""


def encoding(text: str) -> Encoding:
    """GSM7 if every character of `text` is one of GSM 03.38, else UCS2."""
    return Encoding.GSM7 if _GSM.issuperset(text) else Encoding.UCS2


def length(text: str) -> int:
    """The size of `text` in its encoding: septets, or UTF-16 units."""
    return sum(_costs(text, encoding(text)))


def parts(text: str) -> int:
    """How many parts `text` is billed as; no character is torn between two. An empty text is one part."""
    how = encoding(text)
    costs = _costs(text, how)
    alone, each = _ROOM[how]
    if sum(costs) <= alone:
        return 1
    count, used = 1, 0
    for cost in costs:
        if used + cost > each:
            count, used = count + 1, 0
        used += cost
    return count


def fits(text: str) -> bool:
    """Whether SNS takes a text of this length at all, in however many parts."""
    return length(text) <= (SEPTETS_MAX if encoding(text) is Encoding.GSM7 else UNITS_MAX)


def plain(text: str) -> str:
    """`text` with typographic spaces, quotes and dashes as a keyboard writes them, and without direction marks."""
    return text.translate(_PLAIN)


def to_gsm7(text: str) -> str:
    """`text` in characters of GSM 03.38 only. Those stay as they are; others become their nearest, or nothing."""
    return "".join(character if character in _GSM else _nearest(character) for character in plain(text))


def _nearest(character: str) -> str:
    return "".join(near for near in plain(anyascii(character)) if near in _GSM)


def _costs(text: str, how: Encoding) -> list[int]:
    if how is Encoding.GSM7:
        return [2 if character in _EXTENSION else 1 for character in text]
    return [2 if ord(character) >= _BEYOND_ONE_UNIT else 1 for character in text]
