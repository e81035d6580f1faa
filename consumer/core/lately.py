"""A memory of a limited size that keeps what is asked for again and again."""

from typing import Generic, TypeVar

T = TypeVar("T")


class Lately(Generic[T]):
    """What some bytes mean, for those that were met lately; at most `size_max`. Any number of threads may use it.

    It has two halves. When the younger is full it becomes the older, and what was the older is forgotten, but for what was
    asked for meanwhile: that is young again. So what many share stays, and nothing need be done where it is found.
    """

    def __init__(self, size_max: int) -> None:
        """Nothing is known yet."""
        assert size_max > 1, "two halves of one at least"
        self._half = size_max // 2
        self._older: dict[bytes, T] = {}
        self._young: dict[bytes, T] = {}

    def get(self, key: bytes) -> T | None:
        """None where it is not known, or not any more."""
        found = self._young.get(key)
        if found is None:
            found = self._older.get(key)
            if found is not None:
                self.keep(key, found)
        return found

    def keep(self, key: bytes, meaning: T) -> T:
        """Remember it; another thread may have done so meanwhile, which is as good."""
        if len(self._young) >= self._half:
            self._older, self._young = self._young, {}
        self._young[key] = meaning
        return meaning
