"""The words of customers who were asked about: a few bytes each, where the table would be gone through every time."""

import threading
from array import array
from collections.abc import Iterable, Sequence

from consumer.core.screen import Word

SLOTS_MAX = 2**24
"""Of ten bytes each: 168 MB. Two in three are used at most, by eleven million customers."""
WORDS_MAX = 2**16 - 2
"""As many as two bytes can number, but for what stands for no word."""
_SLOTS_MIN = 2**12
_SLOTS_A_CUSTOMER = 3
"""For those without preferences too, and so that most find a slot at once."""
_FREE, _ASK = 0, 1


class KnownWords:
    """Which word each customer has, told apart by a 64-bit hash of their id that is another one in each process.

    So a customer may be taken for another, and an alert be lost by it: among ten million in one process of 300,000. Open
    addressing: whoever finds their slot taken takes the next one. What does not fit any more is not remembered, or is asked
    about anew in a larger room. Any number of threads may ask, note and forget.
    """

    def __init__(
        self, placeholder: Word, *, customers: int = 0, slots_max: int = SLOTS_MAX, words_max: int = WORDS_MAX
    ) -> None:
        """Nobody is known yet, of about so many. `placeholder`: what stands for a word that is not known."""
        assert slots_max > 1, "a third is always free"
        assert slots_max & (slots_max - 1) == 0, "a power of two"
        assert words_max <= WORDS_MAX, "a number has two bytes"
        self._placeholder = placeholder
        self._slots_max = slots_max
        self._words_max = words_max
        self._lock = threading.Lock()
        self.changes = 0
        """Grows with each `forget`."""
        self._begin(max(_SLOTS_MIN, 1 << (_SLOTS_A_CUSTOMER * customers).bit_length()))

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
        """With nothing in it, and so many slots if there may be. The old ones go first: both are never needed at once."""
        self._used = 0
        self._number_of: dict[int, int] = {}
        for size in (2, min(slots, self._slots_max)):
            self._table = array("q", (0,)) * size, array("H", (_FREE,)) * size, [self._placeholder] * 2

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
        hashes, numbers, words = self._table
        if numbers[at] == _FREE:
            if self._used + 1 > self._room:
                if len(hashes) < self._slots_max:
                    self._begin(2 * len(hashes))
                    self._put(hashed, self._numbered(words[number]))
                return
            self._used += 1
            hashes[at] = hashed
        numbers[at] = number  # last: only now the slot counts

    @property
    def _room(self) -> int:
        """How many slots may be used: where few are free whoever is not there is long looked for."""
        return 2 * len(self._table[0]) // 3

    def _place_of(self, hashed: int) -> int:
        """Where it stands, or could."""
        hashes, numbers, _ = self._table
        mask = len(hashes) - 1
        at = hashed & mask
        while numbers[at] != _FREE and hashes[at] != hashed:
            at = (at + 1) & mask
        return at
