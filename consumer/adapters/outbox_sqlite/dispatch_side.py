"""What dispatch does to the notices it tries."""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime

from consumer.adapters.outbox_sqlite.moves import HISTORY, Delivery, Step, move, remember
from consumer.adapters.outbox_sqlite.rows import CLAIM_COLUMNS, as_json, claim_of, instant, micros
from consumer.core.delivery import (
    Attempt,
    Claim,
    ImpossibleTransition,
    Remark,
    Settlement,
    State,
    Trigger,
    after,
    provable,
)
from consumer.core.sending import OPTED_OUT

_FROM_CLAIMED = frozenset({Trigger.RELEASE, Trigger.EXPIRE, Trigger.CANCEL, Trigger.REJECT, Trigger.HOLD})
_FROM_SENDING = frozenset({Trigger.ACCEPT, Trigger.RETRY, Trigger.REJECT, Trigger.DOUBT, Trigger.HOLD})
_NEXT_RANK = "SELECT min(rank) FROM deliveries WHERE state = 'pending' AND rank > ?"
_DUE = (
    "SELECT notice_id FROM deliveries WHERE state = 'pending' AND rank = ? AND not_before <= ? AND stale_at > ? "
    "ORDER BY not_before, occurred_at, stale_at, notice_id LIMIT ?"
)
_BACKLOG = (
    "SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE state = 'pending' AND rank = ? AND not_before <= ? "
    "AND stale_at > ? LIMIT ?)"
)
_CLAIMED = (
    f"SELECT {CLAIM_COLUMNS} FROM deliveries d JOIN notices n "  # noqa: S608 - our own constants
    "ON n.id = d.notice_id WHERE d.notice_id = ?"
)
_LEASE = (
    "UPDATE deliveries SET state = 'claimed', reason = '', fence = fence + 1, owner = ?, lease_until = ? "
    "WHERE notice_id = ?"
)

# The reason stands in it in full, or SQLite would not see that the index holds just these.
_OPTED_OUT = f"SELECT 1 FROM attempts WHERE phone_digest = ? AND reason = '{OPTED_OUT}'"  # noqa: S608 - our own constant


def claim(db: sqlite3.Connection, owner: str, now: datetime, lease_until: datetime, limit: int) -> Sequence[Claim]:
    """Lease what is due and fresh: the lowest rank first, in it what has been due for longest, then what occurred first."""
    ids = _due(db, micros(now), limit)
    db.executemany(_LEASE, [(owner, micros(lease_until), notice_id) for notice_id in ids])
    claims = [claim_of(db.execute(_CLAIMED, (notice_id,)).fetchone()) for notice_id in ids]
    state = after(State.PENDING, Trigger.CLAIM)
    db.executemany(
        HISTORY,
        [(one.notice_id, micros(now), Trigger.CLAIM.value, state.value, "", as_json(_who(one))) for one in claims],
    )
    return claims


def _due(db: sqlite3.Connection, now: int, limit: int) -> Sequence[int]:
    """One look at the index per rank: a sort of all that is due would cost more the longer the queue is."""
    ids: list[int] = []
    for rank in ranks(db):
        ids += [row[0] for row in db.execute(_DUE, (rank, now, now, limit - len(ids)))]
        if len(ids) >= limit:
            break
    return ids


def backlog(db: sqlite3.Connection, now: datetime, at_most: int) -> int:
    """How many notices a claim could find, counted along the index that it walks: 100,000 in about 10 ms."""
    count = 0
    for rank in ranks(db):
        count += db.execute(_BACKLOG, (rank, micros(now), micros(now), at_most - count)).fetchone()[0]
        if count >= at_most:
            break
    return count


def ranks(db: sqlite3.Connection) -> Sequence[int]:
    """The ranks that anything pending has, security first."""
    found: list[int] = []
    rank = -1
    while (rank := db.execute(_NEXT_RANK, (rank,)).fetchone()[0]) is not None:
        found.append(rank)
    return found


def due_at(db: sqlite3.Connection) -> datetime | None:
    """When the next pending notice may be tried; None if there is none."""
    earliest = [
        db.execute("SELECT min(not_before) FROM deliveries WHERE state = 'pending' AND rank = ?", (rank,)).fetchone()[0]
        for rank in ranks(db)
    ]
    return instant(min(earliest)) if earliest else None


