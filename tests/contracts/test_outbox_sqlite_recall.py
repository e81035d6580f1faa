"""What SQLite is asked before a batch is judged: many keys at once, each of them looked up."""

import sqlite3
from pathlib import Path

from consumer.adapters.outbox_sqlite import SqliteOutbox
from consumer.core.notice import Change
from consumer.core.standing import OccurrenceKey, Questions, Side, Standing, StandingChange, StandingKey
from tests.builders import NOW
from tests.outboxes import IDENTITY

MANY = 700  # more than one statement may name


def key(number: int) -> StandingKey:
    return StandingKey(customer_id=f"cust-{number}", account="acc", kind="low_balance")


def test_every_standing_is_found_however_many_are_asked_for(tmp_path: Path) -> None:
    known = {key(number): Standing(side=Side.BELOW, sequence=number) for number in range(MANY)}
    changes = tuple(StandingChange(key=one, before=None, after=after) for one, after in known.items())
    with SqliteOutbox.open(tmp_path / "outbox.sqlite", identity=IDENTITY, now=NOW) as outbox:
        outbox.record([Change(standings=changes)], NOW).durable()

        memory = outbox.recall(Questions(standings=frozenset({*known, key(MANY)})))

    assert memory.standings == known


def test_what_is_asked_for_is_looked_up_and_the_tables_are_not_walked_through(tmp_path: Path) -> None:
    path, statements = tmp_path / "outbox.sqlite", list[str]()
    asked = Questions(
        standings=frozenset({key(1), key(2)}),
        occurrences=frozenset({OccurrenceKey(customer_id="cust-1", kind="large_debit", scope="tx:1:posted")}),
    )
    with SqliteOutbox.open(path, identity=IDENTITY, now=NOW) as outbox:
        outbox._reading.set_trace_callback(statements.append)
        outbox.recall(asked)
    beside = sqlite3.connect(path)
    plans = [
        row[3]
        for statement in statements
        if "asked" in statement
        for row in beside.execute(f"EXPLAIN QUERY PLAN {statement}")
    ]
    beside.close()

    assert len([plan for plan in plans if plan.startswith("SEARCH") and "PRIMARY KEY" in plan]) == 2
    assert not [plan for plan in plans if plan.startswith(("SCAN standings", "SCAN occurrences"))]
