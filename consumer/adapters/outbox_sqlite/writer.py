"""One thread writes; what arrives together is committed together."""

import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from consumer.adapters.outbox_sqlite.connection import translated
from consumer.errors import Broken, ExitCode, Unavailable

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

_WAITING_MAX = 256  # each caller waits for its answer, so this is more threads than a process has
_GROUP_MAX = 64


class _Request:
    __slots__ = ("answer", "work")

    def __init__(self, work: Work[Any]) -> None:
        self.work = work
        self.answer: Future[Any] = Future()


class Writer:
    """Runs pieces of work on its own connection, from any thread; each answer comes after the durable commit.

    While one group is being committed the next one gathers: one flush of the disk serves many callers. Each piece has
    its own savepoint: one that raises undoes only itself. Where the file fails (disk full, locked by an operator) the whole
    group is undone and each caller gets Unavailable.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        """Take over `db`, which nobody else may use from now on."""
        self._db = db
        self._requests: queue.Queue[_Request | None] = queue.Queue(_WAITING_MAX)
        self._gate = threading.Lock()
        self._closed = False
        self._asked_to_close = False
        self._group: list[_Request] = []
        self._thread = threading.Thread(target=self._run, name="outbox-writer", daemon=True)
        self._thread.start()

    def do(self, work: Work[T]) -> T:
        """What `work` returns, once it is durable.

        Raises what `work` raises, having changed nothing; Unavailable where the file fails or the writer is closed; Broken
        where the writer has died.
        """
        request = _Request(work)
        with self._gate:
            if self._closed:
                raise Unavailable("outbox", "closed") if self._asked_to_close else _gone()
            self._requests.put(request)
        answer: T = request.answer.result()
        return answer

    def close(self) -> None:
        """Finish what was asked for, and close the connection."""
        with self._gate:
            if not self._closed:
                self._closed = self._asked_to_close = True
                self._requests.put(None)
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

    def _gather(self) -> list[_Request]:
        """All that waits now, up to a limit; at least one. Empty at the end."""
        first = self._requests.get()
        if first is None:
            return []
        group = [first]
        while len(group) < _GROUP_MAX:
            try:
                request = self._requests.get_nowait()
            except queue.Empty:
                break
            if request is None:
                self._requests.put(None)
                break
            group.append(request)
        return group

    def _commit(self, group: list[_Request]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            answers = [self._attempt(request) for request in group]
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._undo()
            for request in group:
                request.answer.set_exception(translated(error))
            return
        for request, give in zip(group, answers, strict=True):
            give(request.answer)

    def _attempt(self, request: _Request) -> Callable[[Future[Any]], None]:
        """Do one piece of work, and return how to tell its caller once the commit is durable."""
        self._db.execute("SAVEPOINT piece")
        try:
            result = request.work(self._db)
        except Exception as problem:
            if isinstance(problem, sqlite3.OperationalError):
                raise
            self._db.execute("ROLLBACK TO piece")
            self._db.execute("RELEASE piece")
            failure = translated(problem) if isinstance(problem, sqlite3.Error) else problem
            return lambda answer: answer.set_exception(failure)
        self._db.execute("RELEASE piece")
        return lambda answer: answer.set_result(result)

    def _undo(self) -> None:
        """Some failures have rolled back already; then there is nothing to undo."""
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _abandon(self) -> None:
        """Nobody may wait for a writer that has gone. Twice: emptying the queue lets in who was waiting at the gate."""
        orphans = [request for request in self._group if not request.answer.done()] + self._drain()
        with self._gate:
            orphans += self._drain()
        for request in orphans:
            request.answer.set_exception(_gone())

    def _drain(self) -> list[_Request]:
        found: list[_Request] = []
        while True:
            try:
                request = self._requests.get_nowait()
            except queue.Empty:
                return found
            if request is not None:
                found.append(request)


def _gone() -> Broken:
    return Broken("the outbox's writer has died; restart the process, nothing is lost", ExitCode.OUTBOX_DAMAGED)
