"""The texts of a folder: one Fluent file per language."""

from collections.abc import Mapping
from pathlib import Path

from consumer.errors import Broken, ExitCode


def read_texts(folder: Path) -> Mapping[str, str]:
    """The content of every `<language>.ftl` by its language tag. Raises Broken where there is none that can be read."""
    try:
        sources = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.ftl"))}
    except (OSError, UnicodeDecodeError) as problem:
        raise Broken(f"the texts in {folder} cannot be read ({type(problem).__name__})", ExitCode.SETTINGS) from None
    if not sources:
        raise Broken(f"there are no texts in {folder}; put a file such as en.ftl there", ExitCode.SETTINGS)
    return sources
