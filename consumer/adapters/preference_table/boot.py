"""Under which boot of the machine a table is filled without waiting for its disk: under another one it is lost."""

import os
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_MARK = "filled-under"


def this_boot() -> str | None:
    """What no other boot, of this machine or another, is called; None where the system does not tell."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def mark(folder: Path, boot_id: str) -> None:
    """What is written to the table in `folder` from now on may never reach the disk if this boot ends. Raises OSError."""
    folder.mkdir(mode=0o700)
    with open(folder / _MARK, "x", encoding="ascii", opener=_for_our_user_only) as file:
        file.write(boot_id)
        file.flush()
        os.fsync(file.fileno())
    _keep_names(folder)
    _keep_names(folder.parent)


def is_marked(folder: Path) -> bool:
    """Whether what was written to the table may not be on the disk yet."""
    return (folder / _MARK).exists()


def is_lost(folder: Path, boot_id: str | None) -> bool:
    """Whether the table may be torn: what it was filled with was in the memory of another boot, or nobody can tell."""
    try:
        return (folder / _MARK).read_text(encoding="ascii", errors="replace") != boot_id
    except FileNotFoundError:
        return False


def unmark(folder: Path) -> None:
    """All of it is on the disk. Raises OSError."""
    (folder / _MARK).unlink(missing_ok=True)
    _keep_names(folder)


def _for_our_user_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _keep_names(folder: Path) -> None:
    """Which files lie in a folder is written by the system when it likes, unless asked."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
