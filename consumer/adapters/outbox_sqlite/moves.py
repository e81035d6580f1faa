"""Moving one notice along the state machine: its row, its history, and what an untold end gives back."""

import sqlite3
from collections.abc import Mapping
from datetime import datetime

import msgspec

from consumer.adapters.outbox_sqlite.rows import as_json, micros, occurrences_of
from consumer.core.delivery import UNTOLD, Remark, State, Trigger, after, effective
from consumer.core.standing import Side

NOTHING: Mapping[str, str] = {}
HISTORY = "INSERT INTO history (notice_id, at, trigger, state, reason, detail) VALUES (?, ?, ?, ?, ?, ?)"


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """Where one notice stands, as read inside the transaction that will move it."""

    notice_id: int
    state: State
    doubts: int


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to a notice: when, why (a short code), what else is known, and until when it rests."""

    trigger: Trigger
    at: datetime
    reason: str
    detail: Mapping[str, str] = NOTHING
    not_before: datetime | None = None


def move(db: sqlite3.Connection, delivery: Delivery, step: Step) -> State:
    """Do what the step comes to (`core.delivery.effective`), and return the new state. Raises ImpossibleTransition."""
    proven = delivery.doubts > 0 and delivery.state is State.SENDING and _proven(db, delivery.notice_id)
    trigger = effective(delivery.state, step.trigger, doubts=delivery.doubts, proven=proven)
    state = after(delivery.state, trigger)
    if step.trigger is Trigger.DOUBT:
        _count_doubt(db, delivery.notice_id, step)
    not_before = micros(step.not_before) if step.not_before is not None and state is State.PENDING else None
    db.execute(
        "UPDATE deliveries SET state = ?, reason = ?, not_before = coalesce(?, not_before) WHERE notice_id = ?",
        (state.value, step.reason, not_before, delivery.notice_id),
    )
    remember(db, delivery.notice_id, trigger, state, step)
    if state in UNTOLD:
        _give_back(db, delivery.notice_id)
    return state


def remember(db: sqlite3.Connection, notice_id: int, what: Trigger | Remark, state: State, step: Step) -> None:
    """Add to the history."""
    db.execute(HISTORY, (notice_id, micros(step.at), what.value, state.value, step.reason, as_json(step.detail)))


def _proven(db: sqlite3.Connection, notice_id: int) -> bool:
    found = db.execute("SELECT 1 FROM attempts WHERE notice_id = ? AND message_id IS NOT NULL", (notice_id,))
    return found.fetchone() is not None


def _count_doubt(db: sqlite3.Connection, notice_id: int, step: Step) -> None:
    resolve_at = None if step.not_before is None else micros(step.not_before)
    db.execute(
        "UPDATE deliveries SET doubts = doubts + 1, doubted_at = ?, resolve_at = ? WHERE notice_id = ?",
        (micros(step.at), resolve_at, notice_id),
    )


def _give_back(db: sqlite3.Connection, notice_id: int) -> None:
    """The customer was never told: what the notice stood for may be told again."""
    (told,) = db.execute("SELECT occurrences FROM notices WHERE id = ?", (notice_id,)).fetchone()
    db.executemany(
        "DELETE FROM occurrences WHERE customer_id = ? AND kind = ? AND scope = ? AND notice_id = ?",
        [(one.customer_id, one.kind, one.scope, notice_id) for one in occurrences_of(told)],
    )
    db.execute("UPDATE standings SET side = ?, notice_id = NULL WHERE notice_id = ?", (Side.ABOVE.value, notice_id))
