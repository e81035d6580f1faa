"""The alert catalogue as a YAML file."""

from pathlib import Path
from typing import Any

import yaml

from consumer.core.catalogue import Catalogue, InvalidCatalogue, catalogue_from
from consumer.errors import Broken, ExitCode

_BYTES_MAX = 1_000_000


def load_catalogue(path: Path) -> Catalogue:
    """The catalogue in the file at `path`. Raises Broken with all that is wrong, and where."""
    try:
        return catalogue_from(_document(path))
    except InvalidCatalogue as invalid:
        problems = "\n".join(f"  {problem}" for problem in invalid.problems)
        raise Broken(f"{path} cannot be used as alert catalogue:\n{problems}", ExitCode.SETTINGS) from None


def _document(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            content = file.read(_BYTES_MAX + 1)
    except OSError as problem:
        raise InvalidCatalogue((f"it cannot be read ({problem.strerror})",)) from None
    if len(content) > _BYTES_MAX:
        raise InvalidCatalogue((f"it is larger than {_BYTES_MAX} bytes; is it the right file?",))
    try:
        return yaml.load(content, Loader=_Strict)  # noqa: S506 - a SafeLoader that refuses even more
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
        raise InvalidCatalogue((f"{where}: {problem.problem}",)) from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise InvalidCatalogue(("it is not YAML in UTF-8",)) from None


class _Strict(yaml.SafeLoader):
    """YAML lets the last of two equal keys win in silence, and expands references without end: both are refused here."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "write it out: references (*) are not read", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue  # the constructor refuses it
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value} stands here twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)
