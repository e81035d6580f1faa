"""A phone whose owner wants no more texts is remembered, by its stand-in, as long as the outbox lives."""

import sqlite3
from pathlib import Path

import pytest

from consumer.adapters.outbox_sqlite import SqliteOutbox, schema
from consumer.core.delivery import Settlement, Trigger
from consumer.core.sending import OPTED_OUT
from tests.builders import NOW
from tests.outboxes import ATTEMPT, IDENTITY, OutboxBench, accepted, begun, numbered, recorded, settled

OTHER_PHONE = "e" * 64


def opts_out(outboxes: OutboxBench) -> None:
    recorded(outboxes.outbox, numbered(1))
    outboxes.outbox.settle(begun(outboxes.outbox), settled(Trigger.REJECT, OPTED_OUT), NOW)


def test_a_phone_that_opted_out_is_known_and_no_other(outboxes: OutboxBench) -> None:
    opts_out(outboxes)

    assert outboxes.outbox.opted_out(ATTEMPT.phone_digest)
    assert not outboxes.outbox.opted_out(OTHER_PHONE)


def test_a_phone_that_opted_out_is_known_to_the_next_process(outboxes: OutboxBench) -> None:
    opts_out(outboxes)

    outboxes.kill()

    assert outboxes.outbox.opted_out(ATTEMPT.phone_digest)


@pytest.mark.parametrize("settlement", [accepted(), settled(Trigger.REJECT, "InvalidParameter")])
def test_a_phone_that_took_a_text_or_failed_otherwise_has_not_opted_out(
    outboxes: OutboxBench, settlement: Settlement
) -> None:
    recorded(outboxes.outbox, numbered(1))
    outboxes.outbox.settle(begun(outboxes.outbox), settlement, NOW)

    assert not outboxes.outbox.opted_out(ATTEMPT.phone_digest)


def test_looking_a_phone_up_walks_an_index_of_those_that_opted_out_alone(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    SqliteOutbox.open(path, identity=IDENTITY, now=NOW).close()

    db = sqlite3.connect(path)
    (plan,) = db.execute(
        "EXPLAIN QUERY PLAN SELECT 1 FROM attempts WHERE phone_digest = 'd' AND reason = 'opted_out'"
    ).fetchall()
    db.close()

    assert "attempts_opted_out" in plan[3]


def test_a_phone_that_opted_out_before_the_index_was_there_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "outbox.db"
    with monkeypatch.context() as patched:
        patched.setattr("consumer.adapters.outbox_sqlite.opening.MIGRATIONS", schema.MIGRATIONS[:1])
        patched.setattr("consumer.adapters.outbox_sqlite.opening.VERSION", 1)
        with SqliteOutbox.open(path, identity=IDENTITY, now=NOW) as older:
            recorded(older, numbered(1))
            older.settle(begun(older), settled(Trigger.REJECT, OPTED_OUT), NOW)

    with SqliteOutbox.open(path, identity=IDENTITY, now=NOW) as newer:
        assert newer.opted_out(ATTEMPT.phone_digest)
