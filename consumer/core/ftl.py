"""Reading a translator's file: every mistake that can be found without filling it in."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from fluent.runtime import FluentBundle, FluentResource
from fluent.syntax import ast
from fluent.syntax.visitor import Visitor

from consumer.core.event import BalanceReason, Channel, Direction, TransactionStatus
from consumer.core.formats import Formats
from consumer.core.gsm7 import Encoding, encoding, plain
from consumer.core.leaks import invisible
from consumer.core.wording import OPTIONAL, Wording

SYMBOLS: Mapping[str, tuple[str, ...]] = {
    "status": tuple(TransactionStatus),
    "channel": tuple(Channel),
    "direction": tuple(Direction),
    "reason": tuple(BalanceReason),
}
"""What a text may select its words by, and never shows."""
_FLAGS = {f"has_{name}": ("yes", "no") for name in OPTIONAL}
_SELECTORS: Mapping[str, tuple[str, ...]] = {**SYMBOLS, **_FLAGS}
_SHOWN = frozenset({"bank", "date", "time", *OPTIONAL})
_LOCALE = "locale"
_BYTE_ORDER_MARK = "\ufeff"


@dataclass(slots=True)
class _Reading(Visitor):
    """What one pattern refers to, and what is wrong in it."""

    variables: set[str] = field(default_factory=set)
    messages: set[str] = field(default_factory=set)
    words: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def visit_TextElement(self, node: ast.TextElement) -> None:  # noqa: N802
        self.words.append(node.value)

    def visit_StringLiteral(self, node: ast.StringLiteral) -> None:  # noqa: N802
        self.words.append(node.parse()["value"])

    def visit_FunctionReference(self, node: ast.FunctionReference) -> None:  # noqa: N802
        self.problems.append(f"take out {node.id.name}(): values come formatted")

    def visit_MessageReference(self, node: ast.MessageReference) -> None:  # noqa: N802
        self.messages.add(_name(node.id, node.attribute))

    def visit_VariableReference(self, node: ast.VariableReference) -> None:  # noqa: N802
        self.variables.add(node.id.name)
        if node.id.name in _SELECTORS:
            self.problems.append(f"${node.id.name} is there to select by, not to be shown")
        elif node.id.name not in _SHOWN:
            self.problems.append(f"there is no ${node.id.name}; there are {_listed(_SHOWN)}")

    def visit_SelectExpression(self, node: ast.SelectExpression) -> None:  # noqa: N802
        keys = {
            key.name if isinstance(key, ast.Identifier) else key.value for key in (one.key for one in node.variants)
        }
        name = node.selector.id.name if isinstance(node.selector, ast.VariableReference) else ""
        self.variables.add(name)
        if name not in _SELECTORS:
            self.problems.append(f"a text selects by {_listed(_SELECTORS)} only")
        elif unknown := keys - {*_SELECTORS[name], "other"}:
            self.problems.append(f"${name} is never {_listed(unknown)}; it is {', '.join(_SELECTORS[name])}")
        for variant in node.variants:
            self.visit(variant.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file without mistakes of its own.

    `uses`: the variables of each message (`low_balance.full`), those of the messages that it refers to included.
    """

    wording: Wording
    uses: Mapping[str, frozenset[str]]


def read(language: str, source: str, bank: str, problems: list[str]) -> Source | None:
    """The texts of `source` (Fluent), ready to be filled in; None, and a line in `problems` for each mistake, where not."""
    source = source.removeprefix(_BYTE_ORDER_MARK)
    resource = FluentResource(source)
    found = [*_syntax(source, resource)]
    readings = dict(_readings(resource, found))
    formats = _formats(language, resource, found)
    problems += [f"{language}: {problem}" for problem in found]
    if found or formats is None:
        return None
    bundle = FluentBundle([formats.tag], use_isolating=False)
    bundle.add_resource(resource)
    words = [plain(word) for reading in readings.values() for word in reading.words]
    gsm7 = all(encoding(word) is Encoding.GSM7 for word in words)
    wording = Wording(language=language, bundle=bundle, formats=formats, bank=bank, gsm7=gsm7)
    return Source(wording=wording, uses={name: frozenset(_uses(name, readings)) for name in readings})


def _syntax(source: str, resource: ast.Resource) -> Iterator[str]:
    for entry in resource.body:
        if isinstance(entry, ast.Junk):
            start = entry.span.start if entry.span else 0
            why = "; ".join(str(note.message) for note in entry.annotations)
            yield f"line {source.count(chr(10), 0, start) + 1}: {why}"
    for number, line in enumerate(source.split("\n"), start=1):
        if any(map(invisible, line.removesuffix("\r"))):
            yield f"line {number}: take out the invisible character"


def _readings(resource: ast.Resource, problems: list[str]) -> Iterator[tuple[str, _Reading]]:
    seen = set()
    for name, pattern in _patterns(resource):
        if name in seen:
            problems.append(f"{name}: is written twice")
        seen.add(name)
        reading = _Reading()
        reading.visit(pattern)
        if name.startswith("-") and reading.variables:
            reading.problems.append("a term cannot see values; write it without the dash")
        problems += [f"{name}: {problem}" for problem in dict.fromkeys(reading.problems)]
        yield name, reading


def _patterns(resource: ast.Resource) -> Iterator[tuple[str, ast.Pattern]]:
    """`message`, `message.attribute` or `-term`, and what is written there."""
    for entry in resource.body:
        if isinstance(entry, ast.Message | ast.Term):
            dash = "-" if isinstance(entry, ast.Term) else ""
            if entry.value is not None:
                yield f"{dash}{entry.id.name}", entry.value
            for attribute in entry.attributes:
                yield f"{dash}{_name(entry.id, attribute.id)}", attribute.value


def _name(message: ast.Identifier, attribute: ast.Identifier | None) -> str:
    return message.name if attribute is None else f"{message.name}.{attribute.name}"


def _uses(name: str, readings: Mapping[str, _Reading]) -> set[str]:
    """Variables of a message and of all that it leads to. Rings and missing messages show when it is filled in."""
    reached: set[str] = set()
    ahead = [name]
    while ahead:
        one = ahead.pop()
        if one in readings and one not in reached:
            reached.add(one)
            ahead += readings[one].messages
    return {variable for one in reached for variable in readings[one].variables}


def _formats(language: str, resource: ast.Resource, problems: list[str]) -> Formats | None:
    """Those of the term `-locale` where the file has one, else of the language itself."""
    tag = language
    for entry in resource.body:
        if isinstance(entry, ast.Term) and entry.id.name == _LOCALE:
            tag = "".join(element.value for element in entry.value.elements if isinstance(element, ast.TextElement))
    try:
        return Formats(tag)
    except ValueError as unknown:
        problems.append(f"{tag} is {unknown}")
        return None


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
