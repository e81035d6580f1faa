"""`avviso demo` in a terminal's stead: it ends by itself or at Ctrl-C, and only with books that balance."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
FOREIGN = {
    "AVVISO_NONSENSE": "settings of the caller are none of the demo's",
    "AWS_PROFILE": "corporate",
    "HTTP_PROXY": "http://127.0.0.1:9",
}


def demo(*arguments: str) -> subprocess.Popen[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("AVVISO_", "AWS_"))}
    return subprocess.Popen(
        [sys.executable, "-m", "consumer", "demo", "--plain", *arguments],
        cwd=REPOSITORY,
        env=environ | FOREIGN,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_shows_events_and_texts_and_ends_with_sums_that_agree() -> None:
    output, complaints = demo("--for", "5s", "--seed", "7").communicate(timeout=60)

    assert "event  TransactionPosted" in output
    assert "phone  anna" in output
    for words in ("Events by type", "Decisions by reason", "Notices by state", "Dead letters", "Parts", "p50", "p99"):
        assert words in output
    for reason in ("notify", "screened", "above_threshold", "not_recovered", "already_told"):
        assert reason in output
    assert "The sums agree" in output
    assert complaints == ""


def test_it_ends_with_its_books_at_ctrl_c() -> None:
    process = demo("--for", "1m")
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(4)]  # it is at work

    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    output, _ = process.communicate(timeout=30)

    assert process.returncode == 0, output
    assert all(lines)
    assert "The sums agree" in output
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("wrong", ["soon", "-1s", "5d"])
def test_a_duration_that_is_none_is_refused_with_an_example(wrong: str) -> None:
    process = demo("--for", wrong)

    _, complaints = process.communicate(timeout=30)

    assert process.returncode == 2
    assert "30s" in complaints
