"""The files that Avviso brings along: found in the installed package, else in the repository beside it."""

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def schemas() -> Path:
    """The folder that holds `<Name>/v<N>.avsc`."""
    packed = _PACKAGE / "schemas"
    return packed if packed.is_dir() else _PACKAGE.parent / "schemas"


def catalogue() -> Path:
    """The alert catalogue that ships with Avviso."""
    return _PACKAGE / "alerts.yaml"


def texts() -> Path:
    """The folder that holds `<language>.ftl`."""
    return _PACKAGE / "texts"
