"""Environment in, exit code out."""

import sys

from consumer.cli import cli
from consumer.errors import Broken, ExitCode
from consumer.telemetry import Line, alarm, configure_logging, crashed


def main() -> None:
    """Run the command line; what ends the process leaves a line in the log: of a defect type and place, never its text."""
    configure_logging(sys.stderr)
    try:
        cli()
    except Broken as problem:
        alarm(Line.BROKEN, reason=str(problem), exit_code=problem.exit_code)
        sys.exit(problem.exit_code)
    except Exception as error:  # noqa: BLE001 - the last frame: whatever it is, its text may hold anything
        crashed(error)
        sys.exit(ExitCode.CRASHED)


if __name__ == "__main__":
    main()
