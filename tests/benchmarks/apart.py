"""Work given to a process of its own: an order goes there as JSON, and an answer comes back."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from consumer.telemetry import configure_logging

_REPOSITORY = Path(__file__).parents[2]
_PATIENCE_S = 3600.0

Order = TypeVar("Order", bound=msgspec.Struct)
Answer = TypeVar("Answer", bound=msgspec.Struct)


def answered(module: str, order: msgspec.Struct, answer: type[Answer]) -> Answer:
    """What `module` answers, run by an interpreter of its own; raises CalledProcessError where it fails."""
    command = [sys.executable, "-m", module, msgspec.json.encode(order).decode()]
    said = subprocess.run(command, cwd=_REPOSITORY, stdout=subprocess.PIPE, check=True, timeout=_PATIENCE_S).stdout
    return msgspec.json.decode(said, type=answer)


def answer_order(order: type[Order], work: Callable[[Order], msgspec.Struct]) -> None:
    """The other end: what such a module does when it is run."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        configure_logging(nowhere)  # lines are formatted and written, as in a real run
        answer = work(msgspec.json.decode(sys.argv[1], type=order))
    sys.stdout.write(msgspec.json.encode(answer).decode())
