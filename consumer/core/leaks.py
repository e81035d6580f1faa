"""What must stand in no text, wherever it came from: card numbers, IBANs, links, phone numbers, control characters."""

import enum
import re
import unicodedata
from collections.abc import Iterator

import msgspec

_CARD_DIGITS = range(13, 20)
_DIGITS_APART_BY = 3
_IBAN_CHARACTERS = range(15, 35)
_IBAN_DIGITS_MIN = 8
_DIGIT_RUN = re.compile(rf"[0-9](?:[^0-9]{{0,{_DIGITS_APART_BY}}}[0-9]){{{_CARD_DIGITS.start - 1},}}")
_IBAN_HEAD = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}")
_IBAN_NEXT = re.compile(r"[ .\-]?([A-Za-z0-9])")
_LINK = re.compile(
    r"[a-z][a-z0-9+.\-]*://\S*"  # a scheme
    r"|\S+@\S+\.\S+"  # an address of e-mail
    r"|(?:[0-9]{1,3}\.){3}[0-9]{1,3}\S*"  # a host by number
    r"|(?:[\w\-]+\.)+(?:[^\W\d_]{2,}|xn--[\w\-]+)(?:[:/?#]\S*)?",  # a host by name: phones make a link of any of them
    re.IGNORECASE,
)
_PHONE = re.compile(r"\+[0-9](?:[ ().\-/]{0,3}[0-9]){4,}|[0-9](?:[ ().\-/]{0,3}[0-9]){6,}")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_BLANK = frozenset(map(chr, (0x034F, 0x115F, 0x1160, 0x2800, 0x3164, 0xFFA0, *range(0xFE00, 0xFE10))))
"""Joiners, fillers and variation selectors: letters and marks by category, nothing to the eye."""


class What(enum.StrEnum):
    """What was found."""

    CONTROL = "control"
    IBAN = "iban"
    CARD_NUMBER = "card_number"
    LINK = "link"
    PHONE_NUMBER = "phone_number"


class Leak(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in `text[start:end]`."""

    what: What
    start: int
    end: int


def leaks(text: str) -> Iterator[Leak]:
    """Everything in `text` that must not be in one, the gravest first; what is found twice may be told twice.

    Digits of any script count as digits. A card number is 13 to 19 of them that pass Luhn's test, whatever short separators
    stand between; an IBAN passes modulo 97; seven digits or more, grouped as phones do, are a phone number.
    """
    yield from _controls(text)
    digits = "".join(map(_ascii_digit, text))
    yield from _ibans(digits)
    yield from _card_numbers(digits)
    yield from _found(What.LINK, _LINK, digits)
    yield from _found(What.PHONE_NUMBER, _PHONE, digits)


def passes_luhn(digits: str) -> bool:
    """Whether the last of these ASCII digits is the check digit of the others, as on a payment card."""
    total = sum(map(int, digits[-1::-2]))
    total += sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return total % 10 == 0


def passes_mod_97(iban: str) -> bool:
    """Whether these ASCII letters and digits, without separators, have the check digits of an IBAN."""
    return int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97 == 1


def invisible(character: str) -> bool:
    """Whether it is a control, format, surrogate, private or unassigned character, breaks a line or shows nothing."""
    return unicodedata.category(character) in _INVISIBLE or character in _BLANK


def _ascii_digit(character: str) -> str:
    return character if character.isascii() else str(unicodedata.decimal(character, character))


def _controls(text: str) -> Iterator[Leak]:
    for place, character in enumerate(text):
        if invisible(character):
            yield Leak(what=What.CONTROL, start=place, end=place + 1)


def _found(what: What, pattern: re.Pattern[str], text: str) -> Iterator[Leak]:
    for match in pattern.finditer(text):
        yield Leak(what=what, start=match.start(), end=match.end())


def _card_numbers(text: str) -> Iterator[Leak]:
    for run in _DIGIT_RUN.finditer(text):
        digits = "".join(character for character in run[0] if character.isdigit())
        windows = (digits[start : start + size] for size in _CARD_DIGITS for start in range(len(digits) - size + 1))
        if any(map(passes_luhn, windows)):
            yield Leak(what=What.CARD_NUMBER, start=run.start(), end=run.end())


def _ibans(text: str) -> Iterator[Leak]:
    for head in _IBAN_HEAD.finditer(text):
        yield from _iban_from(text, head)


def _iban_from(text: str, head: re.Match[str]) -> Iterator[Leak]:
    """Every length that passes: which one is meant depends on the country, and the list of countries grows."""
    iban, end = head[0], head.end()
    while len(iban) < _IBAN_CHARACTERS.stop - 1 and (following := _IBAN_NEXT.match(text, end)):
        iban, end = iban + following[1], following.end()
        digits = sum(character.isdigit() for character in iban[4:])
        if len(iban) in _IBAN_CHARACTERS and digits >= _IBAN_DIGITS_MIN and passes_mod_97(iban):
            yield Leak(what=What.IBAN, start=head.start(), end=end)
