"""The words of customers who were asked about: ten bytes each, where the table would be gone through every time."""

import threading
from array import array
from collections.abc import Iterable, Sequence

from consumer.core.screen import Word

SLOTS_MAX = 2**24
"""Of 10 bytes each. Two in three are used at most: eleven million customers, in 168 MB."""
_SLOTS = 2**12
_FREE, _ASK = 0, 1
WORDS_MAX = 2**16 - 2
"""As many as two bytes can number, but for what stands for no word."""


class KnownWords:
    """Which word each customer has, told apart by a 64-bit hash of their id that is another one in each process.

    That any two of ten million customers are mistaken for each other is less likely than one in 300,000. Open addressing:
    whoever finds their slot taken takes the next one. What grows too large is forgotten, and met again. Any number of
    threads may ask, note and forget.
    """

    def __init__(self, placeholder: Word, slots_max: int = SLOTS_MAX, words_max: int = WORDS_MAX) -> None:
        """Nobody is known yet. `placeholder`: what stands for a word that is not known; `slots_max`: a power of two."""
        self._placeholder = placeholder
        self._slots_max = slots_max
        self._words_max = words_max
        self._lock = threading.Lock()
        self.changes = 0
        """Grows with each `forget`."""
        self._begin(min(_SLOTS, slots_max))

    def of(self, customers: Sequence[bytes]) -> tuple[list[Word], list[int]]:
        """Each one's word in their order, and the places at which one stands that is not known."""
        hashes, numbers, words = self._table
        mask = len(hashes) - 1
        found, unknown = list[Word](), list[int]()
        for customer in customers:
            hashed = hash(customer)
            at = hashed & mask
            while (number := numbers[at]) and hashes[at] != hashed:
                at = (at + 1) & mask
            if number <= _ASK:
                unknown.append(len(found))
            found.append(words[number])
        return found, unknown

    def note(self, customers: Iterable[bytes], words: Iterable[Word], changes: int) -> None:
        """Remember these, which were looked up after `changes` was read; not if anything has changed since."""
        with self._lock:
            if changes != self.changes:
                return
            for customer, word in zip(customers, words, strict=True):
                self._put(hash(customer), self._numbered(word))

    def forget(self, customers: Iterable[bytes]) -> None:
        """What was written of these counts from now on."""
        with self._lock:
            self.changes += 1
            if not self._used:
                return
            numbers = self._table[1]
            for customer in customers:
                at = self._place_of(hash(customer))
                if numbers[at] != _FREE:
                    numbers[at] = _ASK

    def _begin(self, slots: int) -> None:
        """With nothing in it. What is asked meanwhile is asked of the old ones."""
        self._used = 0
        self._number_of: dict[int, int] = {}
        self._table = array("q", (0,)) * slots, array("H", (_FREE,)) * slots, [self._placeholder] * 2

    def _numbered(self, word: Word) -> int:
        """A word that has a number is held here, so that no other is where it is."""
        number = self._number_of.get(id(word))
        if number is None:
            if len(self._number_of) >= self._words_max:
                self._begin(len(self._table[0]))
            words = self._table[2]
            number = self._number_of[id(word)] = len(words)
            words.append(word)
        return number

    def _put(self, hashed: int, number: int) -> None:
        at = self._place_of(hashed)
        hashes, numbers, _ = self._table
        if numbers[at] == _FREE:
            if 3 * (self._used + 1) > 2 * len(hashes):
                word = self._table[2][number]
                self._begin(min(2 * len(hashes), self._slots_max))
                self._put(hashed, self._numbered(word))
                return
            self._used += 1
            hashes[at] = hashed
        numbers[at] = number  # last: only now the slot counts

    def _place_of(self, hashed: int) -> int:
        """Where it stands, or could."""
        hashes, numbers, _ = self._table
        mask = len(hashes) - 1
        at = hashed & mask
        while numbers[at] != _FREE and hashes[at] != hashed:
            at = (at + 1) & mask
        return at
