"""Every row of the table of faults, through real boto3 against the scripted endpoint."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from consumer.core.delivery import Failure, Fault, Hint
from consumer.sandbox.sns_endpoint import ScriptedSns
from tests.contracts.sns_bench import Bench, certificate_for_this_host, forget_the_developers_aws
from tests.contracts.sns_provocations import send

ROWS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parents[1] / "data" / "sns_faults.yaml").read_text())
ROWS_BY_GROUP = {
    "throttled": 9,
    "unreachable": 3,
    "certificate": 2,
    "ca_file": 1,
    "tls": 3,
    "stale": 4,
    "service_failed": 8,
    "reply_lost": 12,
    "refused_text": 11,
    "refused_sender": 4,
    "opted_out": 1,
    "gone": 3,
    "account": 19,
    "set_up": 7,
    "token_service": 3,
    "unknown": 6,
}


NEED_TLS = {"certificate", "ca_file", "tls"}


@pytest.fixture
def bench(row: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Bench]:
    forget_the_developers_aws(monkeypatch, tmp_path)
    proof = certificate_for_this_host(tmp_path) if row["group"] in NEED_TLS else None
    with ScriptedSns(certificate=proof) as sns:
        yield Bench(sns=sns, ca_bundle=proof.chain if proof else None, environment=monkeypatch, folder=tmp_path)


def _name(row: dict[str, Any]) -> str:
    (how,) = row["by"].values()
    what = how if isinstance(how, str) else f"{how['status']} {how.get('code', 'raw')}"
    return f"{row['group']}: {what}"


@pytest.mark.parametrize("row", ROWS, ids=_name)
def test_a_fault_means_what_the_table_says_and_makes_one_request_at_most(row: dict[str, Any], bench: Bench) -> None:
    expected_code = row.get("code") or row["by"]["reply"]["code"]

    outcome = send(row["by"], bench)

    assert isinstance(outcome, Failure)
    assert (outcome.fault, outcome.hint, outcome.code) == (
        Fault(row["fault"]),
        Hint(row.get("hint", "none")),
        expected_code,
    )
    assert len(bench.sns.publishes) == row["requests"]
    assert len(bench.sns.accepted) == row.get("accepted", 0)


def test_no_row_of_the_table_is_lost() -> None:
    assert Counter(row["group"] for row in ROWS) == ROWS_BY_GROUP


def test_no_row_says_that_a_text_was_taken_by_a_fault_that_is_surely_unsent() -> None:
    wrong = [row for row in ROWS if row.get("accepted", 0) and row["fault"] != "ambiguous"]

    assert wrong == []
