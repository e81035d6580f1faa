"""What one run found, on what kind of machine, and where it is kept."""

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from consumer import __version__
from tests.benchmarks.backlog import Backlog
from tests.benchmarks.measuring import Row
from tests.benchmarks.site import Scale, Site
from tests.benchmarks.table_load import Load
from tests.brokers import IMAGE

_ROOT = Path(__file__).parents[2]
KEPT = _ROOT / "docs" / "benchmarks"
"""The last whole run on each kind of machine, as `make bench ARGS=--keep` leaves it here."""
_CPUINFO = Path("/proc/cpuinfo")


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Its kind, never its name."""

    system: str
    architecture: str
    processors: int
    processor: str
    python: str

    @property
    def kind(self) -> str:
        """Short enough for the name of a file."""
        return f"{self.system}-{self.architecture}-{self.processors}cpu".lower()


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All that was measured in one run: contests, starts of the table, backlogs.

    `commit`: of what was measured, with `-dirty` where something was not committed; empty where no repository tells it.
    """

    version: str
    commit: str = ""
    at: str
    machine: Machine
    kafka: str
    scale: Scale
    rows: Sequence[Row] = ()
    loads: Sequence[Load] = ()
    backlogs: Sequence[Backlog] = ()


def begun(site: Site) -> Report:
    """A report of here and now, with nothing in it."""
    return Report(
        version=__version__,
        commit=_commit(),
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=this_machine(),
        kafka=IMAGE if site.kafka.real else "embedded",
        scale=site.scale,
    )


def this_machine() -> Machine:
    return Machine(
        system=platform.system(),
        architecture=platform.machine(),
        processors=os.cpu_count() or 0,
        processor=_processor(),
        python=platform.python_version(),
    )


def keep(report: Report, path: Path) -> None:
    """The whole report as JSON, in the place of what was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")


def read(path: Path) -> Report:
    """What was kept; raises msgspec.ValidationError where it is no report any more."""
    return msgspec.json.decode(path.read_bytes(), type=Report)


def _commit() -> str:
    command = ["git", "-C", str(_ROOT), "describe", "--always", "--dirty", "--exclude=*"]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _processor() -> str:
    """As its maker calls it."""
    if _CPUINFO.exists():
        names = [line.split(":", 1)[1].strip() for line in _CPUINFO.read_text().splitlines() if "model name" in line]
        return names[0] if names else platform.machine()
    if platform.system() == "Darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    return platform.machine()
