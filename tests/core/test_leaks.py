"""What the guard and the cleaning of names look for, found in every disguise that we know, and what they let pass."""

# ruff: noqa: RUF001 (look-alike characters are the point)

import pytest

from consumer.core.leaks import What, leaks, passes_luhn, passes_mod_97

CARD = "4111111111111111"
IBAN = "IT60X0542811101000000123456"


def first(text: str) -> What | None:
    return next((leak.what for leak in leaks(text)), None)


@pytest.mark.parametrize("number", ["4111111111111111", "378282246310005", "5555555555554444", "6011000990139424", "0"])
def test_the_numbers_of_payment_cards_pass_luhn(number: str) -> None:
    assert passes_luhn(number)


@pytest.mark.parametrize("number", ["4111111111111112", "1411111111111111", "1"])
def test_a_wrong_or_swapped_digit_fails_luhn(number: str) -> None:
    assert not passes_luhn(number)


@pytest.mark.parametrize("iban", [IBAN, "GB29NWBK60161331926819", "mt84malt011000012345mtlcast001s", "NO9386011117947"])
def test_ibans_pass_modulo_97(iban: str) -> None:
    assert passes_mod_97(iban)


def test_a_wrong_iban_fails_modulo_97() -> None:
    assert not passes_mod_97(IBAN[:-1] + "7")


@pytest.mark.parametrize(
    "text",
    [
        CARD,
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111 - 1111 - 1111 - 1111",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        "4111x1111x1111x1111",
        "4111_1111/1111*1111",
        "٤١١١ ١١١١ ١١١١ ١١١١",
        "４１１１１１１１１１１１１１１１",
        f"Bar{CARD}Roma",
        f"0000{CARD}",
        "378282246310005",
        "4222222222222",
        "6304000000000000000",
    ],
)
def test_a_card_number_is_found_whatever_stands_between_its_digits(text: str) -> None:
    assert first(text) is What.CARD_NUMBER


@pytest.mark.parametrize(
    "text",
    [
        IBAN,
        "IT60 X054 2811 1010 0000 0123 456",
        "it60x0542811101000000123456",
        "IT60-X054-2811-1010-0000-0123-456",
        "IT60.X0542811101.000000.123456",
        f"conto {IBAN} Rossi",
        f"({IBAN})",
        "GB29NWBK60161331926819",
        "MT84MALT011000012345MTLCAST001S",
        "NO93 8601 1117 947",
    ],
)
def test_an_iban_is_found_in_any_grouping(text: str) -> None:
    assert first(text) is What.IBAN


@pytest.mark.parametrize(
    "text",
    [
        "http://evil.example",
        "HTTPS://EVIL.EXAMPLE/login?x=1",
        "hxxp://evil",
        "www.evil.com",
        "evil.com",
        "evil.com/pay",
        "login.evil.co.uk:8080",
        "еvil.рф",
        "xn--80ak6aa92e.xn--p1ai",
        "evil.zip",
        "Dr.Rossi",
        "10.0.0.1/x",
        "a@b.example",
    ],
)
def test_whatever_a_phone_makes_a_link_of_is_a_link(text: str) -> None:
    assert first(text) is What.LINK


@pytest.mark.parametrize(
    "text",
    ["+39 02 1234", "800 123 456", "800-123-456", "(02) 123.4567", "0039 340 1234567", "3401234567", "+39(340)12 34"],
)
def test_seven_digits_or_a_plus_are_a_phone_number(text: str) -> None:
    assert first(text) is What.PHONE_NUMBER


@pytest.mark.parametrize("character", ["\x00", "\n", "\r", "\x7f", "\u202e", "\u2066", "\u200b", "\u2028", "\ue000"])
def test_what_cannot_be_seen_is_found(character: str) -> None:
    (leak,) = leaks(f"a{character}b")

    assert (leak.what, leak.start, leak.end) == (What.CONTROL, 1, 2)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ACME S.p.A., Via Roma 12, 20121 Milano",
        "Rossi S.r.l. ha pagato. Grazie",
        "Store 123456",
        "24/7 Shop No. 3",
        "Not you? Call the number on your card.",
        "AB56 and some more words",  # passes modulo 97, but has no number of an account in it
        "Perché è già così",
        "北京 大学",
        "A & B *C* #4 @ home",
    ],
)
def test_honest_text_passes(text: str) -> None:
    assert list(leaks(text)) == []


def test_every_leak_tells_its_place() -> None:
    text = f"pay {CARD} at evil.com"

    found = {leak.what: text[leak.start : leak.end] for leak in leaks(text)}

    assert found == {What.CARD_NUMBER: CARD, What.LINK: "evil.com", What.PHONE_NUMBER: CARD}