def begin(db: sqlite3.Connection, claim: Claim, attempt: Attempt, now: datetime) -> bool:
    """Write down that the call comes next. False if the claim was taken back, or its lease has run out."""
    changed = db.execute(
        "UPDATE deliveries SET state = 'sending', attempts = attempts + 1 "
        "WHERE notice_id = ? AND state = 'claimed' AND owner = ? AND fence = ? AND lease_until > ?",
        (claim.notice_id, claim.owner, claim.fence, micros(now)),
    )
    if not changed.rowcount:
        return False
    db.execute(
        "INSERT INTO attempts (notice_id, fence, phone_digest, parts, language, began_at) VALUES (?, ?, ?, ?, ?, ?)",
        (claim.notice_id, claim.fence, attempt.phone_digest, attempt.parts, attempt.language, micros(now)),
    )
    detail = _who(claim) | {
        "phone_digest": attempt.phone_digest,
        "parts": str(attempt.parts),
        "language": attempt.language,
    }
    step = Step(trigger=Trigger.BEGIN, at=now, reason="", detail=detail)
    remember(db, claim.notice_id, Trigger.BEGIN, after(State.CLAIMED, Trigger.BEGIN), step)
    return True


def opted_out(db: sqlite3.Connection, phone_digest: str) -> bool:
    """Whether the provider ever refused this phone because its owner wants no more texts."""
    return db.execute(_OPTED_OUT, (phone_digest,)).fetchone() is not None


def settle(db: sqlite3.Connection, claim: Claim, settlement: Settlement, now: datetime) -> bool:
    """Move the notice if the claim is still ours; else keep what proof there is. Raises ImpossibleTransition."""
    row = db.execute(
        "SELECT state, owner, fence, doubts FROM deliveries WHERE notice_id = ?", (claim.notice_id,)
    ).fetchone()
    delivery = Delivery(notice_id=claim.notice_id, state=State(row["state"]), doubts=row["doubts"])
    ours = row["owner"] == claim.owner and row["fence"] == claim.fence
    if ours and delivery.state in (State.CLAIMED, State.SENDING):
        _settle_ours(db, claim, delivery, settlement, now)
        return True
    if settlement.message_id is None:
        return False
    return _keep_proof(db, claim, delivery, settlement, now)


def _settle_ours(
    db: sqlite3.Connection, claim: Claim, delivery: Delivery, settlement: Settlement, now: datetime
) -> None:
    allowed = _FROM_SENDING if delivery.state is State.SENDING else _FROM_CLAIMED
    if settlement.trigger not in allowed:
        raise ImpossibleTransition(f"settled by {settlement.trigger.value} in {delivery.state.value}")
    step = Step(
        trigger=settlement.trigger,
        at=now,
        reason=settlement.reason,
        detail=_proof(claim, settlement),
        not_before=settlement.not_before,
    )
    move(db, delivery, step)
    if delivery.state is State.SENDING:
        _end_attempt(db, claim, settlement, now)


def _keep_proof(
    db: sqlite3.Connection, claim: Claim, delivery: Delivery, settlement: Settlement, now: datetime
) -> bool:
    """The provider took the text although the claim was lost. True where exactly this was written before."""
    known = db.execute(
        "SELECT message_id FROM attempts WHERE notice_id = ? AND fence = ?", (claim.notice_id, claim.fence)
    ).fetchone()
    if known is not None and known["message_id"] == settlement.message_id:
        return True
    _end_attempt(db, claim, settlement, now)
    step = Step(trigger=Trigger.PROVE, at=now, reason=settlement.reason, detail=_proof(claim, settlement))
    if provable(delivery.state):
        move(db, delivery, step)
    else:
        remember(db, claim.notice_id, Remark.PROOF_KEPT, delivery.state, step)
    return False


def _end_attempt(db: sqlite3.Connection, claim: Claim, settlement: Settlement, now: datetime) -> None:
    db.execute(
        "UPDATE attempts SET ended_at = ?, outcome = ?, reason = ?, message_id = ?, request_id = ? "
        "WHERE notice_id = ? AND fence = ?",
        (
            micros(now),
            settlement.trigger.value,
            settlement.reason,
            settlement.message_id,
            settlement.request_id,
            claim.notice_id,
            claim.fence,
        ),
    )


def _who(claim: Claim) -> dict[str, str]:
    return {"owner": claim.owner, "fence": str(claim.fence)}


def _proof(claim: Claim, settlement: Settlement) -> Mapping[str, str]:
    ids = {"message_id": settlement.message_id, "request_id": settlement.request_id}
    return {"fence": str(claim.fence)} | {name: value for name, value in ids.items() if value is not None}
