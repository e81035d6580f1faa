"""The text that is sent: in the language of now, as open as both then and now allow, and past the guard."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from consumer.core.masking import Masked, MaskedName
from consumer.core.names import CleanName
from consumer.core.preferences import DetailLevel
from tests.builders import NOW, PHONE, notice
from tests.dispatch.rig import AMBIGUOUS, SECURITY_NOTICE, Rig


def values(**changes: Masked) -> Mapping[str, Masked]:
    return {**notice().values, "counterparty": MaskedName(name=CleanName("Libreria Manzoni")), **changes}


def text_of(rig: Rig) -> str:
    (sms,) = rig.provider.sent
    return sms.text


def language_in_history(rig: Rig) -> str:
    story = rig.reader.show(1)
    assert story is not None
    (language,) = [entry.detail["language"] for entry in story.history if entry.trigger == "begin"]
    return language


def test_the_text_is_in_the_language_of_now(rig: Rig) -> None:
    rig.record()
    rig.ask(language="it")

    rig.run()

    assert text_of(rig).startswith("Addebito")
    assert language_in_history(rig) == "it"


def test_a_language_that_nobody_wrote_texts_in_gets_the_default_one(rig: Rig) -> None:
    rig.record()
    rig.ask(language="tlh")

    rig.run()

    assert text_of(rig).startswith("Debit")
    assert language_in_history(rig) == "en"


def test_a_text_tells_the_time_on_the_clock_of_the_customer_of_now(rig: Rig) -> None:
    rig.record()
    rig.ask(time_zone="Asia/Tokyo")

    rig.run()

    assert "22:29" in text_of(rig)


@pytest.mark.parametrize(
    ("then", "now", "amount", "name"),
    [
        (DetailLevel.FULL, DetailLevel.FULL, True, True),
        (DetailLevel.FULL, DetailLevel.SOME, True, False),
        (DetailLevel.FULL, DetailLevel.NONE, False, False),
        (DetailLevel.SOME, DetailLevel.FULL, True, False),
        (DetailLevel.NONE, DetailLevel.FULL, False, False),
    ],
)
def test_the_lower_detail_level_of_then_and_now_counts(
    rig: Rig, then: DetailLevel, now: DetailLevel, amount: bool, name: bool
) -> None:
    rig.record(detail_level=then, values=values())
    rig.ask(detail_level=now)

    rig.run()

    assert ("250.00" in text_of(rig)) is amount
    assert ("Manzoni" in text_of(rig)) is name


def test_a_text_that_the_guard_refuses_is_not_sent(rig: Rig) -> None:
    rig.record(values=values(counterparty=MaskedName(name=CleanName("4111 1111 1111 1111"))))

    rig.run()

    assert rig.standing() == ("failed", "guard_card_number")
    assert rig.provider.sent == []


def test_a_text_of_too_many_parts_is_not_sent(tmp_path: Path) -> None:
    rig = Rig(tmp_path, limits={"parts_max": 1})
    rig.record(kind="atm_withdrawal")
    rig.record()

    rig.run()

    assert rig.standing(1) == ("failed", "too_long")
    assert rig.standing(2) == ("accepted", "accepted")
    rig.close()


def test_a_notice_recorded_before_its_text_asked_for_more_is_not_sent(rig: Rig) -> None:
    rig.record(values={"occurred_at": notice().values["occurred_at"]})

    rig.run()

    assert rig.standing() == ("failed", "unformable")
    assert rig.provider.sent == []


def test_nothing_private_is_logged_whatever_becomes_of_a_notice(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    rig.provider.outcomes.append(AMBIGUOUS)
    for changes in ({}, {"stale_at": NOW + timedelta(seconds=1)}, SECURITY_NOTICE):
        rig.record(values=values(), **changes)
    rig.run()
    rig.ask(phone=None)
    rig.clock.advance(1)
    rig.record(values=values())
    rig.run()

    logged = " ".join(f"{record.getMessage()} {record.__dict__.get('fields')}" for record in caplog.records)
    assert "notice_settled" in logged
    for private in (PHONE, PHONE[1:], "Manzoni", "250.00", "Debit", "3456"):
        assert private not in logged
