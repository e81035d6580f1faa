"""What is left of a name that somebody else wrote."""

# ruff: noqa: RUF001 (look-alike characters are the point)

import pytest

from consumer.core.names import NAME_CHARACTERS_MAX, cleaned


@pytest.mark.parametrize(
    "name",
    [
        "Libreria Manzoni",
        "ACME S.p.A.",
        "Caffè Così & Figli",
        "7-Eleven 123",
        "O'Neill's (Dublin)",
        "北京 大学",
        "Москва",
    ],
)
def test_an_ordinary_name_stays_as_it_is(name: str) -> None:
    assert cleaned(name) == name


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("Bar 4111-1111-1111-1111 Roma", "Bar Roma"),
        ("Rossi IT60 X054 2811 1010 0000 0123 456", "Rossi"),
        ("PAYPAL *STEAM GAMES 35314369001", "PAYPAL *STEAM GAMES"),
        ("Call +39 02 1234567", "Call"),
        ("Shop https://evil.example/login?x now", "Shop now"),
        ("Shop login.evil.com", "Shop"),
        ("Shop 10.0.0.1/login", "Shop"),
        ("Shop http://evil", "Shop"),
        ("Shop me@shop.example", "Shop"),
        ("Shop evil.com:8080", "Shop"),
        ("Shop www.example/pay", "Shop"),
        ("Shop www.bank", "Shop"),
        ("Shop evil.tube/pay", "Shop"),
    ],
)
def test_what_leaks_or_lures_is_taken_out(name: str, left: str) -> None:
    assert cleaned(name) == left


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("Amazon.it", "Amazon"),
        ("BOOKING.COM 8887654321", "BOOKING"),
        ("APPLE.COM/BILL", "APPLE"),
        ("www.zalando.de", "zalando"),
        ("amazon.co.uk", "amazon"),
    ],
)
def test_of_a_shops_internet_name_its_own_part_stays(name: str, left: str) -> None:
    assert cleaned(name) == left


@pytest.mark.parametrize(("name", "left"), [("Dr.Smith", "Dr. Smith"), ("F.lli Rossi", "F. lli Rossi")])
def test_a_dot_without_its_space_gets_one_rather_than_make_a_link(name: str, left: str) -> None:
    assert cleaned(name) == left


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("Caffè\u202eFlorian\x00", "CaffèFlorian"),
        ("  two\t\n lines\u00a0of  it ", "two lines of it"),
        ("ＦＵＬＬ　ＷＩＤＴＨ", "FULL WIDTH"),
        ("😀 Pizza ❤️", "Pizza"),
        ("*** Sale! ***", "Sale"),
        ("ｅｖｉｌ。ｃｏｍ", "evil"),
        ("４１１１ １１１１ １１１１ １１１１ Bar", "Bar"),
        ("\ufdfa", "صلى الله عليه وسلم"),
    ],
)
def test_disguises_and_what_nobody_can_read_fall_off(name: str, left: str) -> None:
    assert cleaned(name) == left


@pytest.mark.parametrize(
    "name", ["", "   ", "...", "123", "😀", "\x00\u202e", "4111111111111111", "https://evil.example"]
)
def test_where_nothing_readable_is_left_there_is_no_name(name: str) -> None:
    assert cleaned(name) is None


def test_a_long_name_is_cut_between_words() -> None:
    assert cleaned("Associazione Sportiva Dilettantistica Virtus") == "Associazione Sportiva"


def test_a_long_word_is_cut_anywhere() -> None:
    assert cleaned("W" * 100) == "W" * NAME_CHARACTERS_MAX


def test_a_name_that_stays_unclean_however_often_it_is_cleaned_is_no_name() -> None:
    assert cleaned("+12345 x " * 22) is None
