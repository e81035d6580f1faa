"""Amounts and instants as the readers of a language write them, and always as a keyboard does."""

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from consumer.core.formats import Formats
from consumer.core.gsm7 import Encoding, encoding
from consumer.core.masking import MaskedMoney

AT = datetime(2026, 11, 22, 13, 30, tzinfo=UTC)
ROME = ZoneInfo("Europe/Rome")


def money(amount: str, currency: str = "EUR") -> MaskedMoney:
    return MaskedMoney(amount=Decimal(amount), currency=currency)


@pytest.mark.parametrize(
    ("locale", "written"),
    [
        ("it", "EUR -1.250.000,50"),
        ("en-GB", "EUR -1,250,000.50"),
        ("fr", "EUR -1 250 000,50"),
        ("sv", "EUR -1 250 000,50"),
        ("de-CH", "EUR -1'250'000.50"),
        ("ar", "EUR -1,250,000.50"),
    ],
)
def test_the_separators_are_the_languages_own(locale: str, written: str) -> None:
    formatted = Formats(locale).money(money("-1250000.5"))

    assert formatted == written
    assert encoding(formatted) is Encoding.GSM7


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        ("12.5", "EUR", "EUR 12,50"),
        ("1250", "JPY", "JPY 1.250"),
        ("1.2345", "KWD", "KWD 1,234"),
        ("12.5000", "EUR", "EUR 12,50"),
        ("5", "XYZ", "XYZ 5,00"),
        ("1E+3", "EUR", "EUR 1.000,00"),
    ],
)
def test_a_currency_has_the_digits_that_cldr_gives_it(amount: str, currency: str, written: str) -> None:
    assert Formats("it").money(money(amount, currency)) == written


def test_the_widest_amount_that_avro_can_carry_is_written_in_full() -> None:
    assert Formats("en").money(money("9" * 38)) == f"EUR {int('9' * 38):,}.00"


@pytest.mark.parametrize(
    ("locale", "date", "time"),
    [("it", "22 nov", "14:30"), ("en-GB", "22 Nov", "14:30"), ("en", "Nov 22", "2:30 PM"), ("de", "22. Nov.", "14:30")],
)
def test_an_instant_is_told_in_the_zone_and_the_short_form_of_its_reader(locale: str, date: str, time: str) -> None:
    formats = Formats(locale)

    assert (formats.date(AT, ROME), formats.time(AT, ROME)) == (date, time)


def test_the_day_is_the_one_on_the_customers_calendar() -> None:
    formats = Formats("en-GB")
    late = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)

    assert formats.date(late, ROME) == "23 Nov"
    assert formats.date(late, ZoneInfo("America/New_York")) == "22 Nov"


@pytest.mark.parametrize("locale", ["", "xx", "it_", "../etc", "a b"])
def test_a_language_that_cldr_does_not_know_is_refused(locale: str) -> None:
    with pytest.raises(ValueError, match="CLDR"):
        Formats(locale)
