"""What several records of one customer come to, wherever a batch happens to end."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from consumer.adapters.preference_table.letters import Letters
from consumer.adapters.preference_table.packing import Packed
from consumer.adapters.preference_table.reading import Decode, Reading
from consumer.adapters.preference_table.store import SUSPEND, Change
from consumer.core.preferences import Preferences
from consumer.core.record import Position, Record
from consumer.errors import DeadLetterReason, Unavailable, Undecodable
from tests.fakes import Drawer
from tests.preference_topics import wanted


def said(*values: bytes | None) -> list[Record]:
    return [
        Record(
            position=Position(topic="preferences", partition=0, offset=offset), key=b"anna", value=value, timestamp_ms=0
        )
        for offset, value in enumerate(values)
    ]


def come_to(reading: Reading, records: list[Record]) -> Mapping[str, Change]:
    """What the records change, once those that can never be read are set aside."""
    found = reading.read(records)
    reading.set_aside(found.letters)
    return found.changes


def whole(preferences: Preferences) -> Preferences:
    return preferences


def nothing_to_wait_for() -> None:
    raise AssertionError("there is nothing to wait for")


def impatient(decode: Decode, letters: Letters, pack: Callable[[Preferences], Change] = whole) -> Reading:
    """May not wait for anything."""
    return Reading(
        decode,
        letters,
        pack=pack,
        held_up=nothing_to_wait_for,
        stopping=threading.Event(),
        retry_s=0.01,
        unknown_tries_max=9,
    )


@pytest.fixture
def drawer() -> Drawer:
    return Drawer()


@pytest.fixture
def reading(drawer: Drawer, tmp_path: Path) -> Reading:
    letters = Letters(drawer, tmp_path / "set-aside")
    return impatient(wanted, letters)


def without_german(problem: Exception, letters: Letters) -> Reading:
    """Meets the problem with every record of somebody who wants German, and may not wait."""

    def decode(record: Record) -> Preferences:
        if b":de" in (record.value or b""):
            raise problem
        return wanted(record)

    return impatient(decode, letters)


def test_a_schema_that_never_comes_is_waited_for_once_and_then_its_records_are_set_aside(
    drawer: Drawer, tmp_path: Path
) -> None:
    tries, waits = list[str](), list[None]()

    def decode(record: Record) -> Preferences:
        tries.append((record.value or b"").decode())
        if b"foreign" in (record.value or b""):
            raise Undecodable(DeadLetterReason.UNKNOWN_SCHEMA, "no schema has this id", schema="7")
        return wanted(record)

    reading = Reading(
        decode,
        Letters(drawer, tmp_path / "set-aside"),
        pack=whole,
        held_up=lambda: waits.append(None),
        stopping=threading.Event(),
        retry_s=0.001,
        unknown_tries_max=5,
    )

    first, second = come_to(reading, said(b"foreign")), come_to(reading, said(b"foreign"))

    assert first == second == {"anna": SUSPEND}
    assert (len(waits), tries) == (4, ["foreign"] * 6)
    assert {letter.reason for letter in drawer.letters} == {DeadLetterReason.UNKNOWN_SCHEMA}
    assert isinstance(come_to(reading, said(b"anna:it"))["anna"], Preferences)


def each_with_its_own(record: Record) -> Preferences:
    value = (record.value or b"").decode()
    if value.startswith("foreign"):
        raise Undecodable(DeadLetterReason.UNKNOWN_SCHEMA, "no schema has this id", schema=value)
    return wanted(record)


def test_however_many_schemas_never_come_no_more_is_waited_than_for_one(drawer: Drawer, tmp_path: Path) -> None:
    waits = list[None]()
    reading = Reading(
        each_with_its_own,
        Letters(drawer, tmp_path / "set-aside"),
        pack=whole,
        held_up=lambda: waits.append(None),
        stopping=threading.Event(),
        retry_s=0.001,
        unknown_tries_max=5,
    )

    for number in range(2000):
        assert come_to(reading, said(f"foreign {number}".encode())) == {"anna": SUSPEND}

    assert len(waits) == 4
    for _ in range(3):
        come_to(reading, said(b"anna:it"))
    come_to(reading, said(b"foreign again"))
    assert len(waits) == 4 + 2  # of three tries that were given back the last one waits no more


def test_a_registry_that_is_not_set_is_waited_for_without_end(drawer: Drawer, tmp_path: Path) -> None:
    problems: list[Exception] = [Undecodable(DeadLetterReason.NO_REGISTRY, "none is set", schema="7")] * 20

    def decode(record: Record) -> Preferences:
        if problems:
            raise problems.pop()
        return wanted(record)

    reading = Reading(
        decode,
        Letters(drawer, tmp_path / "set-aside"),
        pack=whole,
        held_up=lambda: None,
        stopping=threading.Event(),
        retry_s=0.001,
        unknown_tries_max=5,
    )

    assert isinstance(come_to(reading, said(b"anna:it"))["anna"], Preferences)
    assert drawer.letters == []


def test_of_several_records_the_last_counts_and_the_others_are_set_aside_where_they_cannot_be_read(
    reading: Reading, drawer: Drawer
) -> None:
    found = come_to(reading, said(b"garbage", b"anna:en", b"rubbish", None, b"anna:it"))["anna"]

    assert isinstance(found, Preferences)
    assert (found.language, found.suspended) == ("it", False)
    assert [letter.record.position.offset for letter in drawer.letters] == [0, 2]


@pytest.mark.parametrize(
    "problem", [Unavailable("registry", "503"), Undecodable(DeadLetterReason.UNKNOWN_SCHEMA, "not yet")]
)
def test_what_was_replaced_is_not_waited_for(drawer: Drawer, tmp_path: Path, problem: Exception) -> None:
    reading = without_german(problem, Letters(drawer, tmp_path / "set-aside"))

    found = come_to(reading, said(b"anna:de", b"anna:it"))["anna"]

    assert isinstance(found, Preferences)
    assert (found.language, drawer.letters) == ("it", [])


def test_behind_what_cannot_be_read_the_last_that_can_is_what_was_known_before(
    reading: Reading, drawer: Drawer
) -> None:
    found = come_to(reading, said(b"anna:de", b"anna:it", b"garbage", b"rubbish"))["anna"]

    assert isinstance(found, Preferences)
    assert (found.language, found.suspended) == ("it", True)
    assert [letter.record.position.offset for letter in drawer.letters] == [2, 3]


def test_whoever_was_erased_before_stays_erased(reading: Reading, drawer: Drawer) -> None:
    assert come_to(reading, said(b"anna:de", None, b"garbage")) == {"anna": None}
    assert [letter.record.position.offset for letter in drawer.letters] == [2]


def test_where_nothing_of_the_batch_can_be_read_the_table_knows_what_was_before(reading: Reading) -> None:
    assert come_to(reading, said(b"garbage")) == {"anna": SUSPEND}


def test_what_waits_for_its_schema_is_no_dead_letter(drawer: Drawer, tmp_path: Path) -> None:
    stopping = threading.Event()
    asked = 0

    def later(record: Record) -> Preferences:
        nonlocal asked
        asked += 1
        if asked < 3:
            raise Undecodable(DeadLetterReason.UNKNOWN_SCHEMA, "not yet")
        return wanted(record)

    waits: list[None] = []
    letters = Letters(drawer, tmp_path / "set-aside")
    reading = Reading(
        later,
        letters,
        pack=whole,
        held_up=lambda: waits.append(None),
        stopping=stopping,
        retry_s=0.001,
        unknown_tries_max=9,
    )

    found = come_to(reading, said(b"anna:it"))["anna"]

    assert isinstance(found, Preferences)
    assert (found.suspended, len(waits), drawer.letters) == (False, 2, [])


@pytest.mark.parametrize(
    ("problem", "unknown"),
    [
        (Unavailable("registry", "503"), [0, 1, 2]),
        (Undecodable(DeadLetterReason.UNKNOWN_SCHEMA, "not yet"), [0, 1]),
        (Undecodable(DeadLetterReason.UNDECODABLE, "never"), []),
    ],
    ids=["away", "not yet", "never"],
)
def test_what_was_replaced_and_cannot_be_told_yet_is_named(
    drawer: Drawer, tmp_path: Path, problem: Exception, unknown: list[int]
) -> None:
    reading = without_german(problem, Letters(drawer, tmp_path / "set-aside"))

    found = reading.read(said(b"anna:de", b"anna:de", b"anna:en", None, b"anna:it"))

    assert sorted(position.offset for position in found.unknown) == unknown
    assert drawer.letters == []


def test_what_was_read_is_kept_as_it_is_packed(drawer: Drawer, tmp_path: Path) -> None:
    def packed(preferences: Preferences) -> Packed:
        return Packed(preferences.language.encode(), str(preferences.suspended).encode())

    reading = impatient(wanted, Letters(drawer, tmp_path / "set-aside"), pack=packed)

    assert come_to(reading, said(b"anna:it")) == {"anna": Packed(b"it", b"False")}
