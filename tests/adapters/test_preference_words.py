"""Words in memory: bounded, and never older than what the table says."""

from collections.abc import Callable

from consumer.adapters.preference_table.words import Words
from consumer.core.preferences import Preferences
from consumer.core.screen import Screen, Word
from tests.builders import preferences
from tests.deciding import CATALOGUE, only

MAKE = Screen(CATALOGUE).word


class Table:
    """Preferences that can be changed, and a count of how often they were asked for."""

    def __init__(self, **known: Preferences) -> None:
        self.known = known
        self.asked: list[str] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def __call__(self, customer_id: str) -> Preferences | None:
        self.asked.append(customer_id)
        found = self.known.get(customer_id)
        self.meanwhile()
        return found


def test_a_word_is_made_once_for_strangers_too() -> None:
    table = Table(anna=only("large_debit"))
    words = Words(table, MAKE)

    found = [words.get("anna"), words.get("anna"), words.get("nobody"), words.get("nobody")]

    assert found == [MAKE(only("large_debit"))] * 2 + [MAKE(None)] * 2
    assert table.asked == ["anna", "nobody"]


def test_whoever_changes_their_mind_has_another_word_and_the_others_keep_theirs() -> None:
    table = Table(anna=only(), bruno=only())
    words = Words(table, MAKE)
    words.get("anna"), words.get("bruno")

    table.known["anna"] = preferences()
    words.forget(["anna", "never asked for"])

    assert words.get("anna") == MAKE(preferences())
    words.get("bruno")
    assert table.asked == ["anna", "bruno", "anna"]


def test_all_are_forgotten_when_the_table_begins_anew() -> None:
    table = Table(anna=only())
    words = Words(table, MAKE)
    words.get("anna")

    table.known.clear()
    words.forget(None)

    assert words.get("anna") == MAKE(None)


def test_a_word_made_of_what_is_being_changed_is_not_kept() -> None:
    """The table was read, changed and forgotten about before the word was made: it must not stay."""
    table = Table(anna=only())
    words = Words(table, MAKE)

    def change() -> None:
        table.meanwhile = lambda: None
        table.known["anna"] = preferences()
        words.forget(["anna"])

    table.meanwhile = change
    words.get("anna")

    assert words.get("anna") == MAKE(preferences())


def test_the_longest_kept_makes_room() -> None:
    table = Table()
    words = Words(table, MAKE, words_max=2)

    seen: list[Word] = [words.get(name) for name in ("one", "two", "three", "three", "two", "one")]

    assert len(seen) == 6
    assert table.asked == ["one", "two", "three", "one"]
