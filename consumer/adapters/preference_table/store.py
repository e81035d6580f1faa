"""The local table itself: an LMDB environment that holds preferences and how far its topic has been read."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import lmdb
import msgspec

from consumer.adapters.preference_table.known_words import KnownWords
from consumer.adapters.preference_table.packing import NAME_BYTES, LookUp, Packed, Packing, Rest, Wishes
from consumer.adapters.preference_table.shares import Shares, packed_of
from consumer.core.preferences import Preferences
from consumer.core.screen import Word
from consumer.errors import Broken, ExitCode
from consumer.telemetry import PREFERENCES_BYTES, Line, alarm

DATA = "data.mdb"
"""What LMDB calls the file that holds everything."""
_READERS_MAX = 512
_KEY_BYTES_MAX = 511
_FILLING_PERCENT = 80
_CUSTOMERS, _WISHES, _CONTROL = b"customers", b"wishes", b"control"
_LAYOUT = 2
"""The next number where the same preferences are to lie in it otherwise."""
_STATE, _IN_USE = b"state", b"in_use"
T = TypeVar("T")


class Suspend(msgspec.Struct, frozen=True):
    """The change that leaves of a customer's preferences what is left after a record that cannot be read."""


SUSPEND = Suspend()
Change = Preferences | Packed | Suspend | None
"""What becomes of a customer; None: erased."""


