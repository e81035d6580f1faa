"""Between the recording and the sending the customer, the bank and the clock may have changed their minds."""

from collections.abc import Mapping
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest

from consumer.core.catalogue import Catalogue, InDoubtPolicy, SmsType
from consumer.core.preferences import AlertPreference, Phone, QuietHours
from tests.builders import NOW, preferences
from tests.dispatch.bank import CATALOGUE
from tests.dispatch.rig import AMBIGUOUS, SECURITY_NOTICE, Rig, told

OFF = AlertPreference(enabled=False)
ON = AlertPreference(enabled=True)
MARKETING_NOTICE: dict[str, Any] = {"kind": "new_offer", "alert_class": "marketing", "rank": 4}
ROME_IS_ASLEEP = QuietHours(start=time(14), end=time(15))  # it is 14:30 there


def text_of(rig: Rig) -> str:
    (sms,) = rig.provider.sent
    return sms.text


def test_a_text_goes_to_the_phone_of_now_as_the_class_says(rig: Rig) -> None:
    rig.record()
    rig.ask(phone=Phone("+393490000001"))

    rig.run()

    (sms,) = rig.provider.sent
    assert sms.phone == Phone("+393490000001")
    assert sms.sms_type is SmsType.TRANSACTIONAL


def test_a_kind_switched_off_meanwhile_is_cancelled(rig: Rig) -> None:
    rig.record()
    rig.ask(alerts={"large_debit": OFF})

    rig.run()

    assert rig.standing() == ("cancelled", "switched_off")
    assert rig.provider.sent == []


def test_another_kind_that_was_to_be_told_along_takes_the_place_of_one_switched_off(rig: Rig) -> None:
    rig.record(kind="atm_withdrawal", also=("large_debit",))
    rig.ask(alerts={"atm_withdrawal": OFF, "large_debit": ON})

    rig.run()

    assert rig.standing()[0] == "accepted"
    assert text_of(rig).startswith("Debit")


def test_a_kind_that_the_bank_has_taken_out_of_its_catalogue_is_cancelled(tmp_path: Path) -> None:
    rig = Rig(tmp_path, catalogue=Catalogue(version="2", kinds=CATALOGUE.kinds[:1]))
    rig.record()

    rig.run()

    assert rig.standing() == ("cancelled", "no_kind")
    rig.close()


@pytest.mark.parametrize("consents", [{}, {"marketing": False}])
def test_consent_withdrawn_meanwhile_cancels(rig: Rig, consents: Mapping[str, bool]) -> None:
    rig.record(**MARKETING_NOTICE)
    rig.ask(alerts={"new_offer": ON}, consents=consents)

    rig.run()

    assert rig.standing() == ("cancelled", "no_consent")


def test_whoever_refuses_a_class_that_needs_no_consent_is_not_told_either(rig: Rig) -> None:
    rig.record()
    rig.ask(consents={"transaction": False})

    rig.run()

    assert rig.standing() == ("cancelled", "no_consent")


def test_a_customer_erased_meanwhile_is_told_nothing(rig: Rig) -> None:
    rig.record()
    rig.forget()

    rig.run()

    assert rig.standing() == ("cancelled", "no_preferences")


def test_an_optional_notice_without_a_usable_phone_fails_without_an_alarm(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.record()
    rig.ask(phone_verified=False)

    rig.run()

    assert rig.standing() == ("failed", "no_phone")
    assert told(caplog, "notice_without_phone") == []


@pytest.mark.parametrize("erased", [True, False])
def test_a_mandatory_notice_waits_for_a_phone_and_is_sent_when_there_is_one(rig: Rig, erased: bool) -> None:
    rig.record(**SECURITY_NOTICE)
    rig.forget() if erased else rig.ask(phone=None)

    rig.run()
    assert rig.standing() == ("pending", "no_phone")
    assert rig.due_in_s() == 60.0

    rig.table.by_customer["cust-1"] = preferences()
    rig.clock.advance(60)
    rig.run()
    assert rig.standing()[0] == "accepted"


def test_a_mandatory_notice_that_nobody_could_receive_fails_with_an_alarm(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.record(**SECURITY_NOTICE, stale_at=NOW + timedelta(seconds=150))
    rig.forget()

    for _ in range(3):
        rig.run()
        rig.clock.advance(60)

    assert rig.standing() == ("failed", "no_phone")
    assert told(caplog, "notice_without_phone") == [{"level": "ERROR", "notice_id": 1, "kind": "card_not_present"}]
    assert rig.triggers().count("release") == 2


def test_a_mandatory_notice_that_may_have_been_received_before_is_held_and_no_alarm(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.record(**SECURITY_NOTICE, in_doubt=InDoubtPolicy.RESEND, stale_at=NOW + timedelta(seconds=930))
    rig.provider.outcomes.append(AMBIGUOUS)
    rig.run()
    rig.forget()
    rig.clock.advance(900)

    rig.run()

    assert rig.standing() == ("held", "no_phone")
    assert told(caplog, "notice_without_phone") == []


def test_a_mandatory_kind_ignores_switch_and_consent(rig: Rig) -> None:
    rig.record(**SECURITY_NOTICE)
    rig.ask(alerts={"card_not_present": OFF}, consents={"security": False})

    rig.run()

    assert rig.standing()[0] == "accepted"


def test_what_was_recorded_before_the_customer_said_what_cannot_be_read_is_cancelled(rig: Rig) -> None:
    rig.record()
    rig.table.by_customer["cust-1"] = preferences().after_unreadable()

    rig.run()

    assert rig.standing() == ("cancelled", "suspended")
    assert rig.provider.sent == []


def test_a_mandatory_notice_is_sent_to_the_phone_known_before_what_cannot_be_read(rig: Rig) -> None:
    rig.record(**SECURITY_NOTICE)
    rig.table.by_customer["cust-1"] = preferences().after_unreadable()

    rig.run()

    assert rig.standing()[0] == "accepted"
    (sms,) = rig.provider.sent
    assert sms.phone == preferences().phone


def test_what_went_stale_between_claim_and_work_expires(rig: Rig) -> None:
    rig.record(stale_at=NOW + timedelta(seconds=5))
    (claim,) = rig.claim()
    rig.clock.advance(5)

    rig.dispatch.work(claim)

    assert rig.standing() == ("expired", "stale")
    assert rig.provider.sent == []


def test_quiet_hours_that_began_meanwhile_put_it_off_until_they_end(rig: Rig) -> None:
    rig.record()
    rig.ask(quiet_hours=ROME_IS_ASLEEP)

    rig.run()
    assert rig.standing() == ("pending", "quiet_hours")
    assert rig.due_in_s() == 30 * 60

    rig.clock.advance(30 * 60)
    rig.run()
    assert rig.standing()[0] == "accepted"


def test_quiet_hours_that_outlast_the_news_let_it_expire(rig: Rig) -> None:
    rig.record(stale_at=NOW + timedelta(minutes=30))
    rig.ask(quiet_hours=ROME_IS_ASLEEP)

    rig.run()

    assert rig.standing() == ("expired", "quiet_past_freshness")


def test_a_security_notice_is_told_in_quiet_hours_too(rig: Rig) -> None:
    rig.record(**SECURITY_NOTICE)
    rig.ask(quiet_hours=ROME_IS_ASLEEP)

    rig.run()

    assert rig.standing()[0] == "accepted"
