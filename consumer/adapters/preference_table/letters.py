"""The records of the preferences topic that can never be read: each becomes a dead letter, once."""

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from consumer.core.record import Record
from consumer.errors import Broken, ExitCode
from consumer.ports import DeadLetter, DeadLetters
from consumer.telemetry import DEAD_LETTERS, Line, alarm

REMEMBERED_MAX = 100_000
"""1.6 MB, written whole each time: that is rarely."""
_DIGEST_BYTES = 16
_AT_ONCE_MAX = 500


class Letters:
    """Writes to `dead_letters` what was not written before, and remembers it in the file `path`.

    The memory outlives restarts, and tables that are read anew. A record is known by where it lies, when it was written and
    what it says: one of a topic that was deleted and made again is another. Of too many the first are forgotten.
    """

    def __init__(self, dead_letters: DeadLetters, path: Path, *, remembered_max: int = REMEMBERED_MAX) -> None:
        """Recall what was written; raises Broken where that cannot be."""
        self._dead_letters = dead_letters
        self._path = path
        self._remembered_max = remembered_max
        try:
            known = path.read_bytes() if path.exists() else b""
        except OSError as problem:
            raise _broken(problem) from None
        self._written = dict.fromkeys(
            known[at : at + _DIGEST_BYTES] for at in range(0, len(known) - _DIGEST_BYTES + 1, _DIGEST_BYTES)
        )

    def knows(self, record: Record) -> bool:
        """Whether it was written before."""
        return _digest(record) in self._written

    def write(self, letters: Sequence[DeadLetter]) -> None:
        """Return once every one that is new is acknowledged, and remembered; a crash between the two writes it again.

        Raises Unavailable, or Broken.
        """
        new = [letter for letter in letters if not self.knows(letter.record)]
        if not new:
            return
        for start in range(0, len(new), _AT_ONCE_MAX):
            some = new[start : start + _AT_ONCE_MAX]
            written = [*self._written, *(_digest(letter.record) for letter in some)][-self._remembered_max :]
            self._prepare(written)  # with no room for this they would be written again at each start
            self._dead_letters.write(some)
            self._remember(written)
            for letter in some:
                _tell(letter)
        for reason, count in Counter(letter.reason for letter in new).items():
            DEAD_LETTERS.add(count, {"reason": reason})

    def _prepare(self, written: Sequence[bytes]) -> None:
        """All of it in a new file, which is to take the old one's place: there is no half of it."""
        try:
            with open(self._coming, "wb", opener=_for_our_user_only) as file:
                file.write(b"".join(written))
                file.flush()
                os.fsync(file.fileno())
        except OSError as problem:
            raise _broken(problem) from None

    def _remember(self, written: Sequence[bytes]) -> None:
        try:
            self._coming.replace(self._path)
        except OSError as problem:
            raise _broken(problem) from None
        self._written = dict.fromkeys(written)

    @property
    def _coming(self) -> Path:
        return self._path.with_suffix(".coming")


def _digest(record: Record) -> bytes:
    at = record.position
    told = (at.topic, at.partition, at.offset, record.timestamp_ms, record.key, record.value)
    return hashlib.blake2b(msgspec.msgpack.encode(told), digest_size=_DIGEST_BYTES).digest()


def _for_our_user_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _tell(letter: DeadLetter) -> None:
    at = letter.record.position
    alarm(
        Line.PREFERENCE_REFUSED,
        reason=letter.reason,
        topic=at.topic,
        partition=at.partition,
        offset=at.offset,
        schema=letter.schema or "",
    )


def _broken(problem: OSError) -> Broken:
    return Broken(
        f"the memory of preferences that were set aside cannot be used (errno_{problem.errno}): the folder of "
        "AVVISO_PREFERENCES__PATH must be writable, and its disk have space",
        ExitCode.PREFERENCES_DAMAGED,
    )
