"""`avviso decide`: a JSON file in, the decision and its texts out, by the code that judges records."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from consumer.cli import cli

EVENT: dict[str, Any] = {
    "type": "TransactionPosted",
    "event_id": "evt-1",
    "occurred_at": "2026-11-22T14:30:00+01:00",
    "customer_ids": ["cust-1", "cust-2"],
    "transaction_id": "tx-1",
    "account_id": "acc-1",
    "account_number": "IT60X0542811101000000123456",
    "account_currency": "EUR",
    "amount": "250.00",
    "currency": "EUR",
    "direction": "DEBIT",
    "status": "POSTED",
    "channel": "CARD_PRESENT",
    "card_last_four": "4242",
    "counterparty_name": "Libreria Manzoni",
}
ALERT: dict[str, Any] = {"kind": "large_debit", "enabled": True, "threshold": "100", "threshold_currency": "EUR"}
CUSTOMER: dict[str, Any] = {
    "customer_id": "cust-1",
    "language": "it",
    "time_zone": "Europe/Rome",
    "phone": "+393401234567",
    "phone_verified": True,
    "detail_level": "FULL",
    "alerts": [ALERT],
}
NOW = "2026-11-22T14:30:05+01:00"
Decide = Callable[..., Result]


@pytest.fixture
def decide(tmp_path: Path) -> Decide:
    def run(event: Any = EVENT, preferences: Any = CUSTOMER, *more: str) -> Result:
        (tmp_path / "e.json").write_text(event if isinstance(event, str) else json.dumps(event))
        (tmp_path / "p.json").write_text(json.dumps(preferences))
        files = ["--event", str(tmp_path / "e.json"), "--preferences", str(tmp_path / "p.json"), "--now", NOW]
        return CliRunner().invoke(cli, ["decide", *files, *more], env={"AVVISO_BANK_NAME": "Banca Prova"})

    return run


def answers(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.output)
    return found


def test_it_says_what_each_holder_is_told_in_every_language_and_how_many_parts_that_takes(decide: Decide) -> None:
    told, stranger = answers(decide(EVENT, CUSTOMER, "--json"))

    assert (told["decision"], told["kind"]) == ("notify", "large_debit")
    assert set(told["texts"]) == {"en", "it"}
    assert all("250" in one["text"] and one["parts"] == 1 for one in told["texts"].values())
    assert all(one["refused"] is None for one in told["texts"].values())
    assert told["facts"]["threshold"] == "100 EUR"
    assert stranger == {"customer_id": "cust-2", "decision": "suppress", "reason": "no_preferences"}


def test_for_people_it_prints_decision_reason_texts_and_parts(decide: Decide) -> None:
    output = decide().output

    assert "cust-1: notify, large_debit" in output
    assert "it, 1 part: " in output
    assert "cust-2: suppress, no_preferences" in output


def test_what_comes_too_late_is_said_to_expire(decide: Decide) -> None:
    late = EVENT | {"occurred_at": "2026-11-20T14:30:00+01:00"}

    assert answers(decide(late, CUSTOMER, "--json"))[0]["stale"] is True
    assert "too late" in decide(late).output


def test_what_was_told_before_is_taken_from_a_file(decide: Decide, tmp_path: Path) -> None:
    told = {"told": [{"customer_id": "cust-1", "kind": "large_debit", "scope": "tx:tx-1:posted", "amount": "250.00"}]}
    (tmp_path / "s.json").write_text(json.dumps(told))

    first, _ = answers(decide(EVENT, CUSTOMER, "--json", "--standing", str(tmp_path / "s.json")))

    assert first["reason"] == "already_told"


def test_a_standing_from_a_file_keeps_a_low_balance_silent(decide: Decide, tmp_path: Path) -> None:
    low = {
        "type": "BalanceChanged",
        **{
            name: EVENT[name]
            for name in ("event_id", "occurred_at", "customer_ids", "account_id", "account_number", "account_currency")
        },
        "available": "10.00",
        "currency": "EUR",
        "account_sequence": 8,
    }
    seen = {"standings": [{"customer_id": "cust-1", "kind": "low_balance", "side": "below", "sequence": 7}]}
    (tmp_path / "s.json").write_text(json.dumps(seen))
    asked = CUSTOMER | {"alerts": [ALERT | {"kind": "low_balance", "threshold": "50"}]}

    before, _ = answers(decide(low, asked, "--json"))
    after, _ = answers(decide(low, asked, "--json", "--standing", str(tmp_path / "s.json")))

    assert before["decision"] == "notify"
    assert after["reason"] == "not_recovered"


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ("{", "e.json: is not JSON"),
        ("[]", "write one JSON object"),
        (EVENT | {"type": "Rain"}, "write one of BalanceChanged, TransactionPosted"),
        ({name: EVENT[name] for name in EVENT if name != "amount"}, "TransactionPosted.amount is missing"),
        (EVENT | {"amount": "much"}, 'amount: write an amount, as "12.50"'),
        (EVENT | {"occurred_at": "2026-11-22T14:30:00"}, "occurred_at: write an instant with its offset"),
        (EVENT | {"channel": "PIGEON"}, "channel: write one of CARD_PRESENT"),
        (EVENT | {"customer_ids": "cust-1"}, "customer_ids: write a JSON list"),
        (EVENT | {"customer_ids": [1]}, "customer_ids[0]: write a text in quotes"),
        (EVENT | {"amuont": "1"}, "there is no field amuont"),
        (EVENT | {"amount": "-1"}, "amount is negative"),
    ],
)
def test_an_event_that_is_none_says_which_field_and_what_to_write(decide: Decide, event: Any, words: str) -> None:
    result = decide(event)

    assert result.exit_code == 2
    assert words in result.output


def test_preferences_that_are_none_say_which_field(decide: Decide) -> None:
    result = decide(EVENT, CUSTOMER | {"time_zone": "Europe/Atlantis"})

    assert result.exit_code == 2
    assert "p.json: time_zone" in result.output
    assert "Atlantis" not in result.output


def test_a_now_without_an_offset_is_refused(decide: Decide) -> None:
    result = decide(EVENT, CUSTOMER, "--now", "2026-11-22")

    assert result.exit_code == 2
    assert "offset" in result.output
