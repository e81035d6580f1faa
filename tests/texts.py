"""What tests of texts share: the texts that ship, what they say of an event, and small files of a translator's."""

from consumer.adapters.resources import texts
from consumer.core.event import Event
from consumer.core.masking import masked_values
from consumer.core.preferences import DetailLevel
from consumer.core.texts import InvalidTexts, Text, Texts
from tests.deciding import CATALOGUE

BANK = "Banca Sol"
SOURCES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(texts().glob("*.ftl"))}
SHIPPED = Texts.from_sources(SOURCES, kinds=CATALOGUE.kinds, bank=BANK, default_language="en")
ROME = "Europe/Rome"


def told(
    event: Event,
    kind: str,
    *,
    language: str = "en",
    level: DetailLevel = DetailLevel.FULL,
    time_zone: str = ROME,
    texts: Texts = SHIPPED,
) -> Text:
    """The text of `kind` about `event`."""
    values = masked_values(event, level)
    return texts.compose(kind=kind, language=language, level=level, values=values, time_zone=time_zone)


def body(event: Event, kind: str, *, language: str = "en", level: DetailLevel = DetailLevel.FULL) -> str:
    return told(event, kind, language=language, level=level).body


SHORT = """
large_debit =
    .none = { $bank }: debit, { $date } { $time }
    .some = { $bank }: { $amount }, { $date } { $time }
    .full = { $bank }: { $amount }{ $has_counterparty ->
            [yes] {" "}at { $counterparty }
           *[no] {""}
        }, { $date } { $time }
low_balance =
    .none = { $bank }: low, { $date } { $time }
    .some = { low_balance.none }
    .full = { $bank }: { $balance }, { $date } { $time }
"""
"""Two kinds, as short as can be."""


def texts_of(*names: str, bank: str = BANK, parts_max: int = 2, default: str = "en", **sources: str) -> Texts:
    """Texts for the kinds called `names`; languages with a dash are written with an underscore."""
    return Texts.from_sources(
        {language.replace("_", "-"): source for language, source in sources.items()},
        kinds=[CATALOGUE.kind(name) for name in names],
        bank=bank,
        default_language=default,
        parts_max=parts_max,
    )


def problems(*names: str, bank: str = BANK, parts_max: int = 2, default: str = "en", **sources: str) -> tuple[str, ...]:
    """What is wrong with them; nothing if they are accepted."""
    try:
        texts_of(*names, bank=bank, parts_max=parts_max, default=default, **sources)
    except InvalidTexts as invalid:
        return invalid.problems
    return ()