def _shape() -> str:
    """Changes with every change of what preferences are made of: the old table is then read anew from its topic."""
    shapes = msgspec.json.schema_components((Preferences, Wishes, Rest))
    return hashlib.sha256(json.dumps([_LAYOUT, shapes], sort_keys=True).encode()).hexdigest()


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What the table was filled from, and in which shape. `topic_id`: None where the brokers do not tell."""

    cluster_id: str
    topic: str
    topic_id: str | None = None
    shape: str = msgspec.field(default_factory=_shape)


class State(msgspec.Struct, frozen=True, kw_only=True):
    """How far the topic was read: the next offset of each partition, and when that was last known to be all there is.

    `stops`: from which offset of a partition on nothing may be set aside, after a flood of what could not be read.
    """

    source: Source
    offsets: Mapping[int, int]
    synced_at: datetime
    stops: Mapping[int, int] = {}


class PreferenceStore:
    """Any number of threads may read; one writes. Customers' numbers lie in it: only the process's own user may open it.

    It grows by itself up to `size_max_bytes`. As much address space is reserved at once, which costs nothing on 64 bits, and
    disk is used only as it fills: to grow the map later, every thread would have to be kept from reading meanwhile.
    """

    def __init__(
        self, path: Path, *, size_max_bytes: int, word: Callable[[Preferences | None], Word], synced: bool = True
    ) -> None:
        """Open or create the folder `path`; raises Broken where that cannot be.

        `synced`: what is written is on the disk before the next write; else whenever the system likes, in any order.
        """
        self.path = path
        self._size_max_bytes = size_max_bytes
        self._said_filling = False
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._environment = lmdb.open(
                os.fspath(path),
                map_size=size_max_bytes,
                max_dbs=3,
                max_readers=_READERS_MAX,
                mode=0o600,
                sync=synced,
                metasync=False,  # a crash of the machine may undo the last write, offsets included: it is read again
            )
            self._customers = self._environment.open_db(_CUSTOMERS)
            self._wishes = self._environment.open_db(_WISHES)
            self._control = self._environment.open_db(_CONTROL)
        except lmdb.MemoryError:
            raise _damaged(
                f"needs {size_max_bytes} bytes of address space, and this process may not have them: lower "
                "AVVISO_PREFERENCES__SIZE_MAX_BYTES, or raise the limit (`ulimit -v`)"
            ) from None
        except (lmdb.Error, OSError) as problem:
            raise _damaged(f"cannot be opened ({type(problem).__name__})") from None
        self._packing = Packing(word)
        self._known = KnownWords(self._packing.stranger, customers=self.customers)
        state = self.state
        self._topic = "" if state is None else state.source.topic

    def get(self, customer_id: str) -> Preferences | None:
        """What this customer asked for; None if nothing is known, or nothing that can still be used."""
        [found] = self.get_many((customer_id,))
        return found

    def get_many(self, customer_ids: Iterable[str]) -> Sequence[Preferences | None]:
        """The same of each of these, in their order, as of one moment: to begin to read costs as much as to read."""
        unpack, topic, asked = self._packing.unpack, self._topic, tuple(customer_ids)
        with self._environment.begin(db=self._customers) as transaction:
            look_up = self._look_up(transaction)
            rows = [transaction.get(key) if fits(key) else None for key in map(str.encode, asked)]
            return [
                None if row is None else _understood(None, unpack, row, look_up, customer_id, topic)
                for customer_id, row in zip(asked, rows, strict=True)
            ]

    def words(self, customers: Iterable[bytes]) -> Sequence[Word]:
        """What the screen wants to know of each of these, by their ids in UTF-8, each as of some moment of this call.

        Whose row can be used no longer is a stranger, which is told once.
        """
        asked, changes = tuple(customers), self._known.changes
        words, places = self._known.of(asked)
        if places:
            unknown = [asked[place] for place in places]
            found = self._words(unknown)
            for place, word in zip(places, found, strict=True):
                words[place] = word
            self._known.note(unknown, found, changes)
        return words

    def _words(self, customers: Iterable[bytes]) -> Sequence[Word]:
        """All as of one moment."""
        word, stranger = self._packing.word, self._packing.stranger
        with self._environment.begin(db=self._customers) as transaction:
            look_up = self._look_up(transaction)
            rows = [transaction.get(one) if fits(one) else None for one in customers]
            return [stranger if row is None else _understood(stranger, word, row, look_up) for row in rows]

    def _look_up(self, transaction: Any) -> LookUp:
        return lambda name: packed_of(transaction.get(name, db=self._wishes))

    def _suspended(self, transaction: Any, key: bytes) -> Preferences | None:
        row = transaction.get(key, db=self._customers)
        if row is None:
            return None
        known = _understood(None, self._packing.unpack, row, self._look_up(transaction), key.decode(), self._topic)
        return None if known is None else known.after_unreadable()

    @property
    def customers(self) -> int:
        """How many customers have preferences."""
        with self._environment.begin(db=self._customers) as transaction:
            entries: int = transaction.stat(self._customers)["entries"]
            return entries

    @property
    def state(self) -> State | None:
        """How far the topic was read; None if the table is new or cannot tell."""
        with self._environment.begin(db=self._control) as transaction:
            value = transaction.get(_STATE)
        try:
            return None if value is None else msgspec.json.decode(value, type=State)
        except msgspec.MsgspecError:
            return None

    def pack(self, preferences: Preferences) -> Packed:
        """As `write` takes them too, in a tenth of the room; by the thread that writes."""
        return self._packing.pack(preferences)

    def write(self, changes: Mapping[str, Change], state: State) -> None:
        """Set, suspend or erase these customers' preferences, and the state with them: all of it or nothing."""
        try:
            with self._environment.begin(write=True) as transaction:
                shares = Shares()
                with transaction.cursor(self._customers) as cursor:
                    for customer_id in sorted(changes):  # neighbours share pages, which are then still at hand
                        self._change(transaction, cursor, customer_id.encode(), changes[customer_id], shares)
                shares.settle(transaction, self._wishes)
                transaction.put(_STATE, msgspec.json.encode(state), db=self._control)
        except lmdb.MapFullError:
            raise _damaged(
                f"is full: more than {self._size_max_bytes} bytes are needed; raise AVVISO_PREFERENCES__SIZE_MAX_BYTES"
            ) from None
        except lmdb.Error as problem:
            raise _damaged(f"cannot be written ({type(problem).__name__})") from None
        self._topic = state.source.topic
        self._known.forget(map(str.encode, changes))
        self._watch_size()

    def _change(self, transaction: Any, cursor: Any, key: bytes, change: Change, shares: Shares) -> None:
        new = self._suspended(transaction, key) if isinstance(change, Suspend) else change
        if new is None:
            old = cursor.pop(key)
        else:
            row, wishes = new if isinstance(new, Packed) else self.pack(new)
            shares.take(row[:NAME_BYTES], wishes)
            old = cursor.replace(key, row)
        if old is not None:
            shares.give_up(old[:NAME_BYTES])

    @property
    def used_bytes(self) -> int:
        """How large it has grown, with what has become free in it since."""
        last_page: int = self._environment.info()["last_pgno"]
        page_bytes: int = self._environment.stat()["psize"]
        return (last_page + 1) * page_bytes

    def _watch_size(self) -> None:
        """Say it once, long before it is full: then the process ends."""
        used_bytes = self.used_bytes
        PREFERENCES_BYTES.set(used_bytes)
        if used_bytes * 100 < self._size_max_bytes * _FILLING_PERCENT or self._said_filling:
            return
        self._said_filling = True
        alarm(
            Line.PREFERENCES_FILLING,
            used_bytes=used_bytes,
            free_bytes=self._size_max_bytes - used_bytes,
            remedy="raise AVVISO_PREFERENCES__SIZE_MAX_BYTES",
        )

    @property
    def is_in_use(self) -> bool:
        """Whether it was ever put to use."""
        with self._environment.begin(db=self._control) as transaction:
            return transaction.get(_IN_USE) is not None

    def put_to_use(self, state: State | None) -> None:
        """Say so in the table itself, with how far it was read, durably: a table that it replaces may be removed then."""
        try:
            with self._environment.begin(write=True, db=self._control) as transaction:
                transaction.put(_IN_USE, b"")
                if state is not None:
                    transaction.put(_STATE, msgspec.json.encode(state))
        except lmdb.Error as problem:
            raise _damaged(f"cannot be written ({type(problem).__name__})") from None
        self.sync()

    def sync(self) -> None:
        """Return once everything that was written is on the disk; raises Broken."""
        try:
            self._environment.sync(True)
        except lmdb.Error as problem:
            raise _damaged(f"cannot be written ({type(problem).__name__})") from None

    def close(self) -> None:
        """Nobody may read any more."""
        self._environment.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def fits(key: bytes) -> bool:
    """Whether the table can have an entry of this name: 1 to 511 bytes."""
    return 0 < len(key) <= _KEY_BYTES_MAX


def _understood(unknown: T, understand: Callable[..., T], *stored: Any) -> T:
    try:
        return understand(*stored)
    except ValueError:  # of msgspec too
        alarm(Line.PREFERENCE_REFUSED, reason="no_longer_valid")
        return unknown


def _damaged(what: str) -> Broken:
    return Broken(
        f"the local table of preferences {what}; while the process is down the numbered folders of "
        "AVVISO_PREFERENCES__PATH may be deleted, it fills again from Kafka",
        ExitCode.PREFERENCES_DAMAGED,
    )
