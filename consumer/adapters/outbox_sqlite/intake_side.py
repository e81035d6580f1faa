"""What intake asks of the outbox and writes into it."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from consumer.adapters.outbox_sqlite.moves import HISTORY, Delivery, Step, move
from consumer.adapters.outbox_sqlite.rows import NOTICE_COLUMNS, NOTICE_PLACES, micros, notice_row, occurrences_of
from consumer.core.delivery import UNTOLD, Remark, State, Trigger
from consumer.core.notice import Cancellation, Change, Notice
from consumer.core.standing import Memory, Occurrence, Questions, Side, Standing, StandingChange
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
    "VALUES (?, 'pending', ?, ?, ?, ?, ?)"
)
_UNTOLD = ", ".join(f"'{state.value}'" for state in sorted(UNTOLD))


def recall(db: sqlite3.Connection, questions: Questions) -> Memory:
    """The answers, as of one instant (the caller holds a snapshot)."""
    memory = Memory(standings={}, told={})
    for key in questions.standings:
        row = db.execute(
            "SELECT side, sequence FROM standings WHERE customer_id = ? AND account = ? AND kind = ?",
            (key.customer_id, key.account, key.kind),
        ).fetchone()
        if row is not None:
            memory.standings[key] = Standing(side=Side(row[0]), sequence=row[1])
    for asked in questions.occurrences:
        row = db.execute(
            "SELECT amount, currency FROM occurrences WHERE customer_id = ? AND kind = ? AND scope = ?",
            (asked.customer_id, asked.kind, asked.scope),
        ).fetchone()
        if row is not None:
            memory.told[asked] = Occurrence(
                customer_id=asked.customer_id,
                kind=asked.kind,
                scope=asked.scope,
                amount=None if row[0] is None else Decimal(row[0]),
                currency=row[1],
            )
    return memory


class Recording:
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
        for notice_id, change in numbered:
            self._apply(change, notice_id)
        return Recorded(notices=notices, cancelled=self._cancelled)

    def _insert_notices(self, numbered: Sequence[tuple[int, Change]]) -> int:
        """Insert them, each under the id that its place in the batch gives it, and return how many. Raises Conflict."""
        offered = [
            (notice_id, change.notice, change.cancellation)
            for notice_id, change in numbered
            if change.notice is not None
        ]
        assert len({notice.key for _, notice, _ in offered}) == len(offered), "a batch tells of each event once"
        self._db.executemany(
            _INSERT_NOTICE,
            [
                (notice_id, None if undone is None else undone.transaction_id, *notice_row(notice))
                for notice_id, notice, undone in offered
            ],
        )
        if offered:
            first_id = offered[0][0]
            new = {row[0] for row in self._db.execute("SELECT id FROM notices WHERE id >= ?", (first_id,))}
            known = frozenset(notice.key for notice_id, notice, _ in offered if notice_id not in new)
            if known:
                raise Conflict(known)
            self._start([(notice_id, notice) for notice_id, notice, _ in offered])
        return len(offered)

    def _start(self, notices: Sequence[tuple[int, Notice]]) -> None:
        """Each new notice is pending, and its history begins."""
        self._db.executemany(
            _INSERT_DELIVERY,
            [
                (
                    notice_id,
                    Remark.RECORDED.value,
                    notice.rank,
                    micros(notice.occurred_at),
                    micros(notice.stale_at),
                    micros(notice.not_before),
                )
                for notice_id, notice in notices
            ],
        )
        at = micros(self._now)
        self._db.executemany(
            HISTORY, [(notice_id, at, Remark.RECORDED.value, State.PENDING.value, "", "{}") for notice_id, _ in notices]
        )

    def _apply(self, change: Change, notice_id: int) -> None:
        """What a change does besides its notice. The id is the notice's, or the place where it would be."""
        notice = change.notice
        if notice is not None:
            self._tell(notice.occurrences, notice_id)
        for standing in change.standings:
            self._set(standing, notice, notice_id)
        if change.cancellation is not None and self._cancel(change.cancellation, notice_id) and notice is not None:
            self._move(notice_id, State.PENDING)

    def _tell(self, occurrences: Sequence[Occurrence], notice_id: int) -> None:
        for one in occurrences:
            inserted = self._db.execute(
                "INSERT INTO occurrences (customer_id, kind, scope, amount, currency, notice_id) VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                (
                    one.customer_id,
                    one.kind,
                    one.scope,
                    None if one.amount is None else str(one.amount),
                    one.currency,
                    notice_id,
                ),
            )
            if not inserted.rowcount:
                raise Conflict

    def _set(self, change: StandingChange, notice: Notice | None, notice_id: int) -> None:
        """Compare and set. The standing belongs to the notice that tells of it, for as long as it stays on that side."""
        key, before, after = change.key, change.before, change.after
        tells = notice is not None and after.side is Side.BELOW and key.kind in {notice.kind, *notice.also}
        owner = notice_id if tells else None
        if before is None:
            done = self._db.execute(
                "INSERT INTO standings (customer_id, account, kind, side, sequence, notice_id) VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                (key.customer_id, key.account, key.kind, after.side.value, after.sequence, owner),
            )
        else:
            keeps = not tells and after.side is before.side
            done = self._db.execute(
                "UPDATE standings SET side = ?, sequence = ?, notice_id = CASE WHEN ? THEN notice_id ELSE ? END "
                "WHERE customer_id = ? AND account = ? AND kind = ? AND side = ? AND sequence = ?",
                (
                    after.side.value,
                    after.sequence,
                    keeps,
                    owner,
                    key.customer_id,
                    key.account,
                    key.kind,
                    before.side.value,
                    before.sequence,
                ),
            )
        if not done.rowcount:
            raise Conflict

    def _cancel(self, undone: Cancellation, earlier_than: int) -> bool:
        """Cancel what is undone and not under way. True if the customer knows nothing of the transaction, and never will.

        A notice that itself tells of this reversal is none of those: a redelivered reversal must not take itself back.
        """
        at = undone.record
        rows = self._db.execute(
            "SELECT d.notice_id, d.state, d.doubts, n.occurrences FROM notices n JOIN deliveries d ON d.notice_id = n.id "  # noqa: S608
            "WHERE n.customer_id = ? AND n.transaction_id = ? AND n.id < ? AND n.reverses IS NOT n.transaction_id "
            "AND NOT (n.record_topic = ? AND n.record_partition = ? AND n.record_offset > ?) "
            f"AND d.state NOT IN ({_UNTOLD})",
            (undone.customer_id, undone.transaction_id, earlier_than, at.topic, at.partition, at.offset),
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
