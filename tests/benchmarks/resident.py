"""How much memory this process has, and how much disk a folder takes."""

import os
import subprocess
from pathlib import Path

import msgspec

_STATUS = Path("/proc/self/status")
_BLOCK_BYTES = 512


class Resident(msgspec.Struct, frozen=True, kw_only=True):
    """Memory that is really there.

    `anonymous_bytes` leaves out what only mirrors a file and can be given up at any moment, as the pages of the table of
    preferences do. Where the system does not tell it apart it is the total.
    """

    total_bytes: int
    anonymous_bytes: int


def resident() -> Resident:
    """Of this process, now."""
    if not _STATUS.exists():
        said = subprocess.run(["ps", "-o", "rss=", "-p", str(os.getpid())], check=True, capture_output=True).stdout
        return Resident(total_bytes=int(said) * 1024, anonymous_bytes=int(said) * 1024)
    found = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
    total, anonymous = (int(found[name].split()[0]) * 1024 for name in ("VmRSS", "RssAnon"))
    return Resident(total_bytes=total, anonymous_bytes=anonymous)


def disk_bytes(folder: Path) -> int:
    """What the files in the folder really take up, holes left out."""
    return sum(file.stat().st_blocks * _BLOCK_BYTES for file in folder.rglob("*") if file.is_file())
