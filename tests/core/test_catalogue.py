"""The alert catalogue: read whole, or refused with everything that is wrong in it."""

import copy
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from consumer.core.catalogue import InDoubtPolicy, InvalidCatalogue, SmsType, catalogue_from
from consumer.core.preferences import Repeat
from tests.deciding import CATALOGUE

SMALL: Mapping[str, Any] = {
    "version": "7",
    "classes": {
        "money": {"rank": 1, "sms_type": "Transactional", "freshness": "12 h", "in_doubt": "hold"},
        "offers": {
            "rank": 4,
            "sms_type": "Promotional",
            "freshness": "1 d",
            "in_doubt": "hold",
            "consent_required": True,
        },
    },
    "kinds": {
        "big": {"class": "money", "rule": "debit_from_threshold", "thresholds": {"EUR": 100, "USD": "99.50"}},
        "low": {"class": "money", "rule": "balance_below_threshold", "thresholds": {"EUR": 50}},
    },
}


def document(*path_and_value: Any) -> dict[str, Any]:
    """SMALL with one value put somewhere: keys, then the value; `...` as the value takes the key out."""
    changed: dict[str, Any] = copy.deepcopy(dict(SMALL))
    *path, last, value = path_and_value
    place = changed
    for key in path:
        place = place[key]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return changed


def problems(content: Any) -> tuple[str, ...]:
    with pytest.raises(InvalidCatalogue) as refused:
        catalogue_from(content)
    return refused.value.problems


def test_what_ships_has_the_seven_kinds_in_the_order_that_breaks_ties() -> None:
    assert [(kind.name, kind.alert_class.name) for kind in CATALOGUE.kinds] == [
        ("card_not_present", "security"),
        ("atm_withdrawal", "transaction"),
        ("salary_received", "transaction"),
        ("refund_or_reversal", "transaction"),
        ("large_debit", "transaction"),
        ("overdrawn", "balance"),
        ("low_balance", "balance"),
    ]


def test_what_ships_lets_only_security_disturb_at_night_and_be_sent_twice() -> None:
    security = CATALOGUE.kind("card_not_present")

    assert [kind.name for kind in CATALOGUE.kinds if kind.bypasses_quiet_hours] == [security.name]
    assert [kind.name for kind in CATALOGUE.kinds if kind.in_doubt is InDoubtPolicy.RESEND] == [security.name]
    assert security.alert_class.rank == 0


def test_what_ships_tells_balances_until_they_recover() -> None:
    assert {kind.repeat for kind in CATALOGUE.kinds_for("BalanceChanged")} == {Repeat.UNTIL_RECOVERED}


def test_a_kind_is_treated_as_its_class_says() -> None:
    kind = catalogue_from(SMALL).kind("big")

    assert kind.freshness == timedelta(hours=12)
    assert kind.in_doubt is InDoubtPolicy.HOLD
    assert (kind.bypasses_quiet_hours, kind.mandatory, kind.enabled_by_default) == (False, False, False)
    assert kind.alert_class.sms_type is SmsType.TRANSACTIONAL


def test_a_kind_may_differ_from_its_class() -> None:
    own = {"freshness": "90 s", "in_doubt": "resend", "bypasses_quiet_hours": True}

    kind = catalogue_from(document("kinds", "big", SMALL["kinds"]["big"] | own)).kind("big")

    assert (kind.freshness, kind.in_doubt) == (timedelta(seconds=90), InDoubtPolicy.RESEND)
    assert kind.bypasses_quiet_hours


def test_amounts_are_exact() -> None:
    assert catalogue_from(SMALL).kind("big").thresholds == {"EUR": Decimal(100), "USD": Decimal("99.50")}


def test_kinds_are_found_by_name_and_by_the_type_of_event_that_their_rule_judges() -> None:
    small = catalogue_from(SMALL)

    assert [kind.name for kind in small.kinds_for("BalanceChanged")] == ["low"]
    assert small.kinds_for("Unheard") == ()
    with pytest.raises(KeyError):
        small.kind("unheard")


