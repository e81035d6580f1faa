"""The table as the loops see it, and the thread that keeps it up to date."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from consumer.adapters.preference_table.floods import Floods
from consumer.adapters.preference_table.follower import Follower
from consumer.adapters.preference_table.letters import Letters
from consumer.adapters.preference_table.pace import Pace
from consumer.adapters.preference_table.reading import Decode
from consumer.adapters.preference_table.store import PreferenceStore
from consumer.adapters.preference_table.tables import Tables
from consumer.core.flood import FloodLimits, Place
from consumer.core.preferences import Preferences
from consumer.core.screen import Word
from consumer.core.shrinkage import Shrinkage
from consumer.errors import Broken
from consumer.ports import DeadLetters

_JOIN_S = 1.0


class PreferenceTable:
    """ports.PreferenceTable: every customer's preferences from the compacted `topic`, in LMDB under the folder `path`.

    Follows the topic on a thread of its own, and goes on after a restart where it was left. `settings` are librdkafka's own;
    `decode` raises Undecodable or Unavailable; what it can never read goes to `dead_letters`, which nobody else may use.
    `word` tells in short what may concern a customer. Believed only with `customers_min` customers or more. One that does
    not fit its topic any more is read anew beside the old one, and takes its place with nine tenths of its customers, or
    where an operator has `accepted` how many it lost. Until then the disk is not waited for, if the `boot_id` tells whether
    the machine has died meanwhile. Of a `flood` of what cannot be read it sets nothing aside, but stands still there, until
    it can be read or is in `accepted_letters`. Any thread may ask.
    """

    def __init__(
        self,
        settings: Mapping[str, str | int | float | bool],
        *,
        topic: str,
        path: Path,
        decode: Decode,
        dead_letters: DeadLetters,
        word: Callable[[Preferences | None], Word],
        customers_min: int,
        size_max_bytes: int,
        flood: FloodLimits,
        accepted: Shrinkage | None = None,
        accepted_letters: Mapping[Place, int] | None = None,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
        pace: Pace | None = None,
        boot_id: str | None = None,
    ) -> None:
        """Open the table and begin to follow; raises Broken where it cannot be opened."""
        self._customers_min = customers_min
        self._stopping = threading.Event()
        self._death: BaseException | None = None
        self._tables = Tables(
            path,
            partial(PreferenceStore, size_max_bytes=size_max_bytes, word=word),
            accepted,
            stranger=word(None),
            boot_id=boot_id,
        )
        try:
            letters = Letters(dead_letters, path / "set-aside")
        except Broken:
            self._tables.close()
            raise
        self._follower = Follower(
            settings,
            topic=topic,
            tables=self._tables,
            decode=decode,
            letters=letters,
            floods=Floods(topic, flood, accepted=accepted_letters or {}, was_written=letters.knows),
            now=now,
            clock=clock,
            stopping=self._stopping,
            pace=pace or Pace(),
        )
        self._thread = threading.Thread(target=self._follow, name="preferences", daemon=True)
        self._thread.start()

    def get(self, customer_id: str) -> Preferences | None:
        """What this customer asked for; None if nothing."""
        return self._tables.in_use.get(customer_id)

    def get_many(self, customer_ids: Iterable[str]) -> Sequence[Preferences | None]:
        """The same of each of these, in their order, as of one moment."""
        return self._tables.in_use.get_many(customer_ids)

    def words(self, customers: Iterable[bytes]) -> Sequence[Word]:
        """What may concern each of these, in short. Their ids are in UTF-8."""
        return self._tables.in_use.words(customers)

    def ready(self) -> bool:
        """Whether all that the topic held at most `stale_max_s` ago is here, and enough of it to be believed.

        Kafka may be away for as long; a record that waits for its schema is not waited out: it may be anybody's last word.
        """
        return self._follower.believed and self.customers >= self._customers_min

    @property
    def customers(self) -> int:
        """How many customers have preferences."""
        return self._tables.in_use.customers

    def check(self) -> None:
        """Raise what the following thread has died of, if it did."""
        if self._death is not None:
            raise self._death

    def close(self) -> None:
        """Stop following, and let go of the file. Nobody may ask any more. Waits a little for a call that is under way."""
        self._stopping.set()
        self._thread.join(_JOIN_S)
        if not self._thread.is_alive():  # else it still writes: the end of the process closes the file as safely
            self._tables.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _follow(self) -> None:
        try:
            self._follower.run()
        except BaseException as death:  # noqa: BLE001 - whatever it is, `check` tells the main thread
            self._follower.disbelieve()
            self._death = death
