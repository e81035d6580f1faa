"""The settings as a Markdown table, for the README."""

from pydantic_core import PydanticUndefined

from consumer.settings.kafka import DEFAULTS, SECRETS, setting_of
from consumer.settings.loading import KAFKA, OF_FILE, Known, known_settings

BEGIN, END = "<!-- settings: begin -->", "<!-- settings: end -->"


def table() -> str:
    """One row a setting: name, default, meaning."""
    rows = [*_kafka_rows(), *(_row(setting) for setting in known_settings())]
    return "\n".join(("| setting | default | meaning |", "|---|---|---|", *rows))


def with_table(document: str) -> str:
    """The document with the table of now between its marks. Raises ValueError where the marks are missing."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"there are no lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _kafka_rows() -> list[str]:
    files = ", ".join(f"`{setting_of(name)}`" for name in sorted(SECRETS))
    return [
        *(f"| `{KAFKA}{setting_of(name)}` | `{value}` | Kafka brokers |" for name, value in DEFAULTS.items()),
        (
            f"| `{KAFKA}<PROPERTY>` | | Any other property of librdkafka: `{KAFKA}SASL_USERNAME` is its `sasl.username`. "
            f"These also as `<NAME>{OF_FILE}`: {files} |"
        ),
    ]


def _row(setting: Known) -> str:
    name = f"`{setting.name}`" + (f" or `{setting.name}{OF_FILE}`" if setting.secret else "")
    meaning = (setting.field.description or "").replace("|", "\\|")
    return f"| {name} | {_default(setting)} | {meaning} |"


def _default(setting: Known) -> str:
    default = setting.field.default
    assert default is not PydanticUndefined, f"{setting.name} has no default"
    if default is None:
        return ""
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"
