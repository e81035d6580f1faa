"""A table that was read anew is believed with nine tenths of its customers, or with an operator's word."""

import pytest

from consumer.core.shrinkage import Shrinkage, accepted_shrinkage


@pytest.mark.parametrize(
    ("after", "before", "believed"),
    [
        (0, 0, True),
        (1, 0, True),
        (9, 10, True),
        (8, 10, False),
        (899_999, 1_000_000, False),
        (0, 1, False),
        (1, 1, True),
    ],
)
def test_nine_tenths_of_the_customers_are_enough(after: int, before: int, believed: bool) -> None:
    assert Shrinkage(after=after, before=before).is_believed(None) is believed


@pytest.mark.parametrize(
    ("accepted", "believed"), [("5/100", True), ("4/100", True), ("6/100", False), ("5/101", False), ("5/99", False)]
)
def test_an_operators_word_holds_for_the_table_they_saw_and_for_no_other(accepted: str, believed: bool) -> None:
    assert Shrinkage(after=5, before=100).is_believed(accepted_shrinkage(accepted)) is believed


def test_it_is_read_as_it_is_printed() -> None:
    lost = Shrinkage(after=812_345, before=1_000_000)

    assert str(lost) == "812345/1000000"
    assert accepted_shrinkage(str(lost)) == lost


@pytest.mark.parametrize("text", ["", "5", "5/", "/5", "5/ten", "-5/10", "5/10/15", "5/10 ", "5" * 13 + "/1"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not two numbers of customers"):
        accepted_shrinkage(text)
