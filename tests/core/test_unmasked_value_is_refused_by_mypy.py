"""mypy refuses to build a text of anything but masked values, and accepts what is masked."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SNIPPET = """
from decimal import Decimal

from consumer.core.event import TransactionPosted
from consumer.core.masking import Masked, MaskedMoney, MaskedName, masked_values
from consumer.core.names import cleaned
from consumer.core.preferences import DetailLevel
from consumer.core.texts import Text, Texts


def composed(texts: Texts, event: TransactionPosted) -> Text:
    values = masked_values(event, DetailLevel.FULL)
    name = cleaned(event.counterparty.name or "")
    clean: dict[str, Masked] = {} if name is None else {"counterparty": MaskedName(name=name)}
    spent = MaskedMoney(amount=event.amount.amount, currency=event.amount.currency)
    more = {**values, **clean, "amount": spent}
    return texts.compose(kind="k", language="en", level=DetailLevel.FULL, values=more, time_zone="UTC")


def leaked(texts: Texts, event: TransactionPosted) -> None:
    level = DetailLevel.FULL
    number = event.account.number
    texts.compose(kind="k", language="en", level=level, values={"account": number}, time_zone="UTC")  # refused
    amount = event.amount
    texts.compose(kind="k", language="en", level=level, values={"amount": amount}, time_zone="UTC")  # refused
    decimal = event.amount.amount
    texts.compose(kind="k", language="en", level=level, values={"amount": decimal}, time_zone="UTC")  # refused
    other = event.counterparty
    texts.compose(kind="k", language="en", level=level, values={"counterparty": other}, time_zone="UTC")  # refused
    MaskedName(name="Rossi")  # refused
    MaskedName(name=other.name or "")  # refused
    texts.compose(kind="k", language="en", level=level, values=event, time_zone="UTC")  # refused
"""


def test_an_unmasked_value_is_refused_and_a_masked_one_is_accepted(tmp_path: Path) -> None:
    snippet = tmp_path / "snippet.py"
    snippet.write_text(SNIPPET)
    refused = {number for number, line in enumerate(SNIPPET.splitlines(), start=1) if line.endswith("# refused")}

    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", "--no-pretty", str(snippet)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    errors = re.findall(r"snippet\.py:(\d+): error: .*\[([a-z-]+)\]$", checked.stdout, re.MULTILINE)
    assert {int(line) for line, _ in errors} == refused, checked.stdout + checked.stderr
    assert {code for _, code in errors} <= {"arg-type", "dict-item"}
    assert checked.stdout.count("error:") == len(errors)
