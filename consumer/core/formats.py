"""Amounts and instants as the readers of one language write them."""

from datetime import datetime
from decimal import localcontext
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_skeleton, format_time
from babel.numbers import format_currency

from consumer.core.gsm7 import plain
from consumer.core.masking import MaskedMoney

_DIGITS_MAX = 2_000
"""More than any text holds: an amount too long to send is for whoever counts parts, not a crash."""
_MONEY = "¤¤ #,##0.00;¤¤ -#,##0.00"


class Formats:
    """By CLDR: separators, digits per currency, order of day and month, 12 or 24 hours; spaces and signs as in GSM-7."""

    def __init__(self, locale: str) -> None:
        """`locale` as a language tag (`it`, `en-GB`). Raises ValueError where CLDR does not know it."""
        self.tag = locale
        try:
            self._locale = Locale.parse(locale.replace("-", "_"))
        except (UnknownLocaleError, ValueError):
            raise ValueError("no language that CLDR knows") from None

    def money(self, money: MaskedMoney) -> str:
        """`EUR -1.250,00`: the ISO 4217 code first, so that no sign can be misread or cost a part."""
        with localcontext(prec=_DIGITS_MAX):
            return plain(format_currency(money.amount, money.currency, _MONEY, locale=self._locale))

    def date(self, at: datetime, zone: ZoneInfo) -> str:
        """Day and short month in `zone`, `22 Nov`: a text is read within days, so the year goes without saying."""
        return plain(format_skeleton("MMMd", at.astimezone(zone), tzinfo=zone, locale=self._locale))

    def time(self, at: datetime, zone: ZoneInfo) -> str:
        """Hour and minute on the clocks of `zone`, `14:30` or `2:30 PM`."""
        return plain(format_time(at.astimezone(zone), "short", tzinfo=zone, locale=self._locale))
