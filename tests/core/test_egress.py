"""The last look at a finished text: refused for what others wrote, never for what we formatted."""

import pytest

from consumer.core.egress import refusal
from consumer.core.text import Text

CARD = "4111 1111 1111 1111"


def text(*pieces: str | tuple[str]) -> Text:
    """A text of the pieces; those in tuples are formatted by us."""
    body, spans = "", []
    for piece in pieces:
        start = len(body)
        body += piece if isinstance(piece, str) else piece[0]
        if not isinstance(piece, str):
            spans.append((start, len(body)))
    return Text(body=body, parts=1, language="en", spans=tuple(spans))


def test_an_ordinary_text_may_go() -> None:
    ordinary = text("Bank: payment of ", ("EUR 1,250.00",), " at Rossi on ", ("22 Nov",), " at ", ("14:30",), ".")

    assert refusal(ordinary) is None


@pytest.mark.parametrize(
    ("planted", "reason"),
    [
        (CARD, "card_number"),
        ("IT60X0542811101000000123456", "iban"),
        ("https://evil.example", "link"),
        ("evil.com", "link"),
        ("+39 340 1234567", "phone_number"),
        ("\u202e", "control"),
        ("two\nlines", "control"),
    ],
)
@pytest.mark.parametrize("where", [0, 1, 2])
def test_what_leaks_is_refused_wherever_it_stands_between_our_own_spans(planted: str, reason: str, where: int) -> None:
    free = ["Paid ", " at Rossi ", " today."]
    free[where] = f" {planted} "

    assert refusal(text(free[0], ("EUR 12.50",), free[1], ("22 Nov",), free[2])) == reason


def test_digits_of_ours_are_no_card_number_even_where_they_would_pass_luhn() -> None:
    assert refusal(text("Rp ", ("IDR 4,111,111,111,111,111.00",), " on ", ("22.11.2026 14:30",))) is None


def test_a_date_behind_the_last_four_of_a_card_is_no_card_number() -> None:
    """Read as one run of digits, a quarter of all dates would make one."""
    dates = [
        f"{day:02d}.{month:02d}.2026 {hour:02d}:30" for day in range(1, 29) for month in (1, 11) for hour in range(24)
    ]

    in_spans = [refusal(text("card ..", ("1234",), " ", (date,))) for date in dates]
    as_one = [refusal(text(f"card ..1234 {date}")) for date in dates]

    assert set(in_spans) == {None}
    assert "card_number" in as_one


def test_a_card_number_is_refused_right_beside_a_span() -> None:
    assert refusal(text(("EUR 12.50",), CARD, ("22 Nov",))) == "card_number"


@pytest.mark.parametrize("spans", [((5, 3),), ((0, 4), (2, 6)), ((4, 6), (0, 2)), ((0, 99),), ((-1, 2),)])
def test_spans_that_are_none_are_refused_at_birth(spans: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(ValueError, match="spans"):
        Text(body="ten letters", parts=1, language="en", spans=spans)


def test_a_text_is_never_printed() -> None:
    assert repr(text("private")) == "Text(parts=1)"
    assert "private" not in f"{text('private')!s}"
