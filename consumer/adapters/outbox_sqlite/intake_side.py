"""What intake asks of the outbox and writes into it."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from consumer.adapters.outbox_sqlite.moves import Delivery, Step, move
from consumer.adapters.outbox_sqlite.rows import NOTICE_COLUMNS, NOTICE_PLACES, notice_row, occurrences_of
from consumer.core.delivery import UNTOLD, Remark, State, Trigger
from consumer.core.notice import Cancellation, Change, EventKey, Notice
from consumer.core.standing import Memory, Occurrence, Questions, Side, Standing, StandingChange, StandingKey
from consumer.errors import Conflict
from consumer.ports import Recorded

REVERSED = "reversed_before_told"

_INSERT_NOTICE = (
    f"INSERT INTO notices (id, reverses, {NOTICE_COLUMNS}) "  # noqa: S608 - both parts are our own constants
    f"VALUES (?, ?, {NOTICE_PLACES}) "
    "ON CONFLICT (event_id, customer_id, event_type, tenant) DO NOTHING"
)
_INSERT_DELIVERY = (
    "INSERT INTO deliveries (notice_id, state, reason, rank, occurred_at, stale_at, not_before) "
    "SELECT id, 'pending', ?, rank, occurred_at, stale_at, not_before FROM notices WHERE id > ?"
)
_KEYS_MAX = 300
"""Three variables each, of the 999 that an old SQLite allows in one statement."""
_ASKED = "WITH asked (a, b, c) AS (VALUES {places}) SELECT {columns} FROM asked CROSS JOIN {table} ON {match}"
_STANDINGS = partial(
    _ASKED.format,
    columns="customer_id, account, kind, side, sequence",
    table="standings",
    match="customer_id = a AND account = b AND kind = c",
)
_OCCURRENCES = partial(
    _ASKED.format,
    columns="customer_id, kind, scope, amount, currency",
    table="occurrences",
    match="customer_id = a AND kind = b AND scope = c",
)
_INSERT_OCCURRENCE = (
    "INSERT INTO occurrences (customer_id, kind, scope, amount, currency, notice_id) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT DO NOTHING"
)
_INSERT_STANDING = (
    "INSERT INTO standings (customer_id, account, kind, side, sequence, notice_id) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT DO NOTHING"
)
_UPDATE_STANDING = (
    "UPDATE standings SET side = ?, sequence = ?, notice_id = CASE WHEN ? THEN notice_id ELSE ? END "
    "WHERE customer_id = ? AND account = ? AND kind = ? AND side = ? AND sequence = ?"
)
_UNTOLD = ", ".join(f"'{state.value}'" for state in sorted(UNTOLD))


def recall(db: sqlite3.Connection, questions: Questions) -> Memory:
    """The answers, as of one instant (the caller holds a snapshot)."""
    standings = [(key.customer_id, key.account, key.kind) for key in questions.standings]
    told = [(key.customer_id, key.kind, key.scope) for key in questions.occurrences]
    memory = Memory(standings={}, told={})
    for customer_id, account, kind, side, sequence in _found(db, _STANDINGS, standings):
        key = StandingKey(customer_id=customer_id, account=account, kind=kind)
        memory.standings[key] = Standing(side=Side(side), sequence=sequence)
    for customer_id, kind, scope, amount, currency in _found(db, _OCCURRENCES, told):
        occurrence = Occurrence(
            customer_id=customer_id,
            kind=kind,
            scope=scope,
            amount=None if amount is None else Decimal(amount),
            currency=currency,
        )
        memory.told[occurrence.key] = occurrence
    return memory


def _found(
    db: sqlite3.Connection, statement: Callable[..., str], keys: Sequence[tuple[str, str, str]]
) -> Iterator[sqlite3.Row]:
    """The rows with these keys, each looked up, but many by one statement, which costs more than a row."""
    for start in range(0, len(keys), _KEYS_MAX):
        some = keys[start : start + _KEYS_MAX]
        places = ", ".join(["(?, ?, ?)"] * len(some))
        yield from db.execute(statement(places=places), [part for key in some for part in key])


class Batch:
    """One batch on its way into the file; used once, inside one transaction."""

    def __init__(self, db: sqlite3.Connection, now: datetime) -> None:
        """Start with nothing recorded."""
        self._db = db
        self._now = now
        self._cancelled = 0

    def write(self, changes: Sequence[Change]) -> Recorded:
        """All of it. Raises Conflict where something is not as the changes suppose."""
        (highest,) = self._db.execute("SELECT coalesce(max(id), 0) FROM notices").fetchone()
        numbered = list(enumerate(changes, highest + 1))
        notices = self._insert_notices(numbered)
        self._db.execute(_INSERT_DELIVERY, (Remark.RECORDED.value, highest))
        self._tell(numbered)
        self._set(numbered)
        for notice_id, change in numbered:
            if change.cancellation is not None:
                self._undo(change.cancellation, change.notice, notice_id)
        return Recorded(notices=notices, cancelled=self._cancelled)

    def _insert_notices(self, numbered: Sequence[tuple[int, Change]]) -> int:
        """Insert them, each under the id that its place in the batch gives it, and return how many. Raises Conflict."""
        offered = [
            (notice_id, change.notice, change.cancellation)
            for notice_id, change in numbered
            if change.notice is not None
        ]
        assert len({notice.key for _, notice, _ in offered}) == len(offered), "a batch tells of each event once"
        inserted = self._db.executemany(
            _INSERT_NOTICE,
            [
                (notice_id, None if undone is None else undone.transaction_id, *notice_row(notice))
                for notice_id, notice, undone in offered
            ],
        )
        if offered and inserted.rowcount < len(offered):
            raise Conflict(self._known(offered))
        return len(offered)

    def _known(self, offered: Sequence[tuple[int, Notice, object]]) -> frozenset[EventKey]:
        """Those of the offered that were there before, and so were not inserted."""
        new = {row[0] for row in self._db.execute("SELECT id FROM notices WHERE id >= ?", (offered[0][0],))}
        return frozenset(notice.key for notice_id, notice, _ in offered if notice_id not in new)

    def _tell(self, numbered: Sequence[tuple[int, Change]]) -> None:
        """What the new notices stand for is told from now on. Raises Conflict where some of it was told already."""
        rows = [
            (
                one.customer_id,
                one.kind,
                one.scope,
                None if one.amount is None else str(one.amount),
                one.currency,
                notice_id,
            )
            for notice_id, change in numbered
            if change.notice is not None
            for one in change.notice.occurrences
        ]
        self._all(_INSERT_OCCURRENCE, rows)

    def _set(self, numbered: Sequence[tuple[int, Change]]) -> None:
        """Compare and set every standing, in order; raises Conflict. A batch finds each of them missing at most once."""
        new, changed = [], []
        for notice_id, change in numbered:
            for one in change.standings:
                if one.before is None:
                    new.append(_new_standing(one, change.notice, notice_id))
                else:
                    changed.append(_changed_standing(one, one.before, change.notice, notice_id))
        self._all(_INSERT_STANDING, new)
        self._all(_UPDATE_STANDING, changed)

    def _all(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Raises Conflict unless each of the rows changes one of the table's."""
        if rows and self._db.executemany(statement, rows).rowcount != len(rows):
            raise Conflict

    def _undo(self, undone: Cancellation, notice: Notice | None, notice_id: int) -> None:
        """Take back what was to be told; then the reversal itself, if it has a notice, is no news either."""
        if self._cancel(undone, notice_id) and notice is not None:
            self._move(notice_id, State.PENDING)

    def _cancel(self, undone: Cancellation, earlier_than: int) -> bool:
        """Cancel what is undone and not under way. True if the customer knows nothing of the transaction, and never will.

        A notice that itself tells of this reversal is none of those: a redelivered reversal must not take itself back.
        """
        at = undone.record
        rows = self._db.execute(
            "SELECT d.notice_id, d.state, d.doubts, n.occurrences FROM notices n JOIN deliveries d ON d.notice_id = n.id "  # noqa: S608
            "WHERE n.customer_id = ? AND n.transaction_id = ? AND n.id < ? "
            "AND CASE WHEN ? THEN n.reverses IS NULL ELSE n.reverses IS NOT n.transaction_id END "
            "AND NOT (n.record_topic = ? AND n.record_partition = ? AND n.record_offset > ?) "
            f"AND d.state NOT IN ({_UNTOLD})",
            (
                undone.customer_id,
                undone.transaction_id,
                earlier_than,
                undone.same_id,
                at.topic,
                at.partition,
                at.offset,
            ),
        ).fetchall()
        cancellable = [
            (row["notice_id"], State(row["state"]))
            for row in rows
            if row["state"] in (State.PENDING, State.CLAIMED)
            and not row["doubts"]
            and undone.covers(occurrences_of(row["occurrences"]))
        ]
        for notice_id, state in cancellable:
            self._move(notice_id, state)
        self._cancelled += len(cancellable)
        return bool(cancellable) and len(cancellable) == len(rows)

    def _move(self, notice_id: int, state: State) -> None:
        delivery = Delivery(notice_id=notice_id, state=state, doubts=0)
        move(self._db, delivery, Step(trigger=Trigger.CANCEL, at=self._now, reason=REVERSED))


def _new_standing(change: StandingChange, notice: Notice | None, notice_id: int) -> tuple[Any, ...]:
    key, after = change.key, change.after
    owner = notice_id if _tells(change, notice) else None
    return (key.customer_id, key.account, key.kind, after.side.value, after.sequence, owner)


def _changed_standing(
    change: StandingChange, before: Standing, notice: Notice | None, notice_id: int
) -> tuple[Any, ...]:
    """A standing belongs to the notice that tells of it, for as long as it stays on that side."""
    key, after = change.key, change.after
    tells = _tells(change, notice)
    keeps = not tells and after.side is before.side
    return (
        after.side.value,
        after.sequence,
        keeps,
        notice_id if tells else None,
        key.customer_id,
        key.account,
        key.kind,
        before.side.value,
        before.sequence,
    )


def _tells(change: StandingChange, notice: Notice | None) -> bool:
    return notice is not None and change.after.side is Side.BELOW and change.key.kind in {notice.kind, *notice.also}
