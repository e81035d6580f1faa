"""Who goes when, and what comes out of it."""

from tests.benchmarks.measuring import Contest, Side, measured
from tests.benchmarks.turns import Spent


def contest(name: str, played: list[str], slow: list[float]) -> Contest:
    """Of two sides: the first takes a second each time, the other what is left in `slow`."""

    def play(side: str, wall_s: float) -> Spent:
        played.append(f"{name} {side}")
        return Spent(wall_s=wall_s, cpu_s=2 * wall_s)

    return Contest(
        name=name,
        unit="things",
        count=10,
        sides=(
            Side(name="plain", does="the least", do=lambda _: play("plain", 1.0)),
            Side(name="ours", does="all", do=lambda _: play("ours", slow.pop(0))),
        ),
    )


def test_sides_take_turns_and_every_other_round_goes_the_other_way_about() -> None:
    played: list[str] = []
    contests = [contest(name, played, [1.0, 1.0]) for name in ("a", "b")]

    measured(contests, 2, lambda _: None)

    assert played == [f"{name} {side}" for name in ("a", "b") for side in ("plain", "ours", "ours", "plain")]


def test_a_ratio_is_of_one_round_and_the_median_of_all() -> None:
    [row] = measured([contest("a", [], [2.0, 10.0, 4.0])], 3, lambda _: None)

    plain, ours = row.results
    assert (plain.ratio_least, plain.ratio_median, plain.ratio_most) == (1.0, 1.0, 1.0)
    assert (ours.ratio_least, ours.ratio_median, ours.ratio_most) == (0.1, 0.25, 0.5)
    assert (ours.per_s, ours.cpu_us, ours.cpu_ratio_median) == (2.5, 800_000.0, 0.25)
    assert [took[1].wall_s for took in row.rounds] == [2.0, 10.0, 4.0]


def test_a_warm_up_does_not_count() -> None:
    [row] = measured([contest("a", [], [100.0, 2.0])], 1, lambda _: None, warm_ups=1)

    assert row.results[1].ratio_median == 0.5
    assert len(row.rounds) == 1
