"""One thread writes; what arrives together is committed together."""

import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from consumer.adapters.outbox_sqlite.connection import translated
from consumer.errors import Broken, ExitCode, Unavailable

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

_WAITING_MAX = 256  # each caller waits for its answer, so this is more threads than a process has
_GROUP_MAX = 64


class _Failed:
    """A piece that changed nothing, and why."""

    __slots__ = ("problem",)

    def __init__(self, problem: Exception) -> None:
        self.problem = problem


class Piece(Generic[T]):
    """A piece of work on its way to the disk. `done`: it is, or never will be."""

    __slots__ = ("_answer", "done", "work")

    def __init__(self, work: Work[T]) -> None:
        """To be done."""
        self.work = work
        self.done = threading.Event()
        self._answer: Future[T] = Future()

    def durable(self) -> T:
        """What `work` returned, once it is durable. Raises what it raised, or Unavailable or Broken where it never is."""
        return self._answer.result()

    @property
    def is_settled(self) -> bool:
        """Whether `durable` waits for nothing any more."""
        return self._answer.done()

    def settle(self, outcome: T | _Failed) -> None:
        """It is durable, or nothing of it is there."""
        if isinstance(outcome, _Failed):
            self._answer.set_exception(outcome.problem)
        else:
            self._answer.set_result(outcome)
        self.done.set()


class Writer:
    """Runs pieces of work on its own connection, from any thread; each answer comes after the durable commit.

    While one group is being committed the next one gathers: one flush of the disk serves many callers. Each piece has
    its own savepoint: one that raises undoes only itself. Where the file fails (disk full, locked by an operator) the whole
    group is undone and each caller gets Unavailable.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        """Take over `db`, which nobody else may use from now on."""
        self._db = db
        self._pieces: queue.Queue[Piece[Any] | None] = queue.Queue(_WAITING_MAX)
        self._gate = threading.Lock()
        self._closed = False
        self._asked_to_close = False
        self._group: list[Piece[Any]] = []
        self._thread = threading.Thread(target=self._run, name="outbox-writer", daemon=True)
        self._thread.start()

    def do(self, work: Work[T]) -> T:
        """What `work` returns, once it is durable.

        Raises what `work` raises, having changed nothing; Unavailable where the file fails or the writer is closed; Broken
        where the writer has died.
        """
        return self._asked(work).durable()

    def begin(self, work: Work[T]) -> Piece[T]:
        """The same, but returns when `work` is done, before the disk is waited for. Raises as `do`."""
        piece = self._asked(work)
        piece.done.wait()
        if piece.is_settled:
            piece.durable()
        return piece

    def _asked(self, work: Work[T]) -> Piece[T]:
        piece = Piece(work)
        with self._gate:
            if self._closed:
                raise Unavailable("outbox", "closed") if self._asked_to_close else _gone()
            self._pieces.put(piece)
        return piece

    def close(self) -> None:
        """Finish what was asked for, and close the connection."""
        with self._gate:
            if not self._closed:
                self._closed = self._asked_to_close = True
                self._pieces.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            while group := self._gather():
                self._group = group
                self._commit(group)
                self._group = []
        finally:
            self._closed = True
            self._abandon()
            self._db.close()

    def _gather(self) -> list[Piece[Any]]:
        """All that waits now, up to a limit; at least one. Empty at the end."""
        first = self._pieces.get()
        if first is None:
            return []
        group = [first]
        while len(group) < _GROUP_MAX:
            try:
                piece = self._pieces.get_nowait()
            except queue.Empty:
                break
            if piece is None:
                self._pieces.put(None)
                break
            group.append(piece)
        return group

    def _commit(self, group: list[Piece[Any]]) -> None:
        outcomes: list[Any]
        try:
            self._db.execute("BEGIN IMMEDIATE")
            outcomes = [self._attempt(piece) for piece in group]
            for piece, outcome in zip(group, outcomes, strict=True):
                if not isinstance(outcome, _Failed):
                    piece.done.set()
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._undo()
            outcomes = [_Failed(translated(error)) for _ in group]
        for piece, outcome in zip(group, outcomes, strict=True):
            piece.settle(outcome)

    def _attempt(self, piece: Piece[T]) -> T | _Failed:
        """Do one piece of work."""
        self._db.execute("SAVEPOINT piece")
        try:
            result = piece.work(self._db)
        except Exception as problem:
            if isinstance(problem, sqlite3.OperationalError):
                raise
            self._db.execute("ROLLBACK TO piece")
            self._db.execute("RELEASE piece")
            return _Failed(translated(problem) if isinstance(problem, sqlite3.Error) else problem)
        self._db.execute("RELEASE piece")
        return result

    def _undo(self) -> None:
        """Some failures have rolled back already; then there is nothing to undo."""
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _abandon(self) -> None:
        """Nobody may wait for a writer that has gone. Twice: emptying the queue lets in who was waiting at the gate."""
        orphans = [piece for piece in self._group if not piece.is_settled] + self._drain()
        with self._gate:
            orphans += self._drain()
        for piece in orphans:
            piece.settle(_Failed(_gone()))

    def _drain(self) -> list[Piece[Any]]:
        found: list[Piece[Any]] = []
        while True:
            try:
                piece = self._pieces.get_nowait()
            except queue.Empty:
                return found
            if piece is not None:
                found.append(piece)


def _gone() -> Broken:
    return Broken("the outbox's writer has died; restart the process, nothing is lost", ExitCode.OUTBOX_DAMAGED)
