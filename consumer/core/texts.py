"""All texts in all languages, checked at start so that none fails at night."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from consumer.core.catalogue import AlertKind
from consumer.core.egress import refusal
from consumer.core.ftl import read
from consumer.core.leaks import leaks
from consumer.core.masking import Masked, MaskedName, at_level
from consumer.core.preferences import DetailLevel
from consumer.core.proofreading import proofread
from consumer.core.text import Text
from consumer.core.wording import Unformable, Wording

__all__ = ["InvalidTexts", "Text", "Texts", "Unformable"]

PARTS_MAX = 2
"""What a text may take at worst, with the longest of all names and amounts in it."""


class InvalidTexts(ValueError):
    """Texts that cannot be used. `problems`: a line for each mistake, with its language and its place."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        """All that is wrong, at once."""
        super().__init__("\n".join(("the texts cannot be used:", *problems)))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The wordings by language tag in small letters (`it`, `pt-br`). Build it by `from_sources`, which checks them."""

    wordings: Mapping[str, Wording]
    default_language: str

    @classmethod
    def from_sources(
        cls,
        sources: Mapping[str, str],
        *,
        kinds: Iterable[AlertKind],
        bank: str,
        default_language: str,
        parts_max: int = PARTS_MAX,
    ) -> "Texts":
        """The texts of `sources` (Fluent, by language tag) for all `kinds`; `consumer/texts/en.ftl` tells how to write them.

        `bank` is what the texts call the bank. Raises InvalidTexts with all that is wrong: a text that is missing or cannot
        be formed of some event, that takes more than `parts_max` parts at worst, or that the guard would refuse.
        """
        problems: list[str] = []
        wordings = {}
        wanted = tuple(kinds)
        for language, source in sources.items():
            read_source = read(language, source, bank, problems)
            if read_source is not None:
                problems += proofread(read_source, wanted, parts_max)
                wordings[_tag(language)] = read_source.wording
        if _tag(default_language) not in map(_tag, sources):
            problems.append(f"there are no texts in the default language, {default_language}")
        if problems:
            raise InvalidTexts(tuple(problems))
        return cls(wordings=wordings, default_language=_tag(default_language))

    @property
    def languages(self) -> tuple[str, ...]:
        """The tags of all languages."""
        return tuple(self.wordings)

    def compose(
        self, *, kind: str, language: str, level: DetailLevel, values: Mapping[str, Masked], time_zone: str
    ) -> Text:
        """The text of `kind` at `level`, in the language nearest to `language` (`pt-BR`: else `pt`, else the default one).

        `time_zone` is an IANA name. A counterparty that is clean by itself, but together with the words around it would be
        refused by the guard, is left out. Raises Unformable where the event lacks what the kind's texts need.
        """
        wording, zone = self._nearest(language), ZoneInfo(time_zone)
        shown = at_level(values, level)
        text = wording.text(kind, level, shown, zone)
        name = shown.get("counterparty")
        if isinstance(name, MaskedName) and refusal(text) is not None and not any(leaks(name.name)):
            return wording.text(kind, level, {one: shown[one] for one in shown if one != "counterparty"}, zone)
        return text

    def _nearest(self, language: str) -> Wording:
        tag = _tag(language)
        while tag not in self.wordings:
            tag = tag.rpartition("-")[0] or self.default_language
        return self.wordings[tag]


def _tag(language: str) -> str:
    return language.replace("_", "-").lower()
