"""Intake waits for the outbox, and goes on by itself once there is clearly room again."""

import pytest

from consumer.core.backpressure import Load, LoadLimits, Pressure, Strain, after

LIMITS = LoadLimits(
    due_max=100,
    due_resume=80,
    used_max_bytes=1000,
    used_alarm_bytes=500,
    free_min_bytes=100,
    free_alarm_bytes=400,
)


def load(due: int = 0, used: int = 0, free: int = 10_000) -> Load:
    return Load(due=due, used_bytes=used, free_bytes=free)


def through(*loads: Load) -> list[Pressure]:
    found = [Pressure()]
    for one in loads:
        found.append(after(found[-1], one, LIMITS))
    return found[1:]


def test_an_empty_outbox_makes_no_pressure() -> None:
    assert through(load()) == [Pressure()]


def test_a_backlog_holds_intake_from_its_maximum_until_it_is_down_to_where_intake_goes_on() -> None:
    held = [Strain.BACKLOG in one.held for one in through(*(load(due=due) for due in (99, 100, 99, 81, 80, 99)))]

    assert held == [False, True, True, True, False, False]


def test_a_backlog_raises_no_alarm_before_it_is_one() -> None:
    assert through(load(due=99))[0].warned == frozenset()


@pytest.mark.parametrize(
    ("strain", "sizes", "held"),
    [
        (Strain.OUTBOX_LARGE, (999, 1000, 999, 950, 949, 999), [False, True, True, True, False, False]),
        (Strain.DISK_LOW, (100, 99, 100, 104, 105, 100), [False, True, True, True, False, False]),
    ],
)
def test_a_size_holds_intake_until_it_is_well_back(strain: Strain, sizes: tuple[int, ...], held: list[bool]) -> None:
    loads = [load(used=size) if strain is Strain.OUTBOX_LARGE else load(free=size) for size in sizes]

    assert [strain in one.held for one in through(*loads)] == held


@pytest.mark.parametrize(
    ("strain", "sizes", "warned"),
    [
        (Strain.OUTBOX_LARGE, (499, 500, 480, 475, 474), [False, True, True, True, False]),
        (Strain.DISK_LOW, (400, 399, 400, 419, 420), [False, True, True, True, False]),
    ],
)
def test_a_size_warns_long_before(strain: Strain, sizes: tuple[int, ...], warned: list[bool]) -> None:
    loads = [load(used=size) if strain is Strain.OUTBOX_LARGE else load(free=size) for size in sizes]

    found = through(*loads)

    assert [strain in one.warned for one in found] == warned
    assert not any(one.held for one in found)


def test_each_strain_goes_on_its_own() -> None:
    both, one = through(load(due=100, free=50), load(due=100, free=500))

    assert both.held == {Strain.BACKLOG, Strain.DISK_LOW}
    assert one.held == {Strain.BACKLOG}
