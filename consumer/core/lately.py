"""A memory of a limited size that keeps what is asked for again and again."""

from collections.abc import Hashable
from contextlib import suppress
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Lately(Generic[K, T]):
    """What keys mean, for those that were met lately; at most `size_max`, and for a moment one more for each other thread.

    Nothing is forgotten while there is room. When there is none all of it grows old, and what is asked for is young again.
    What is old gives way, one for each that is new, and when nothing old is left all of it grows old anew. What is popular
    was young again first, so it stands in front, and what is old gives way from behind: what many share stays, and of a
    little more than fits, asked for round after round, most is found. Nothing need be done where it is found young.
    """

    def __init__(self, size_max: int) -> None:
        """Nothing is known yet."""
        assert size_max > 0, "room for one at least"
        self._size_max = size_max
        self._young: dict[K, T] = {}
        self._old: dict[K, T] = {}

    def get(self, key: K) -> T | None:
        """None where it is not known, or not any more."""
        found = self._young.get(key)
        if found is None:
            found = self._old.pop(key, None)
            if found is not None:
                self._young[key] = found
        return found

    def keep(self, key: K, meaning: T) -> T:
        """Remember it; another thread may have done so meanwhile, which is as good."""
        if self.get(key) is None:
            while len(self) >= self._size_max:
                self._make_room()
        self._young[key] = meaning
        return meaning

    def __len__(self) -> int:
        """How many are known."""
        return len(self._young) + len(self._old)

    def _make_room(self) -> None:
        """Threads that come here at the same moment may forget more than they must."""
        if not self._old:
            self._old, self._young = self._young, {}
        with suppress(KeyError):
            self._old.popitem()
