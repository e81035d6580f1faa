"""The alert catalogue as a YAML file."""

from pathlib import Path
from typing import Any

import yaml

from consumer.core.catalogue import Catalogue, InvalidCatalogue, catalogue_from

_BYTES_MAX = 1_000_000


def load_catalogue(path: Path) -> Catalogue:
    """The catalogue in the file at `path`. Raises InvalidCatalogue with all that is wrong, and where."""
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise InvalidCatalogue((f"{path}: cannot be read ({problem.strerror})",)) from None
    if len(content) > _BYTES_MAX:
        raise InvalidCatalogue((f"{path}: is larger than {_BYTES_MAX} bytes; is it the right file?",))
    try:
        document = yaml.load(content, Loader=_Strict)  # noqa: S506 - a SafeLoader that refuses even more
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise InvalidCatalogue((f"{where}: is not YAML: {problem.problem}",)) from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise InvalidCatalogue((f"{path}: is not YAML in UTF-8",)) from None
    return catalogue_from(document)


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
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value} stands here twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)
