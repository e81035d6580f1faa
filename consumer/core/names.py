"""Names as others wrote them, made fit for a text: readable, short, and with nothing in them that leaks or lures."""

import re
import unicodedata
from functools import lru_cache
from typing import NewType

from consumer.core.leaks import Leak, What, invisible, leaks

NAME_CHARACTERS_MAX = 32
"""Longer names are cut. Card schemes give merchants 25 characters at most."""
CleanName = NewType("CleanName", str)
"""A name that `cleaned` let through; mypy refuses a plain string in its place."""

_READ_MAX = 200
_ROUNDS_MAX = 20
_NAMES_MAX = 4096
"""Remembered with what is left of them: most payments go to few merchants."""
_EDGES = " .,;:!?*#+-_/\\|&'\"<>=@~^"
_ABBREVIATED = re.compile(r"(?:^|[ .])[^\W\d_]\.[^\W\d_]\Z")
_DOTS = str.maketrans({"\u3002": ".", "\uff61": "."})
_PICTURES = frozenset({"So", "Sk", "Me"})
_ENDINGS = (
    " app at be biz ch co com cz de dk es eu fi fr gr hr hu ie info io it lu me net nl no online org pl pt ro se shop si "
    "sk store tv uk us "
)
"""How the internet names of real shops end, between spaces."""
_SECOND_LEVEL = frozenset({"co", "com", "org", "net"})


@lru_cache(_NAMES_MAX)
def cleaned(name: str) -> CleanName | None:
    """What of `name` may be shown, at most NAME_CHARACTERS_MAX characters; None where nothing readable is left.

    Taken out: whatever `leaks` finds (card numbers, IBANs, links, phone numbers), invisible characters, pictures, and white
    space beyond single spaces. Of a shop's plain internet name its own part stays (`Booking.com`: `Booking`). Cleaning what
    is clean changes nothing.
    """
    text = _readable(name[:_READ_MAX])
    for _ in range(_ROUNDS_MAX):
        found = next(leaks(text), None)
        if found is None:
            short = _short(text)
            if short == text:
                return CleanName(text) if any(map(str.isalpha, text)) else None
            text = short
        else:
            text = " ".join(f"{text[: found.start]}{_instead(text, found)}{text[found.end :]}".split())
    return None


def _readable(text: str) -> str:
    """In compatibility form (letters and digits in disguise show their face), in one line, without what nobody can read."""
    spaced = "".join(" " if character.isspace() else character for character in text)
    folded = unicodedata.normalize("NFKC", spaced).translate(_DOTS)
    kept = (
        character
        for character in folded
        if not invisible(character) and (character.isascii() or unicodedata.category(character) not in _PICTURES)
    )
    return " ".join(unicodedata.normalize("NFKC", "".join(kept)).split())


def _instead(text: str, found: Leak) -> str:
    """A space; but of a shop's internet name its own part, and a dot without its space (`Dr.Rossi`) gets one."""
    if found.what is not What.LINK:
        return " "
    link = text[found.start : found.end]
    host, *path = link.removeprefix("www.").replace("/", " ", 1).split(" ")
    own, *ending = host.split(".")
    if any(character in link for character in ":@") or not own or not ending:
        return " "
    if f" {ending[-1].lower()} " in _ENDINGS:
        plain = len(ending) == 1 or (len(ending) == 2 and ending[0].lower() in _SECOND_LEVEL)  # noqa: PLR2004
        return f"{own} " if plain else " "
    return " " if path or own == "www" else ". ".join(host.split("."))


def _short(text: str) -> str:
    """Cut between words where that leaves more than half, and without punctuation at its edges."""
    trimmed = _without_edges(text)
    if len(trimmed) <= NAME_CHARACTERS_MAX:
        return trimmed
    cut = trimmed[: NAME_CHARACTERS_MAX + 1].rfind(" ")
    return trimmed[: cut if cut > NAME_CHARACTERS_MAX // 2 else NAME_CHARACTERS_MAX].strip(_EDGES)


def _without_edges(text: str) -> str:
    """Without punctuation around it; the last dot of an abbreviation (`S.p.A.`) is none."""
    trimmed = text.strip(_EDGES)
    return f"{trimmed}." if _ABBREVIATED.search(trimmed) and text.lstrip(_EDGES).startswith(f"{trimmed}.") else trimmed
