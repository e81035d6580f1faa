"""`python -m consumer.settings FILE`: write the settings table into a Markdown file; `--check`: see that it is there."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from consumer.settings.table import with_table


def main(arguments: Sequence[str]) -> int:
    """0 if the table is up to date now, 1 if `--check` found it is not."""
    parser = argparse.ArgumentParser(prog="python -m consumer.settings", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(arguments)
    document = options.file.read_text(encoding="utf-8")
    wanted = with_table(document)
    if document == wanted:
        return 0
    if options.check:
        sys.stderr.write(f"the settings table of {options.file} is out of date: run `make format`\n")
        return 1
    options.file.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
