"""The outbox as an operator sees it: read-only, beside a running process."""

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from consumer.adapters.outbox_sqlite.connection import connect_read_only, snapshot, translating
from consumer.adapters.outbox_sqlite.opening import check_version
from consumer.adapters.outbox_sqlite.rows import CLAIM_COLUMNS, claim_of, facts_of, instant
from consumer.core.delivery import Remark, State
from consumer.core.notice import Notice
from consumer.core.story import HistoryEntry, NoticeStory, NoticeSummary
from consumer.errors import Broken, ExitCode

T = TypeVar("T")

_SUMMARY = "d.notice_id, n.customer_id, n.kind, d.state, d.reason, n.occurred_at, d.not_before AS due_at, d.attempts"
_FROM = "FROM deliveries d JOIN notices n ON n.id = d.notice_id"


class SqliteOutboxReader:
    """`ports.OutboxReader` on a file that another process may be working on. Changes nothing, locks nobody out."""

    @classmethod
    def open(cls, path: Path) -> Self:
        """Raises Broken where there is no outbox of this version at `path`, or Unavailable."""
        if not path.is_file():
            raise Broken(f"there is no outbox at {path}; name the file that `run` works on", ExitCode.OUTBOX_FOREIGN)
        with contextlib.ExitStack() as undo, translating():
            db = connect_read_only(path)
            undo.callback(db.close)
            if not check_version(db, path):
                raise Broken(f"{path} is empty; start `run` on it once", ExitCode.OUTBOX_FOREIGN)
            undo.pop_all()
            return cls(db)

    def __init__(self, db: sqlite3.Connection) -> None:
        """Take over what `open` made."""
        self._db = db
        self._reads = threading.Lock()

    def stats(self) -> Mapping[str, int]:
        """See `ports.OutboxReader`; every state is there."""
        counts: dict[str, int] = {state.value: 0 for state in State}
        return counts | self._read(
            lambda db: dict(db.execute("SELECT state, count(*) FROM deliveries GROUP BY state").fetchall())
        )

    def list(self, *, state: str | None, customer_id: str | None, limit: int) -> Sequence[NoticeSummary]:
        """See `ports.OutboxReader`."""
        wanted = {"d.state = ?": state, "n.customer_id = ?": customer_id}
        filters = {clause: value for clause, value in wanted.items() if value is not None}
        where = f"WHERE {' AND '.join(filters)}" if filters else ""
        query = f"SELECT {_SUMMARY} {_FROM} {where} ORDER BY d.notice_id DESC LIMIT ?"
        rows = self._read(lambda db: db.execute(query, (*filters.values(), limit)).fetchall())
        return [_summary(row) for row in rows]

    def show(self, notice_id: int) -> NoticeStory | None:
        """See `ports.OutboxReader`. The claim is the last one; fence 0 where there was none."""
        return self._read(lambda db: _story(db, notice_id))

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._reads, translating(), snapshot(self._db):
            return work(self._db)


def _story(db: sqlite3.Connection, notice_id: int) -> NoticeStory | None:
    row = db.execute(
        f"SELECT d.state, d.reason, d.not_before AS due_at, {CLAIM_COLUMNS} {_FROM} WHERE d.notice_id = ?",
        (notice_id,),
    ).fetchone()
    if row is None:
        return None
    claim = claim_of(row)
    later = db.execute(
        "SELECT at, trigger, state, reason, detail FROM history WHERE notice_id = ? ORDER BY id", (notice_id,)
    )
    return NoticeStory(summary=_summary(row), claim=claim, history=(_beginning(claim.notice), *map(_entry, later)))


def _beginning(notice: Notice) -> HistoryEntry:
    """The notice's own row, which never changes, is where its history begins."""
    return HistoryEntry(
        at=notice.recorded_at, trigger=Remark.RECORDED.value, state=State.PENDING.value, reason="", detail={}
    )


def _summary(row: sqlite3.Row) -> NoticeSummary:
    return NoticeSummary(
        notice_id=row["notice_id"],
        customer_id=row["customer_id"],
        kind=row["kind"],
        state=row["state"],
        reason=row["reason"],
        occurred_at=instant(row["occurred_at"]),
        not_before=instant(row["due_at"]),
        attempts=row["attempts"],
    )


def _entry(row: sqlite3.Row) -> HistoryEntry:
    return HistoryEntry(
        at=instant(row["at"]),
        trigger=row["trigger"],
        state=row["state"],
        reason=row["reason"],
        detail=facts_of(row["detail"]),
    )
