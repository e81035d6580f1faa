"""What time alone does to notices: leases run out, news goes stale, doubts come due."""

import sqlite3
from datetime import datetime

from consumer.adapters.outbox_sqlite.moves import Delivery, Step, move
from consumer.adapters.outbox_sqlite.rows import kinds_of, micros
from consumer.core.catalogue import InDoubtPolicy
from consumer.core.delivery import Patience, State, Trigger, resolution
from consumer.ports import Lapsed, Swept

_LIMIT = 500  # rows a call and reason: a sweep holds up the other writers
LEASE_LOST = "lease_lost"
OWNER_DIED = "owner_died"
STALE = "stale"
UNRESOLVED = "unresolved"

_LOST = "SELECT notice_id, state, doubts FROM deliveries WHERE state IN ('claimed', 'sending')"
_DOUBTED = (
    "SELECT d.notice_id, d.state, d.doubts, d.stale_at, n.in_doubt FROM deliveries d JOIN notices n ON n.id = d.notice_id "
    "WHERE d.state = 'in_doubt' AND coalesce(d.resolve_at, d.doubted_at + ?) <= ? ORDER BY d.notice_id LIMIT ?"
)
_STALE = (
    "SELECT d.notice_id, d.state, d.doubts, n.kind, n.also FROM deliveries d JOIN notices n ON n.id = d.notice_id "
    "WHERE d.state = 'pending' AND d.stale_at <= ? ORDER BY d.stale_at, d.notice_id LIMIT ?"
)


def recover(db: sqlite3.Connection, now: datetime) -> int:
    """The only worker has just begun: whatever is claimed or under way belonged to one that died. How many are held now."""
    return [_lose(db, row, now, OWNER_DIED) for row in db.execute(_LOST).fetchall()].count(State.HELD)


def sweep(db: sqlite3.Connection, now: datetime, patience: Patience) -> Swept:
    """Leases first: what they give back may be stale already."""
    lost = db.execute(f"{_LOST} AND lease_until <= ? ORDER BY lease_until LIMIT ?", (micros(now), _LIMIT)).fetchall()
    given_back = [_lose(db, row, now, LEASE_LOST) for row in lost]
    stale = db.execute(_STALE, (micros(now), _LIMIT)).fetchall()
    ended = [_expire(db, row, now) for row in stale]
    wait = micros(now) - micros(now - patience.doubt)
    doubted = db.execute(_DOUBTED, (wait, micros(now), _LIMIT)).fetchall()
    resolved = [_resolve(db, row, now) for row in doubted]
    return Swept(
        leases_lost=sum(row["state"] == State.CLAIMED for row in lost),
        doubts=sum(row["state"] == State.SENDING for row in lost),
        expired=ended.count(State.EXPIRED),
        resent=resolved.count(State.PENDING),
        held=(given_back + ended + resolved).count(State.HELD),
        lapsed=tuple(_lapsed(row) for row, state in zip(stale, ended, strict=True) if state is State.EXPIRED),
    )


def _delivery(row: sqlite3.Row) -> Delivery:
    return Delivery(notice_id=row["notice_id"], state=State(row["state"]), doubts=row["doubts"])


def _lapsed(row: sqlite3.Row) -> Lapsed:
    return Lapsed(notice_id=row["notice_id"], kinds=(row["kind"], *kinds_of(row["also"])))


def _lose(db: sqlite3.Connection, row: sqlite3.Row, now: datetime, reason: str) -> State:
    """Nothing was sent from `claimed`; from `sending` nobody knows."""
    delivery = _delivery(row)
    if delivery.state is State.CLAIMED:
        return move(db, delivery, Step(trigger=Trigger.LEASE_LOST, at=now, reason=reason))
    db.execute(
        "UPDATE attempts SET ended_at = ?, outcome = ?, reason = ? WHERE notice_id = ? AND ended_at IS NULL",
        (micros(now), Trigger.DOUBT.value, reason, delivery.notice_id),
    )
    return move(db, delivery, Step(trigger=Trigger.DOUBT, at=now, reason=reason))


def _expire(db: sqlite3.Connection, row: sqlite3.Row, now: datetime) -> State:
    return move(db, _delivery(row), Step(trigger=Trigger.EXPIRE, at=now, reason=STALE))


def _resolve(db: sqlite3.Connection, row: sqlite3.Row, now: datetime) -> State:
    trigger = resolution(InDoubtPolicy(row["in_doubt"]), doubts=row["doubts"], fresh=row["stale_at"] > micros(now))
    return move(db, _delivery(row), Step(trigger=trigger, at=now, reason=UNRESOLVED, not_before=now))
