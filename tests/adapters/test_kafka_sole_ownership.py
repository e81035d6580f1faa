"""Who must own every partition: how long it waits, and when it ends."""

import pytest

from consumer.adapters.kafka_source.ownership import SoleOwnership
from consumer.errors import Broken


def test_nothing_is_in_question_before_the_first_assignment() -> None:
    ownership = SoleOwnership(patience_s=10)

    assert not ownership.in_question
    assert not ownership.proven


def test_a_whole_share_proves_it() -> None:
    ownership = SoleOwnership(patience_s=10)
    ownership.assigned(0)
    assert ownership.in_question

    ownership.counted(owned=3, existing=3, now_s=1)

    assert ownership.proven
    assert not ownership.in_question


def test_a_newcomer_waits_as_long_as_its_patience_however_often_partitions_are_dealt_anew() -> None:
    ownership = SoleOwnership(patience_s=10)
    ownership.assigned(0)
    ownership.counted(owned=1, existing=3, now_s=5)
    ownership.revoked()
    ownership.assigned(9)

    with pytest.raises(Broken, match="owns 2 of 3 partitions"):
        ownership.counted(owned=1, existing=3, now_s=10)


def test_who_owned_everything_waits_thrice_as_long() -> None:
    ownership = SoleOwnership(patience_s=10)
    ownership.assigned(0)
    ownership.counted(owned=3, existing=3, now_s=0)
    ownership.revoked()
    ownership.assigned(100)

    ownership.counted(owned=2, existing=3, now_s=129)
    assert ownership.proven
    with pytest.raises(Broken):
        ownership.counted(owned=2, existing=3, now_s=130)


def test_falling_out_of_the_group_ends_the_proof_and_the_wait() -> None:
    ownership = SoleOwnership(patience_s=10)
    ownership.assigned(0)
    ownership.counted(owned=3, existing=3, now_s=0)

    ownership.lost()

    assert not ownership.proven
    assert not ownership.in_question
    ownership.assigned(100)
    ownership.counted(owned=0, existing=3, now_s=109)
    with pytest.raises(Broken):
        ownership.counted(owned=0, existing=3, now_s=110)
