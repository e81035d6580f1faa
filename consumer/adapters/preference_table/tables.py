"""The table in use and, where that does not fit its topic any more, the one that is filled to take its place."""

import contextlib
import shutil
from collections.abc import Collection, Iterator
from logging import WARNING
from pathlib import Path
from typing import Protocol

from consumer.adapters.preference_table.boot import is_lost, is_marked, mark, unmark
from consumer.adapters.preference_table.fitting import TopicNow, added, misfit
from consumer.adapters.preference_table.lock import FolderLock
from consumer.adapters.preference_table.nobody import Nobody
from consumer.adapters.preference_table.packing import Packed
from consumer.adapters.preference_table.store import DATA, PreferenceStore, State
from consumer.core.preferences import Preferences
from consumer.core.screen import Word
from consumer.core.shrinkage import Shrinkage
from consumer.errors import Broken, ExitCode
from consumer.telemetry import Line, alarm, log


class OpenTable(Protocol):
    """Which tables there are is decided here, how large they may grow is not."""

    def __call__(self, path: Path, *, synced: bool = True) -> PreferenceStore:
        """Open or create the table in the folder `path`; raises Broken where that cannot be."""
        ...


class Tables:
    """Each lies in a folder of its own under `path`, numbered in the order in which they were begun.

    Which one is in use stands in the tables themselves, and the latest that says so counts: a process that dies at any
    moment leaves the old one and perhaps a part of the new, or the new one whole and perhaps a part of the old. One thread
    fills and replaces them; any may read the one in use. `accepted`: an operator's word on how many customers one may lose.

    The one in use is on the disk with each write. One that nobody reads yet is filled without waiting for that, until it is
    put to use: a process that dies loses nothing of it, but where the machine did, which another `boot_id` tells, it is
    thrown away. Where the boot has no id it is written like the other.
    """

    def __init__(
        self,
        path: Path,
        open_table: OpenTable,
        accepted: Shrinkage | None,
        *,
        stranger: Word,
        boot_id: str | None,
    ) -> None:
        """Find the table in use, or begin one and answer `stranger` meanwhile; raises Broken where that cannot be."""
        self._path = path
        self._open = open_table
        self._accepted = accepted
        self._boot_id = boot_id
        self._alarmed = False
        self._lock = self._locked()
        self._coming: PreferenceStore | None = None
        try:
            numbers = self._found()
            self._latest = max(numbers, default=0)
            self._in_use: PreferenceStore | Nobody = self._opened_all(numbers) or Nobody(stranger)
        except BaseException:
            self._lock.release()
            raise

    def _opened_all(self, numbers: Collection[int]) -> PreferenceStore | None:
        """The one in use, if any; what is coming is kept or begun, and the others are removed."""
        in_use: PreferenceStore | None = None
        for number in sorted(numbers, reverse=True):
            if in_use is not None:
                _remove(self._path / str(number))
                continue
            table = self._opened(number, numbers)
            if table is None:
                continue
            if table.is_in_use:
                in_use = table
            elif self._coming is None:
                self._coming = table
            else:
                table.close()
                _remove(table.path)
        if in_use is None and self._coming is None:
            self._coming = self._begun()
        return in_use

    def _opened(self, number: int, numbers: Collection[int]) -> PreferenceStore | None:
        """None where it may be torn, or is damaged and an older one is there: that fills again what it lacks."""
        folder = self._path / str(number)
        with _writable():
            lost, marked = is_lost(folder, self._boot_id), is_marked(folder)
        if lost:
            _remove(folder)
            return None
        try:
            return self._open(folder, synced=not marked)
        except Broken:
            if number == min(numbers):
                raise
            _remove(folder)
            return None

    @property
    def in_use(self) -> PreferenceStore | Nobody:
        """The one to ask."""
        return self._in_use

    @property
    def filled(self) -> PreferenceStore:
        """The one to write to."""
        if self._coming is not None:
            return self._coming
        assert isinstance(self._in_use, PreferenceStore), "where none is in use one is coming"
        return self._in_use

    def pack(self, preferences: Preferences) -> Packed:
        """As they will be written into it."""
        return self.filled.pack(preferences)

    @property
    def is_rebuilding(self) -> bool:
        """Whether none is in use yet, or the one that is does not fit its topic."""
        return self._coming is not None

    def fit(self, topic: TopicNow) -> State:
        """Choose the table to be filled, where the one in use cannot be continued one beside it; returns where to go on."""
        in_use, coming = self._in_use, self._coming
        if new := added(in_use.state or self.filled.state, topic):  # also where it is read anew: then they do harm
            _warn_of(new, topic.source.topic)
        reason = _misfit_of(coming if coming is not None and isinstance(in_use, Nobody) else in_use, topic)
        if reason is None:
            if not isinstance(in_use, Nobody):
                self._drop()
        elif coming is None or _misfit_of(coming, topic) is not None:
            self._drop()
            self._coming = self._begun()
            log(Line.PREFERENCES_REBUILT, WARNING, reason=reason, topic=topic.source.topic)
        known = self.filled.state
        if known is None:
            known = State(source=topic.source, offsets={}, synced_at=topic.at)
            self.filled.write({}, known)
        return known

    def take_over(self, state: State) -> bool:
        """Whether the table that has caught up is in use: one that was rebuilt, from now on, if it is believed."""
        coming, old = self._coming, self._in_use
        if coming is None:
            return True
        lost = Shrinkage(after=coming.customers, before=old.customers)
        if not lost.is_believed(self._accepted):
            self._complain(lost, state.source.topic)
            return False
        self._coming = coming = self._settled(coming)
        coming.put_to_use(state)
        self._in_use, self._coming = coming, None
        if isinstance(old, Nobody):
            return True
        _remove(old.path)  # whoever reads it still has it open; it closes with the last of them
        log(
            Line.PREFERENCES_REPLACED,
            topic=state.source.topic,
            customers=lost.after,
            customers_before=lost.before,
        )
        return True

    def close(self) -> None:
        """Nobody may read any more."""
        self._in_use.close()
        if self._coming is not None:
            self._coming.close()
        self._lock.release()

    def _locked(self) -> FolderLock:
        with _writable():
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
            return FolderLock(self._path)

    def _found(self) -> list[int]:
        with _writable():
            return [int(entry.name) for entry in self._path.iterdir() if entry.name.isdecimal()]

    def _begun(self) -> PreferenceStore:
        self._latest += 1
        self._alarmed = False
        folder = self._path / str(self._latest)
        if self._boot_id is not None:
            with _writable():
                mark(folder, self._boot_id)
        return self._open(folder, synced=self._boot_id is None)

    def _settled(self, table: PreferenceStore) -> PreferenceStore:
        """The same, opened anew, as nobody reads it yet: all of it is on the disk, and so is each write from now on."""
        if not is_marked(table.path):
            return table
        table.sync()
        table.close()
        with _writable():
            unmark(table.path)
        return self._open(table.path)

    def _drop(self) -> None:
        if self._coming is not None:
            self._coming.close()  # nobody has read it
            _remove(self._coming.path)
            self._coming = None

    def _complain(self, lost: Shrinkage, topic: str) -> None:
        """Once: it may go on for hours, until the topic is whole again or an operator has decided."""
        if not self._alarmed:
            alarm(
                Line.PREFERENCES_SHRUNKEN,
                topic=topic,
                customers=lost.after,
                customers_before=lost.before,
                remedy=f"write the missing customers to the topic again, or: avviso run --accept-preferences {lost}",
            )
        self._alarmed = True


