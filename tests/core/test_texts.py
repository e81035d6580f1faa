"""Composing: the nearest language, the customer's clock, names in the text's characters, the places of what is ours."""

from decimal import Decimal
from typing import Any

import pytest

from consumer.core.egress import refusal
from consumer.core.event import Counterparty
from consumer.core.masking import Masked, MaskedMoney, MaskedName, masked_values
from consumer.core.names import CleanName
from consumer.core.preferences import DetailLevel
from consumer.core.texts import InvalidTexts, Texts, Unformable
from tests.builders import balance, transaction
from tests.texts import ROME, SHIPPED, SHORT, problems, texts_of, told

FULL = DetailLevel.FULL
CYRILLIC = SHORT.replace(": debit,", ": дебет,")


def shop(name: str) -> Counterparty:
    return Counterparty(name=name)


def one_language_each(**sources: str) -> Texts:
    """Texts that say in which language they are."""
    marked: dict[str, Any] = {language: SHORT.replace(": debit,", f": debit-{language},") for language in sources}
    return texts_of("large_debit", default="en", **marked)


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("it", "it"),
        ("IT", "it"),
        ("it-CH", "it"),
        ("it_CH", "it"),
        ("pt-BR", "pt_BR"),
        ("pt-br-x-private", "pt_BR"),
        ("pt-PT", "en"),
        ("de", "en"),
        ("", "en"),
        ("no such language", "en"),
    ],
)
def test_the_nearest_language_is_taken_else_the_banks_own(wanted: str, given: str) -> None:
    texts = one_language_each(en="", it="", pt_BR="")

    text = told(transaction(), "large_debit", language=wanted, level=DetailLevel.NONE, texts=texts)

    assert f"debit-{given}," in text.body
    assert text.language == given.replace("_", "-")


def test_the_instant_is_on_the_customers_clock() -> None:
    in_auckland = told(transaction(), "large_debit", time_zone="Pacific/Auckland").body

    assert "on 23 Nov at 02:29" in in_auckland


def test_a_file_may_say_whose_amounts_and_dates_it_uses() -> None:
    american = texts_of("large_debit", en=SHORT)
    british = texts_of("large_debit", en=f"-locale = en-GB\n{SHORT}")

    assert told(transaction(), "large_debit", texts=american).body.endswith("Nov 22 2:29 PM")
    assert told(transaction(), "large_debit", texts=british).body.endswith("22 Nov 14:29")


def test_a_name_is_brought_into_the_characters_of_the_text() -> None:
    event = transaction(counterparty=shop("Łódź Смирнов"))

    text = told(event, "large_debit")

    assert "at Lodz Smirnov " in text.body
    assert text.parts == 1


def test_a_text_that_is_ucs2_anyway_leaves_names_as_they_are() -> None:
    texts = texts_of("large_debit", en=CYRILLIC)

    text = told(transaction(counterparty=shop("Смирнов")), "large_debit", texts=texts)

    assert "at Смирнов," in text.body


def test_a_bank_with_an_accent_costs_no_ucs2() -> None:
    texts = texts_of("large_debit", en=SHORT, bank="Česká")

    assert told(transaction(), "large_debit", texts=texts).body.startswith("Ceska: ")


def test_typographic_quotes_of_a_translator_cost_no_ucs2() -> None:
    texts = texts_of("large_debit", en=SHORT.replace("debit,", "l\u2019addebito \u2013"))

    text = told(transaction(), "large_debit", level=DetailLevel.NONE, texts=texts)

    assert "l'addebito - " in text.body


def test_a_name_that_becomes_a_link_only_in_other_characters_is_cleaned_again() -> None:
    """The dot is Ethiopic, U+1362: no phone makes a link of it, but transliterated it is a plain one."""
    name = MaskedName(name=CleanName("evil\u1362com"))
    values: dict[str, Masked] = {**masked_values(transaction(), FULL), "counterparty": name}

    text = SHIPPED.compose(kind="large_debit", language="en", level=FULL, values=values, time_zone=ROME)

    assert " at evil booked" in text.body
    assert refusal(text) is None


def test_a_name_of_which_nothing_is_left_in_other_characters_leaves_no_gap() -> None:
    name = MaskedName(name=CleanName("\u0301"))
    values: dict[str, Masked] = {**masked_values(transaction(), FULL), "counterparty": name}

    text = SHIPPED.compose(kind="large_debit", language="en", level=FULL, values=values, time_zone=ROME)

    assert "of EUR 250.00 booked" in text.body


def test_a_name_that_is_refused_only_together_with_the_words_around_it_is_left_out() -> None:
    glued = SHORT.replace("at { $counterparty }", "800{ $counterparty }")
    texts = texts_of("large_debit", en=glued)

    text = told(transaction(counterparty=shop("1234 Bar")), "large_debit", texts=texts)

    assert refusal(text) is None
    assert "Bar" not in text.body


def test_a_name_that_was_never_cleaned_is_left_to_the_guard() -> None:
    name = MaskedName(name=CleanName("4111 1111 1111 1111"))
    values: dict[str, Masked] = {**masked_values(transaction(), FULL), "counterparty": name}

    text = SHIPPED.compose(kind="large_debit", language="en", level=FULL, values=values, time_zone=ROME)

    assert refusal(text) == "card_number"


def test_values_above_the_level_are_not_used_though_they_are_there() -> None:
    values = masked_values(transaction(), FULL)

    text = SHIPPED.compose(kind="large_debit", language="en", level=DetailLevel.NONE, values=values, time_zone=ROME)

    assert "250" not in text.body
    assert "Manzoni" not in text.body


def test_spans_are_the_places_of_what_we_formatted_and_of_nothing_else() -> None:
    text = told(transaction(), "large_debit")

    ours = [text.body[start:end] for start, end in text.spans]

    assert ours == ["EUR 250.00", "22 Nov", "14:29", "4242", "EUR 1,200.00"]


def test_an_amount_of_any_length_can_be_composed_and_counted() -> None:
    amount = MaskedMoney(amount=Decimal(10**1500), currency="EUR")
    values: dict[str, Masked] = {**masked_values(transaction(), FULL), "amount": amount}

    text = SHIPPED.compose(kind="large_debit", language="en", level=FULL, values=values, time_zone=ROME)

    assert text.parts > 12


def test_an_event_of_another_sort_than_the_kind_was_checked_with_is_an_error_that_names_no_value() -> None:
    with pytest.raises(Unformable) as raised:
        told(balance(), "large_debit")

    assert "large_debit.full" in str(raised.value)
    assert "amount" in str(raised.value)
    assert "40" not in str(raised.value)


def test_a_kind_that_nobody_checked_is_an_error() -> None:
    with pytest.raises(Unformable, match=r"en: unknown\.full: is not written"):
        told(transaction(), "unknown")


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(InvalidTexts) as raised:
        texts_of("large_debit", "overdrawn", default="fr", en="large_debit = none", it=SHORT)

    assert raised.value.problems == problems(
        "large_debit", "overdrawn", default="fr", en="large_debit = none", it=SHORT
    )
    assert len(raised.value.problems) == 3 + 3 + 3 + 1
    assert all(problem in str(raised.value) for problem in raised.value.problems)
