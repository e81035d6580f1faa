"""What the screen wants to know of each customer, kept in memory for those that events speak of."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable

from consumer.core.preferences import Preferences
from consumer.core.screen import Word

WORDS_MAX = 500_000
"""About 100 MB when all are there; whoever has waited longest makes room."""


class Words:
    """Made by `word` from what `look_up` finds, and remembered until `forget`. Any thread may call."""

    def __init__(
        self,
        look_up: Callable[[str], Preferences | None],
        word: Callable[[Preferences | None], Word],
        words_max: int = WORDS_MAX,
    ) -> None:
        """Empty at first."""
        self._look_up = look_up
        self._word = word
        self._words_max = words_max
        self._words: OrderedDict[str, Word] = OrderedDict()
        self._lock = threading.Lock()
        self._changes = 0

    def get(self, customer_id: str) -> Word:
        """The customer's word, as of what is known now."""
        return self._words.get(customer_id) or self._made(customer_id)

    def forget(self, customer_ids: Iterable[str] | None) -> None:
        """These customers (None: all) have changed, and the change can be seen by `look_up` already."""
        with self._lock:
            self._changes += 1
            if customer_ids is None:
                self._words.clear()
                return
            for customer_id in customer_ids:
                self._words.pop(customer_id, None)

    def _made(self, customer_id: str) -> Word:
        changes = self._changes
        word = self._word(self._look_up(customer_id))
        with self._lock:
            if changes == self._changes:  # else it may have been made of what was there before the change
                self._words[customer_id] = word
                if len(self._words) > self._words_max:
                    self._words.popitem(last=False)
        return word
