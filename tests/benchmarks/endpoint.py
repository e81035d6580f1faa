"""The scripted SNS endpoint in a process of its own, so that whoever sends to it need not share the interpreter with it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from consumer.sandbox.sns_endpoint import ScriptedSns

_END_S = 30.0


class Endpoint:
    """Where it listens, and at its end how many texts it has taken."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        assert process.stdout is not None
        self.url = process.stdout.readline().strip()

    def accepted(self) -> int:
        """End it; how many texts it took in its life."""
        said, _ = self._process.communicate(timeout=_END_S)
        return int(said)


@contextmanager
def endpoint() -> Iterator[Endpoint]:
    """It lives until its standard input ends, so not longer than this process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.endpoint"],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Endpoint(process)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


if __name__ == "__main__":
    with ScriptedSns() as sns:
        print(sns.url, flush=True)  # noqa: T201 - this is how the other process learns of it
        sys.stdin.read()
        print(len(sns.accepted))  # noqa: T201
