"""A translator's mistakes, each found when Avviso starts and told with its place."""

from typing import Any

import pytest

from tests.texts import SHORT, problems, texts_of

NONE = "{ $bank }: debit, { $date } { $time }"


def with_none(pattern: str, more: str = "") -> str:
    """The short texts with another one of a large debit at level none."""
    return SHORT.replace(NONE, pattern) + more


def choice(selector: str, *variants: str) -> str:
    """A text that depends on `selector`."""
    lines = "".join(f"\n           {variant}" for variant in variants)
    return f"{{ {selector} ->{lines}\n    }} {{ $date }} {{ $time }}"


def test_what_is_right_is_accepted() -> None:
    assert problems("large_debit", "low_balance", en=SHORT) == ()


def test_a_kind_without_a_text_is_missing() -> None:
    found = problems("overdrawn", en=SHORT)

    assert found == tuple(f"en: overdrawn.{level}: is missing" for level in ("none", "some", "full"))


def test_a_level_without_a_text_is_missing() -> None:
    assert problems(
        "large_debit", en=SHORT.replace("    .some = { $bank }: { $amount }, { $date } { $time }\n", "")
    ) == ("en: large_debit.some: is missing",)


def test_texts_that_belong_to_no_kind_are_nobodys_mistake() -> None:
    assert problems("low_balance", en=SHORT) == ()


@pytest.mark.parametrize("source", ["large_debit = {", "large_debit\n", "    .none = text", "???"])
def test_what_is_no_fluent_is_told_with_its_line(source: str) -> None:
    found = problems("large_debit", en=f"# a comment\n\n{source}\n")

    assert any(problem.startswith("en: line 3: ") for problem in found)


def test_a_variable_that_there_is_not_is_told_with_those_that_there_are() -> None:
    (problem,) = problems("large_debit", en=with_none("{ $iban } { $date } { $time }"))

    assert problem.startswith("en: large_debit.none: there is no $iban; there are account, amount, ")


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        ("{ $amount } { $date } { $time }", "Unknown external: amount"),
        ("{ $counterparty } { $date } { $time }", "Unknown external: counterparty"),
        ("{ $card } { $date } { $time }", "Unknown external: card"),
        ("{ nowhere } { $date } { $time }", "Unknown message: nowhere"),
        ("{ low_balance } { $date } { $time }", "No pattern: low_balance"),
        ("{ -nowhere } { $date } { $time }", "Unknown term: -nowhere"),
        ("{ large_debit.none } { $date } { $time }", "FluentCyclicReferenceError"),
    ],
)
def test_what_need_not_be_there_is_not_shown_unasked(pattern: str, what: str) -> None:
    (problem,) = problems("large_debit", en=with_none(pattern))

    assert problem.startswith("en: large_debit.none: ")
    assert what in problem


def test_a_problem_names_the_event_that_it_comes_with() -> None:
    pattern = choice("$status", "[posted] { $card }", "*[other] debit")

    (problem,) = problems("large_debit", en=with_none(pattern))

    assert "of an event with status posted" in problem
    assert "$card" not in problem


def test_a_balance_has_no_amount_and_a_transaction_no_reason() -> None:
    amount = SHORT.replace("{ $bank }: { $balance }", "{ $amount }")
    reason = with_none(choice("$reason", "*[other] debit"))

    assert "amount" in problems("low_balance", en=amount)[0]
    assert "reason" in problems("large_debit", en=reason)[0]


@pytest.mark.parametrize("pattern", ["debit, { $date }", "debit, { $time }", "debit", "debit on 22 Nov at 14:30"])
def test_a_text_that_does_not_tell_when_it_happened_is_refused(pattern: str) -> None:
    (problem,) = problems("large_debit", en=with_none(pattern))

    assert "does not tell when it happened" in problem


@pytest.mark.parametrize("symbol", ["status", "channel", "direction", "has_card"])
def test_a_symbol_is_not_shown(symbol: str) -> None:
    (problem,) = problems("large_debit", en=with_none(f"{{ ${symbol} }} {{ $date }} {{ $time }}"))

    assert f"${symbol} is there to select by, not to be shown" in problem