def test_what_a_kind_does_not_say_depends_on_its_rule() -> None:
    small = catalogue_from(SMALL)

    assert (small.kind("big").repeat, small.kind("low").repeat) == (Repeat.EVERY_TIME, Repeat.UNTIL_RECOVERED)
    assert small.kind("big").tolerance_ratio == 0


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("version", ...), "version: is missing"),
        (("version", 7), "version: write a text in quotes"),
        (("version", ""), "version: write a text in quotes"),
        (("kinds", ...), "kinds: is missing"),
        (("kinds", {}), "kinds: describe at least one kind: a catalogue without any tells nothing"),
        (("colour", "red"), "colour: there is no such key; there are classes, kinds, version"),
        (("classes", "money", "rank", -1), "classes.money.rank: write a whole number from 0 on"),
        (("classes", "money", "rank", True), "classes.money.rank: write a whole number from 0 on"),
        (("classes", "money", "sms_type", "Cheap"), "classes.money.sms_type: write one of Transactional, Promotional"),
        (("classes", "money", "in_doubt", ["hold"]), "classes.money.in_doubt: write one of hold, resend"),
        (("classes", "money", "freshness", ...), "classes.money.freshness: is missing"),
        (
            ("classes", "money", "freshness", 12),
            "classes.money.freshness: write a duration with its unit, as 90 s, 30 min, 12 h or 2 d",
        ),
        (
            ("classes", "money", "freshness", "12 hours"),
            "classes.money.freshness: write a duration with its unit, as 90 s, 30 min, 12 h or 2 d",
        ),
        (
            ("classes", "money", "freshness", "8 d"),
            "classes.money.freshness: write 7 d at most: nobody wants older news as an SMS",
        ),
        (("classes", "money", "consent_required", "yes"), "classes.money.consent_required: write true or false"),
        (("kinds", "big", "class", "monie"), "kinds.big.class: write one of money, offers"),
        (("kinds", "big", "class", ["money"]), "kinds.big.class: write one of money, offers"),
        (("kinds", "big", "thresholds", ...), "kinds.big.thresholds: is missing"),
        (("kinds", "big", "thresholds", 100), "kinds.big.thresholds: write keys with values here"),
        (
            ("kinds", "big", "thresholds", {"EUR": 99.5}),
            'kinds.big.thresholds.EUR: write a whole number, or a decimal in quotes, as "12.50"',
        ),
        (
            ("kinds", "big", "thresholds", {"EUR": "a lot"}),
            'kinds.big.thresholds.EUR: write a whole number, or a decimal in quotes, as "12.50"',
        ),
        (
            ("kinds", "big", "thresholds", {"EUR": "NaN"}),
            'kinds.big.thresholds.EUR: write a whole number, or a decimal in quotes, as "12.50"',
        ),
        (
            ("kinds", "big", "thresholds", {"EUR": True}),
            'kinds.big.thresholds.EUR: write a whole number, or a decimal in quotes, as "12.50"',
        ),
        (
            ("kinds", "big", "thresholds", {"euro": 100}),
            "kinds.big.thresholds.euro: write the three capital letters of an ISO 4217 currency code",
        ),
        (
            ("kinds", "big", "thresholds", {False: 100}),
            "kinds.big.thresholds.False: write the three capital letters of an ISO 4217 currency code",
        ),
        (
            ("kinds", "big", "repeat", "until_recovered"),
            "kinds.big.repeat: write every_time or once_a_day: only a balance can recover",
        ),
        (
            ("kinds", "low", "tolerance_ratio", "0.05"),
            "kinds.low.tolerance_ratio: take it out: a balance has no authorisation to be compared with",
        ),
        (
            ("kinds", "big", "tolerance_ratio", 5),
            'kinds.big.tolerance_ratio: write a share between 0 and 1 in quotes, as "0.05" for five per cent',
        ),
        (
            ("kinds", "low", "rule", "overdrawn"),
            "kinds.low.thresholds: take them out: the rule compares no amount with a threshold",
        ),
        (("kinds", "low", "treshold", 5), None),
        (
            ("kinds", "Low Balance", {"class": "money", "rule": "overdrawn"}),
            "kinds.Low Balance: name it in small letters, digits and underscores, a letter first, 40 at most",
        ),
        (
            ("kinds", True, {"class": "money", "rule": "overdrawn"}),
            "kinds.True: name it in small letters, digits and underscores, a letter first, 40 at most",
        ),
        (
            ("kinds", "big", {"class": "offers", "rule": "salary", "mandatory": True}),
            "kinds.big.mandatory: write false: nobody can be made to consent, and class offers requires it",
        ),
    ],
)
def test_a_mistake_is_refused_with_its_place_and_its_cure(change: tuple[Any, ...], problem: str | None) -> None:
    (found,) = problems(document(*change))

    assert found == problem or (problem is None and found.startswith("kinds.low.treshold: there is no such key; "))


def test_an_unknown_rule_is_refused_with_those_that_there_are() -> None:
    (problem,) = problems(document("kinds", "big", "rule", "guess"))

    assert problem.startswith("kinds.big.rule: write one of debit_from_threshold, card_not_present, ")


def test_a_kind_without_class_and_rule_is_still_read_for_what_else_is_wrong() -> None:
    assert problems(document("kinds", "big", {"mandatory": "maybe", "thresholds": {"EUR": 0.5}})) == (
        "kinds.big.class: is missing",
        "kinds.big.rule: is missing",
        "kinds.big.mandatory: write true or false",
        'kinds.big.thresholds.EUR: write a whole number, or a decimal in quotes, as "12.50"',
    )


def test_a_kind_without_a_rule_is_not_asked_for_what_only_some_rules_need() -> None:
    assert problems(document("kinds", "big", {"class": "money"})) == ("kinds.big.rule: is missing",)


def test_without_classes_no_kind_has_one() -> None:
    assert problems(document("classes", ["money"]))[0] == "classes: write keys with values here"
    assert "kinds.big.class: write one of (none is described)" in problems(document("classes", {}))


def test_an_empty_document_is_told_what_it_needs() -> None:
    assert problems(None) == (
        "the document: write keys with values here",
        "version: is missing",
        "classes: is missing",
        "kinds: is missing",
    )


def test_all_mistakes_are_named_at_once() -> None:
    wrong = document("classes", "money", "rank", "first")
    wrong["kinds"]["big"]["thresholds"]["EUR"] = 1.5
    wrong["kinds"]["low"]["mandatory"] = 1

    with pytest.raises(InvalidCatalogue) as refused:
        catalogue_from(wrong)

    assert len(refused.value.problems) == 3
    assert all(problem in str(refused.value) for problem in refused.value.problems)
