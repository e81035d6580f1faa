"""What the scripted SNS endpoint remembers of each request: the truth that tests and the demo count by."""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import msgspec


class LoggedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request. `at`: its arrival, UTC. `message_id`: empty unless it was taken. `reply`: the behaviour or code it met.

    `attributes`: SMS attribute to value.
    """

    at: datetime
    number: int
    action: str
    phone: str
    text: str
    attributes: Mapping[str, str]
    accepted: bool
    message_id: str
    reply: str

    def __repr__(self) -> str:
        """Which one and whether it was taken; no number, no text."""
        return f"LoggedRequest(number={self.number}, action={self.action!r}, accepted={self.accepted})"


class RequestLog:
    """All requests in the order in which they were decided, in memory and, if asked for, as JSON lines in a file.

    A request stands in both before its reply leaves: what a client saw accepted is logged. Thread-safe.
    """

    def __init__(self, path: Path | None) -> None:
        """Append to `path` if one is given."""
        self._entries: list[LoggedRequest] = []
        self._file = path.open("ab", buffering=0) if path else None
        self._changed = threading.Condition()

    def append(self, entry: LoggedRequest) -> None:
        """Remember it and tell whoever waits."""
        with self._changed:
            self._entries.append(entry)
            if self._file is not None:
                self._file.write(msgspec.json.encode(entry) + b"\n")
            self._changed.notify_all()

    def entries(self) -> tuple[LoggedRequest, ...]:
        """All of them so far."""
        with self._changed:
            return tuple(self._entries)

    def wait_until(self, condition: Callable[[tuple[LoggedRequest, ...]], bool], timeout_s: float) -> bool:
        """Wait until the log is as the condition wants it; False if it is not in time."""
        with self._changed:
            return self._changed.wait_for(lambda: condition(tuple(self._entries)), timeout_s)

    def close(self) -> None:
        """Close the file; memory stays."""
        if self._file is not None:
            self._file.close()


def read_log(path: Path) -> tuple[LoggedRequest, ...]:
    """The requests in a log file; a last line that was cut short is left out."""
    lines = path.read_bytes().split(b"\n")[:-1]
    return tuple(msgspec.json.decode(line, type=LoggedRequest) for line in lines)
