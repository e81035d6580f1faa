"""The right to use one folder of tables."""

import fcntl
import os
from pathlib import Path

from consumer.errors import Broken, ExitCode

LOCK = "lock"


class FolderLock:
    """An advisory lock on the file LOCK in the folder, which the system releases when a process dies.

    Two processes would each write what they have read: the slower one older preferences over newer ones.
    """

    def __init__(self, folder: Path) -> None:
        """Take it, or raise Broken where another process holds it; OSError where there can be no such file."""
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise Broken(
                f"the local table of preferences in {folder.absolute()} is in use: another process fills it. Stop that one "
                "first, or give this one a folder of its own (AVVISO_PREFERENCES__PATH)",
                ExitCode.PREFERENCES_IN_USE,
            ) from None
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        """Let go; a second call does nothing. The file stays: removing it would let two hold two locks of one name."""
        held, self._descriptor = self._descriptor, None
        if held is not None:
            os.close(held)
