"""How many customers a table of preferences has lost when it was read anew, and whether that is believed."""

import re

import msgspec

_KEPT_PERCENT_MIN = 90
_FORM = re.compile(r"([0-9]{1,12})/([0-9]{1,12})\Z")


class Shrinkage(msgspec.Struct, frozen=True, kw_only=True):
    """`after` customers, where there were `before`."""

    after: int
    before: int

    def is_believed(self, accepted: "Shrinkage | None") -> bool:
        """Whether nine tenths are left, or an operator has `accepted` that these have become no more than those.

        Their word is about the table they saw: it says nothing of one that had another number of customers before.
        """
        if self.after * 100 >= self.before * _KEPT_PERCENT_MIN:
            return True
        return accepted is not None and accepted.before == self.before and accepted.after <= self.after

    def __str__(self) -> str:
        """`after/before`, as `accepted_shrinkage` reads it."""
        return f"{self.after}/{self.before}"


def accepted_shrinkage(text: str) -> Shrinkage:
    """`after/before`: so many customers may take the place of so many. Raises ValueError."""
    found = _FORM.match(text)
    if found is None:
        raise ValueError(f"{text!r} is not two numbers of customers")
    return Shrinkage(after=int(found[1]), before=int(found[2]))
