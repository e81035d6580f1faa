"""A memory of a limited size that keeps what is asked for again and again."""

from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")


class Lately(Generic[T]):
    """What some bytes mean, for those that were met lately; at most `size_max`. Any number of threads may use it.

    Nothing is forgotten while there is room. When there is none all of it grows old, and what is asked for is young again:
    the popular soon, so it stands in front. What is old gives way from behind, one for each that is new; once nothing old is
    left, all of it grows old again. So what many share stays, and nothing need be done where it is found young.
    """

    def __init__(self, size_max: int) -> None:
        """Nothing is known yet."""
        assert size_max > 0, "room for one at least"
        self._size_max = size_max
        self._young: dict[bytes, T] = {}
        self._old: dict[bytes, T] = {}

    def get(self, key: bytes) -> T | None:
        """None where it is not known, or not any more."""
        found = self._young.get(key)
        if found is None:
            found = self._old.pop(key, None)
            if found is not None:
                self._young[key] = found
        return found

    def keep(self, key: bytes, meaning: T) -> T:
        """Remember it; another thread may have done so meanwhile, which is as good."""
        if self.get(key) is None and len(self._young) + len(self._old) >= self._size_max:
            self._make_room()
        self._young[key] = meaning
        return meaning

    def _make_room(self) -> None:
        """Threads that come here at the same moment may forget more than they must."""
        if not self._old:
            self._old, self._young = self._young, {}
        with suppress(KeyError):
            self._old.popitem()
