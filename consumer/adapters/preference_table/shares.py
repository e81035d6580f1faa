"""What many customers ask for alike, kept once, for as long as one of them asks for it."""

from typing import Any

_COUNT_BYTES = 8


class Shares:
    """Who takes up wishes, and who gives them up, within one transaction; `settle` writes it into the table of wishes.

    An entry there is the number of those who share the wishes, then the wishes as they are packed.
    """

    def __init__(self) -> None:
        """Nobody changes anything yet."""
        self._more: dict[bytes, int] = {}
        self._packed: dict[bytes, bytes] = {}

    def take(self, name: bytes, packed: bytes) -> None:
        """One more shares these."""
        self._more[name] = self._more.get(name, 0) + 1
        self._packed[name] = packed

    def give_up(self, name: bytes) -> None:
        """One less shares these."""
        self._more[name] = self._more.get(name, 0) - 1

    def settle(self, transaction: Any, table: Any) -> None:
        """Those that nobody shares any more are gone from the table."""
        for name, more in self._more.items():
            if not more:
                continue
            entry = transaction.get(name, db=table)
            count = more + (0 if entry is None else int.from_bytes(entry[:_COUNT_BYTES], "little"))
            if count > 0:
                packed = self._packed[name] if entry is None else entry[_COUNT_BYTES:]
                transaction.put(name, count.to_bytes(_COUNT_BYTES, "little") + packed, db=table)
            else:
                transaction.delete(name, db=table)


def packed_of(entry: bytes | None) -> bytes | None:
    """The wishes in an entry of the table."""
    return None if entry is None else entry[_COUNT_BYTES:]