def _warn_of(new: Collection[int], topic: str) -> None:
    """This table has read all in order; one that is read anew meets a customer's two partitions in any order."""
    alarm(
        Line.PREFERENCES_SPREAD,
        topic=topic,
        partitions=" ".join(map(str, new)),
        remedy="customers whose keys belong to another partition now have records in two, and compaction keeps both: a "
        "table that is read anew may end with the older one, of who was erased too. Write all preferences to a new topic "
        "with that many partitions, and name it by AVVISO_TOPICS__PREFERENCES",
    )


def _misfit_of(table: PreferenceStore | Nobody, topic: TopicNow) -> str | None:
    state = table.state
    if state is None and table.customers:
        return "other_shape"  # written by a version that told its state otherwise
    return misfit(state, topic)


@contextlib.contextmanager
def _writable() -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise Broken(
            f"the folder of the local table of preferences cannot be used (errno_{problem.errno}): "
            "AVVISO_PREFERENCES__PATH must be a folder that is writable, or be free to become one",
            ExitCode.PREFERENCES_DAMAGED,
        ) from None


def _remove(folder: Path) -> None:
    """What cannot be removed now is removed at the next start; the data goes first, as it must not outlive its mark."""
    try:
        (folder / DATA).unlink(missing_ok=True)
    except OSError:
        return
    shutil.rmtree(folder, ignore_errors=True)
