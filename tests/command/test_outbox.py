"""`avviso outbox` beside a running process: what became of every notice, and why."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from consumer.adapters.outbox_sqlite import SqliteOutbox
from consumer.cli import cli
from consumer.core.delivery import Settlement, Trigger
from consumer.core.masking import MaskedSymbol
from consumer.core.notice import Change
from tests.builders import NOW, notice
from tests.outboxes import ATTEMPT, IDENTITY, begun, numbered


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[SqliteOutbox]:
    with SqliteOutbox.open(tmp_path / "outbox.sqlite", identity=IDENTITY, now=NOW) as opened:
        yield opened


def avviso(tmp_path: Path, *arguments: str) -> Result:
    url = f"sqlite:///{tmp_path / 'outbox.sqlite'}"
    return CliRunner().invoke(cli, ["outbox", *arguments], env={"AVVISO_OUTBOX__URL": url})


def test_stats_count_by_state_and_in_all(outbox: SqliteOutbox, tmp_path: Path) -> None:
    outbox.record([Change(notice=numbered(1)), Change(notice=numbered(2))], NOW).durable()

    output = avviso(tmp_path, "stats").output

    assert [line.split() for line in output.splitlines() if "0" not in line] == [["pending", "2"], ["all", "2"]]
    assert json.loads(avviso(tmp_path, "stats", "--json").output)["pending"] == 2


def test_a_list_can_be_narrowed_by_state_and_customer(outbox: SqliteOutbox, tmp_path: Path) -> None:
    outbox.record([Change(notice=numbered(1)), Change(notice=numbered(2))], NOW).durable()

    everything = json.loads(avviso(tmp_path, "list", "--json").output)
    held = json.loads(avviso(tmp_path, "list", "--state", "held", "--json").output)
    others = json.loads(avviso(tmp_path, "list", "--customer", "cust-9", "--json").output)

    assert [one["notice_id"] for one in everything] == [2, 1]
    assert (held, others) == ([], [])
    assert "large_debit" in avviso(tmp_path, "list").output


def test_show_tells_where_a_notice_came_from_what_was_compared_and_all_that_became_of_it(
    outbox: SqliteOutbox, tmp_path: Path
) -> None:
    told = notice(
        also=("atm_withdrawal",),
        values=dict(notice().values) | {"status": MaskedSymbol(symbol="posted")},
        preferences=None,
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    outbox.record([Change(notice=told)], NOW).durable()
    claim = begun(outbox)
    outbox.settle(claim, Settlement(trigger=Trigger.ACCEPT, reason="accepted", message_id="m-1"), NOW)

    output = avviso(tmp_path, "show", "1").output

    for words in (
        "1, accepted",
        "cust-1",
        "which counts for atm_withdrawal too",
        "TransactionPosted evt-1 of tenant default",
        "bank.transactions.v1[0]@12",
        "none known",
        "threshold 100.00 EUR",
        "amount 250.00 EUR",
        "account ..3456",
        "status posted",
        "message_id m-1",
        "0af7651916cd43dd8448eb211c80319c",
    ):
        assert words in output
    assert [line.split()[2] for line in output.partition("history\n")[2].splitlines()] == [
        "recorded",
        "claim",
        "begin",
        "accept",
    ]
    assert ATTEMPT.language in output


def test_a_notice_that_is_not_there_is_said_to_be_none(outbox: SqliteOutbox, tmp_path: Path) -> None:
    result = avviso(tmp_path, "show", "7")

    assert result.exit_code == 2
    assert "there is no notice 7" in result.output


def test_without_an_outbox_it_says_where_it_looked(tmp_path: Path) -> None:
    result = avviso(tmp_path, "stats")

    assert result.exit_code == 21
    assert "outbox.sqlite" in result.output


def test_a_wrong_setting_is_told_before_anything_is_looked_into() -> None:
    result = CliRunner().invoke(cli, ["outbox", "stats"], env={"AVVISO_OUTBOX__URL": "postgres://secret@host/x"})

    assert result.exit_code == 2
    assert "AVVISO_OUTBOX__URL" in result.output
    assert "secret" not in result.output
