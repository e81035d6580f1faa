"""What is behind a partition's head is asked for with it, so that many schemas cost few rounds: on a real source."""

import pytest

from consumer.core.flood import FloodLimits
from consumer.errors import Broken, ExitCode
from tests.registries import NOT_FOUND
from tests.whole_intakes import FOUND, Rig, ours, serving, theirs

FEW = 6
"""Rounds, not 300: two where all records come in one batch."""


def test_records_that_each_name_a_schema_of_their_own_are_read_in_few_rounds_while_others_flow(rig: Rig) -> None:
    server = serving(rig, FOUND)
    intake = rig.intake(rig.registry(server.url, timeout_s=5.0))
    rig.produce(0, *[theirs(f"a{number}", 1000 + number) for number in range(300)])
    rig.produce(1, *[ours(f"b{number}") for number in range(300)])

    rig.run_until(intake, lambda: len(rig.source.done) == 600)

    assert [rig.source.offsets(number) for number in range(2)] == [list(range(300))] * 2
    assert len(server.asked) == 300
    assert rig.source.held_back <= FEW
    assert rig.drawer.letters == []
    assert rig.notices() == 600


def test_records_that_each_name_another_unknown_schema_end_in_a_flood_after_few_rounds(rig: Rig) -> None:
    server = serving(rig, NOT_FOUND)
    intake = rig.intake(rig.registry(server.url, timeout_s=5.0))
    rig.produce(0, *[theirs(f"a{number}", 1000 + number) for number in range(300)])

    with pytest.raises(Broken, match="unknown_schema") as flood:
        rig.run_until(intake, lambda: False)

    assert flood.value.exit_code == ExitCode.POISON_FLOOD
    assert rig.source.held_back <= FEW
    assert len(rig.drawer.letters) < FloodLimits().run_max