@pytest.mark.parametrize(
    ("selector", "key", "what"),
    [
        ("$status", "autorised", "$status is never autorised; it is authorised, posted, declined, reversed"),
        ("$status", "1", "$status is never 1; it is authorised, posted, declined, reversed"),
        ("$has_card", "true", "$has_card is never true; it is yes, no"),
        ("$amount", "big", "a text selects by channel, direction, "),
        ("1", "1", "a text selects by channel, direction, "),
    ],
)
def test_a_variant_that_can_never_be_chosen_is_refused(selector: str, key: str, what: str) -> None:
    found = problems("large_debit", en=with_none(choice(selector, f"[{key}] a", "*[other] b")))

    assert any(what in problem for problem in found)


def test_a_function_is_refused() -> None:
    (problem,) = problems("large_debit", en=with_none("{ DATETIME($date) } { $time }"))

    assert problem == "en: large_debit.none: take out DATETIME(): values come formatted"


def test_a_term_that_shows_a_value_is_refused_as_it_would_show_nothing() -> None:
    found = problems("large_debit", en=with_none("{ -when }", "-when = { $date } { $time }\n"))

    assert found == ("en: -when: a term cannot see values; write it without the dash",)


def test_a_message_that_is_written_twice_is_refused() -> None:
    assert problems("large_debit", en=SHORT + "low_balance =\n    .none = low\n") == (
        "en: low_balance.none: is written twice",
    )


@pytest.mark.parametrize("character", ["\u202e", "\u200b", "\x07", "\ue000", "\t"])
def test_an_invisible_character_is_told_with_its_line(character: str) -> None:
    found = problems("large_debit", en=SHORT.replace("debit,", f"debit{character},"))

    assert "en: line 3: take out the invisible character" in found


@pytest.mark.parametrize("written", [SHORT.replace("\n", "\r\n"), f"\ufeff{SHORT}"])
def test_a_file_written_on_windows_is_read(written: str) -> None:
    assert problems("large_debit", en=written) == ()


@pytest.mark.parametrize("language", ["xx", "tlh", "e"])
def test_a_language_that_cldr_does_not_know_is_refused(language: str) -> None:
    sources: dict[str, Any] = {language: SHORT}

    (problem,) = problems("large_debit", default=language, **sources)

    assert problem == f"{language}: {language} is no language that CLDR knows"


def test_a_default_language_without_texts_is_refused() -> None:
    assert problems("large_debit", default="de", en=SHORT) == ("there are no texts in the default language, de",)


def test_a_text_is_measured_with_the_longest_that_can_stand_in_it() -> None:
    long = SHORT.replace("at { $counterparty }", "at { $counterparty }" + " word" * 20)

    assert problems("large_debit", en=long, parts_max=2) == ()
    (problem,) = problems("large_debit", en=long, parts_max=1)

    assert problem.startswith("en: large_debit.full: takes 2 parts at worst; at most 1 are allowed (of an event with ")
    assert "$counterparty" in problem


def test_a_text_longer_than_sns_takes_is_refused_whatever_number_of_parts_is_allowed() -> None:
    found = problems("large_debit", en=with_none("word " * 400 + "{ $date } { $time }"), parts_max=99)

    assert "takes 14 parts at worst" in found[0]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("see www.bank.example", "link"),
        ("call 800 123 456", "phone_number"),
        ("IBAN IT60X0542811101000000123456", "iban"),
        ("card 4111 1111 1111 1111", "card_number"),
        ("end.{ $bank }", "link"),
    ],
)
def test_a_text_that_the_guard_would_refuse_is_refused_before(words: str, what: str) -> None:
    (problem,) = problems("large_debit", en=with_none(f"{words} {{ $date }} {{ $time }}"), bank="Banca")

    assert f"would be refused by the guard: {what}" in problem


def test_a_bank_that_is_called_like_a_link_is_refused() -> None:
    assert all("link" in problem for problem in problems("large_debit", en=SHORT, bank="bank.com"))
    assert len(problems("large_debit", en=SHORT, bank="bank.com")) == 3


def test_every_text_in_every_language_is_tried() -> None:
    texts = texts_of("large_debit", "low_balance", en=SHORT, it=SHORT, pt_BR=SHORT)

    assert texts.languages == ("en", "it", "pt-br")
