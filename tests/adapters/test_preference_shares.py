"""What many customers ask for is kept once, as long as anybody asks for it: no longer, and no less."""

import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.adapters.preference_table.packing import NAME_BYTES
from consumer.adapters.preference_table.store import SUSPEND, Change, PreferenceStore, Source, State
from consumer.core.preferences import Preferences
from consumer.core.screen import Screen, Word
from tests.builders import NOW, PREFERENCES_TOPIC
from tests.deciding import CATALOGUE, only
from tests.preference_topics import lines

WORD = Screen(CATALOGUE).word
OPEN = partial(PreferenceStore, size_max_bytes=2**24, word=WORD)
STATE = State(source=Source(cluster_id="c", topic=PREFERENCES_TOPIC), offsets={}, synced_at=NOW)
WHO = ("ada", "ben", "eva")
ASKED = st.sampled_from([(), ("large_debit",), ("low_balance",), ("large_debit", "low_balance")])
BATCHES = st.lists(
    st.dictionaries(st.sampled_from(WHO), st.one_of(ASKED, st.just(SUSPEND), st.none()), max_size=len(WHO)), max_size=8
)


def changes(batch: Mapping[str, object]) -> dict[str, Change]:
    return {who: only(*said, customer_id=who) if isinstance(said, tuple) else said for who, said in batch.items()}  # type: ignore[misc]


def after(known: dict[str, Preferences], batch: Mapping[str, Change]) -> dict[str, Preferences]:
    """The same, told in the plainest way."""
    known = dict(known)
    for who, change in batch.items():
        if isinstance(change, Preferences):
            known[who] = change
        elif change is None:
            known.pop(who, None)
        elif who in known:
            known[who] = known[who].after_unreadable()
    return known


def shared(table: PreferenceStore) -> tuple[Counter[bytes], dict[bytes, int]]:
    """How many customers name each wishes, and how many the table counts."""
    with table._environment.begin() as transaction:
        named = Counter(row[:NAME_BYTES] for _, row in transaction.cursor(table._customers))
        counted = {name: int.from_bytes(entry[:8], "little") for name, entry in transaction.cursor(table._wishes)}
    return named, counted


@settings(max_examples=60, deadline=None)
@given(BATCHES)
def test_whatever_is_written_everybody_has_what_they_asked_for_and_nothing_else_is_kept(
    batches: list[dict[str, object]],
) -> None:
    with tempfile.TemporaryDirectory() as folder, OPEN(Path(folder) / "table") as table:
        known: dict[str, Preferences] = {}
        for batch in map(changes, batches):
            table.write(batch, STATE)
            known = after(known, batch)

            named, counted = shared(table)
            assert {who: table.get(who) for who in WHO} == {who: known.get(who) for who in WHO}
            assert table.words(map(str.encode, WHO)) == [WORD(known.get(who)) for who in WHO]
            assert counted == named


def test_a_customer_whose_wishes_are_lost_counts_as_unknown_and_gives_the_alarm(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with OPEN(tmp_path / "table") as table:
        table.write({"ada": only("large_debit", customer_id="ada")}, STATE)
        with table._environment.begin(write=True) as transaction:
            transaction.drop(table._wishes, delete=False)

        assert table.get("ada") is None
        assert table.words([b"ada"]) == [WORD(None)]
        assert [line["reason"] for line in lines(caplog, "preference_refused")] == ["no_longer_valid"] * 2


def test_many_are_looked_up_in_the_order_in_which_they_are_asked_for() -> None:
    ada, ben = (only("large_debit", customer_id=who) for who in ("ada", "ben"))
    with tempfile.TemporaryDirectory() as folder, OPEN(Path(folder) / "table") as table:
        table.write({"ada": ada, "ben": ben}, STATE)

        found = table.get_many(["ben", "nobody", "ada", "x" * 600, "", "ben"])

        assert found == [ben, None, ada, None, None, ben]
        assert (table.get("ada"), table.get("nobody")) == (ada, None)


def test_a_word_that_was_looked_up_just_before_a_change_is_not_remembered_white_box(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OPEN(tmp_path / "table") as table:
        looked_up = table._words

        def overtaken(customers: Iterable[bytes]) -> Sequence[Word]:
            found = looked_up(customers)
            table.write(changes({"ada": ("large_debit",)}), STATE)
            return found

        monkeypatch.setattr(table, "_words", overtaken)
        assert table.words([b"ada"]) == [WORD(None)]

        monkeypatch.undo()
        assert table.words([b"ada"]) == [WORD(only("large_debit", customer_id="ada"))]


def test_whoever_was_asked_about_once_is_not_looked_up_again_white_box(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OPEN(tmp_path / "table") as table:
        table.write(changes({"ada": ("large_debit",)}), STATE)
        words = table.words([b"ada", b"ben"])

        monkeypatch.setattr(table, "_words", None)

        assert table.words([b"ben", b"ada"]) == words[::-1]


class Curious(dict[str, Change]):
    """Changes that are asked about while they are written: the screen asks at any moment."""

    def __init__(self, table: PreferenceStore, changes: Mapping[str, Change]) -> None:
        super().__init__(changes)
        self._table = table

    def __getitem__(self, customer_id: str) -> Change:
        self._table.words([customer_id.encode()])
        return super().__getitem__(customer_id)


def test_what_was_asked_while_a_change_was_written_is_not_remembered(tmp_path: Path) -> None:
    asked = only("large_debit", customer_id="ada")
    with OPEN(tmp_path / "table") as table:
        table.write(Curious(table, {"ada": asked}), STATE)

        assert table.words([b"ada"]) == [WORD(asked)]
