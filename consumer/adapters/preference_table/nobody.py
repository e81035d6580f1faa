"""What stands where no table is in use yet."""

from collections.abc import Iterable, Sequence

from consumer.core.preferences import Preferences
from consumer.core.screen import Word


class Nobody:
    """A table in which nobody has preferences, that lies nowhere, and is never written."""

    customers = 0
    state = None

    def __init__(self, stranger: Word) -> None:
        """`stranger`: what the screen wants to know of somebody of whom nothing is known."""
        self._stranger = stranger

    def get(self, customer_id: str) -> Preferences | None:
        """None, whoever it is."""
        del customer_id
        return None

    def get_many(self, customer_ids: Iterable[str]) -> Sequence[None]:
        """Of nobody anything is known."""
        return [None for _ in customer_ids]

    def words(self, customers: Iterable[bytes]) -> Sequence[Word]:
        """Each is a stranger."""
        return [self._stranger for _ in customers]

    def close(self) -> None:
        """Nothing is open."""
