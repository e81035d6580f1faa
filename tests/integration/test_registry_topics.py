"""A topic that is made again while its records wait for their schema: the whole of intake on a real source."""

import pytest

from tests.brokers import ContainerBrokers, committed
from tests.registries import Hang
from tests.whole_intakes import FOUND, Rig, ours, serving, theirs

pytestmark = pytest.mark.real


@pytest.mark.parametrize("found_out", ["while_it_waits", "afterwards"])
def test_what_waits_when_its_topic_is_made_again_is_recorded_before_the_new_one_is_read_and_not_committed_into_it(
    rig: Rig, kafka: ContainerBrokers, found_out: str
) -> None:
    server = serving(rig, Hang())
    intake = rig.intake(rig.registry(server.url, timeout_s=2.0))
    rig.produce(0, ours("a0"), theirs("a1"), ours("a2"), theirs("a3"))
    rig.produce(1, ours("b0"))
    rig.run_until(intake, lambda: bool(intake.waiting) and rig.source.offsets(1) == [0])
    rig.run_until(intake, lambda: committed(kafka, rig.group, rig.topic) == 1)

    kafka.recreate_topic(rig.topic, 3)
    rig.produce(0, *[ours(f"new{number}") for number in range(6)])
    rig.produce(1, ours("b1"), ours("b2"))
    if found_out == "while_it_waits":
        rig.run_until(intake, lambda: committed(kafka, rig.group, rig.topic, 1) == 2)
    held = rig.source.offsets(0)
    server.answer = lambda _: FOUND
    too_far: list[int] = []

    def all_is_read_and_committed() -> bool:
        offset = committed(kafka, rig.group, rig.topic) or 0
        if offset > len(rig.source.offsets(0)[4:]):
            too_far.append(offset)
        return offset == 6 and rig.notices() == 13

    rig.run_until(intake, all_is_read_and_committed)

    assert held == [0]
    assert rig.source.offsets(0)[:4] == [0, 1, 2, 3]
    assert rig.source.offsets(0)[-6:] == list(range(6))
    assert too_far == []
    assert rig.drawer.letters == []
