"""From an environment to settings, with everything that is wrong said at once and no value repeated."""

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from pydantic import BaseModel, SecretBytes, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource

from consumer.adapters.kafka_properties import refusals
from consumer.settings.groups import KEY_BYTES_MIN
from consumer.settings.kafka import SECRETS, property_of, refusal, setting_of
from consumer.settings.model import NESTED_BY, PREFIX, Settings

KAFKA = f"{PREFIX}KAFKA{NESTED_BY}"
OF_FILE = "_FILE"
_FILE_BYTES_MAX = 64 * 1024
_SERVICE_LINK = re.compile(r"AVVISO_(\w+_)?(SERVICE_(HOST|PORT)(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)\w*)?)")


class SettingsError(ValueError):
    """Settings that cannot be used. `problems`: a line for each, naming the setting and how to mend it, never its value."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        """All that is wrong, at once."""
        super().__init__("\n".join(("the settings cannot be used:", *problems)))
        self.problems = problems


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """One setting of the model: its name in the environment, and how it is declared."""

    name: str
    path: tuple[str, ...]
    field: FieldInfo
    secret: bool


def known_settings() -> tuple[Known, ...]:
    """Every setting but librdkafka's own, in the order of the model."""
    return tuple(_leaves(Settings, ()))


def load(environ: Mapping[str, str], *, to_run: bool = False) -> Settings:
    """The settings that `environ` holds; an empty value counts as not set. Raises SettingsError.

    `to_run`: also see to what only the running process needs: the pseudonym key, and properties that librdkafka accepts.
    """
    problems: list[str] = []
    values = _read(environ, problems)
    settings = _validated(values, problems)
    if to_run:
        if not any("PSEUDONYM_KEY" in line for line in problems) and f"{PREFIX}PSEUDONYM_KEY" not in values:
            problems.append(
                f"{PREFIX}PSEUDONYM_KEY: is needed to run: {KEY_BYTES_MIN} bytes or more that stay the same, "
                f"such as one output of `openssl rand -hex 32`; or {PREFIX}PSEUDONYM_KEY{OF_FILE}"
            )
        kafka = {
            property_of(name.removeprefix(KAFKA)): value for name, value in values.items() if name.startswith(KAFKA)
        }
        allowed = {name: value for name, value in kafka.items() if refusal(name) is None}
        problems += [_kafka_line(name, why) for name, why in refusals(allowed).items()]
    if settings is None or problems:
        raise SettingsError(tuple(problems))
    return settings


def _leaves(model: type[BaseModel], path: tuple[str, ...]) -> Iterator[Known]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _leaves(kind, (*path, name))
        elif name != "kafka":
            secret = any(hidden.__name__ in str(kind) for hidden in (SecretStr, SecretBytes))
            full = (*path, name)
            yield Known(name=PREFIX + NESTED_BY.join(full).upper(), path=full, field=field, secret=secret)


def _read(environ: Mapping[str, str], problems: list[str]) -> dict[str, str]:
    """The values by setting, those in files included."""
    ours = {name: value for name, value in environ.items() if name.upper().startswith(PREFIX) and value != ""}
    known = {setting.name for setting in known_settings()}
    secrets = {setting.name for setting in known_settings() if setting.secret}
    secrets |= {KAFKA + setting_of(name) for name in SECRETS}
    files = {secret + OF_FILE: secret for secret in secrets}
    values: dict[str, str] = {}
    for name, value in sorted(ours.items()):
        if name in files:
            if files[name] in ours:
                problems.append(f"{files[name]}: is given twice, by itself and by {name}: remove one")
            elif (content := _content(name, value, problems)) is not None:
                values[files[name]] = content
        elif name in known or _may_be_librdkafkas(name):
            values[name] = value
        else:
            problems.append(f"{name}: {_unknown(name, known | set(files))}")
    return values


def _may_be_librdkafkas(name: str) -> bool:
    return re.fullmatch(rf"{KAFKA}[A-Z0-9]+(_[A-Z0-9]+)*", name) is not None


def _content(name: str, path: str, problems: list[str]) -> str | None:
    """The text in the file without its last line break; what stands in the path's place may be the secret itself."""
    file = path if path.startswith(("/", "./", "../")) else "the file that it names"
    try:
        with Path(path).open("rb") as opened:
            content = opened.read(_FILE_BYTES_MAX + 1)
        text = content.decode().removesuffix("\n").removesuffix("\r")
    except OSError as problem:
        problems.append(f"{name}: {file} cannot be read ({problem.strerror})")
        return None
    except ValueError:
        problems.append(f"{name}: {file} is not UTF-8 text")
        return None
    if text and len(content) <= _FILE_BYTES_MAX:
        return text
    why = f"is larger than {_FILE_BYTES_MAX} bytes" if text else "is empty"
    problems.append(f"{name}: {file} {why}; is it the right file?")
    return None


def _unknown(name: str, known: set[str]) -> str:
    if _SERVICE_LINK.fullmatch(name):
        return (
            "is no setting; Kubernetes adds such variables for a Service of that name: "
            "set enableServiceLinks: false in the pod"
        )
    close = difflib.get_close_matches(name.upper(), sorted(known), n=1, cutoff=0.8)
    return f"is no setting; did you mean {close[0]}?" if close else "is no setting; the README lists all there are"


def _validated(values: Mapping[str, str], problems: list[str]) -> Settings | None:
    source = EnvSettingsSource(Settings)
    source.env_vars = {name.lower(): value for name, value in values.items()}
    nested: dict[str, Any] = source()
    try:
        return Settings(**nested)
    except ValidationError as refused:
        for error in refused.errors(include_url=False, include_context=False, include_input=False):
            problems += _lines(error["loc"], error["msg"])
        return None


def _lines(place: tuple[int | str, ...], message: str) -> Iterator[str]:
    """One line per problem; a check of several settings names them itself."""
    name = PREFIX + NESTED_BY.join(str(step) for step in place).upper()
    for line in message.removeprefix("Value error, ").splitlines():
        named = line.startswith(PREFIX)
        yield line.replace(" ", ": ", 1) if named else f"{name}: {line[:1].lower()}{line[1:]}"


def _kafka_line(name: str, why: str) -> str:
    return f"{KAFKA}{setting_of(name)}: {why}" if name else f"{KAFKA}*: {why}"
