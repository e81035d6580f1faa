"""Nothing more is sent to a phone whose owner wants no more texts."""

from consumer.core.preferences import Phone
from tests.builders import preferences
from tests.dispatch.rig import OPTED_OUT, Rig


def opt_out(rig: Rig) -> None:
    rig.record()
    rig.provider.outcomes.append(OPTED_OUT)
    rig.run()


def test_the_next_notice_to_a_phone_that_opted_out_fails_without_a_call(rig: Rig) -> None:
    opt_out(rig)
    rig.record()

    rig.run()

    assert rig.standing(2) == ("failed", "opted_out")
    assert rig.triggers(2) == ["recorded", "claim", "reject"]
    assert len(rig.provider.sent) == 1


def test_another_customer_of_the_same_phone_is_not_sent_to_either(rig: Rig) -> None:
    opt_out(rig)
    rig.table.by_customer["cust-2"] = preferences(customer_id="cust-2")
    rig.record(customer_id="cust-2")

    rig.run()

    assert rig.standing(2) == ("failed", "opted_out")


def test_a_new_phone_of_the_same_customer_is_sent_to(rig: Rig) -> None:
    opt_out(rig)
    rig.ask(phone=Phone("+393471234599"))
    rig.record()

    rig.run()

    assert rig.standing(2) == ("accepted", "accepted")


def test_while_nobody_can_tell_who_opted_out_nothing_is_sent(rig: Rig) -> None:
    rig.record()
    rig.outbox.outages["opted_out"] = 1

    rig.run()

    assert rig.provider.sent == []
    assert rig.standing() == ("pending", "locked")
    assert rig.due_in_s() == 1.0
    rig.clock.advance(1)
    rig.run()
    assert rig.standing() == ("accepted", "accepted")
