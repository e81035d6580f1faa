"""A finished text."""

import msgspec


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """What goes to the phone, and how many parts it is billed as. Never printed.

    `language` is the tag of the texts that it was composed of, which is not always the one that was asked for.
    `spans` (start, end) are the places of what we formatted ourselves: amounts, dates and times, last fours; not names. They
    stand in their order and do not overlap.
    """

    body: str
    parts: int
    language: str
    spans: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        """Refuse spans that would hide more from the guard than there is."""
        places = [place for span in self.spans for place in span]
        if places != sorted(places) or (places and not 0 <= places[0] <= places[-1] <= len(self.body)):
            raise ValueError("spans overlap, are out of order or outside the body")

    @property
    def free(self) -> tuple[str, ...]:
        """The pieces between the spans: what others wrote."""
        starts = (0, *(end for _, end in self.spans))
        ends = (*(start for start, _ in self.spans), len(self.body))
        return tuple(self.body[start:end] for start, end in zip(starts, ends, strict=True))

    def __repr__(self) -> str:
        """The size only."""
        return f"Text(parts={self.parts})"
