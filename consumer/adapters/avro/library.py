"""Our own schemas, as they lie in `schemas/<Name>/v<N>.avsc`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from fastavro.schema import fingerprint, to_parsing_canonical_form

from consumer.adapters.avro.framing import Fingerprint
from consumer.adapters.avro.parsing import read_schema
from consumer.adapters.avro.types import RecordType, SchemaRefused
from consumer.errors import Broken, ExitCode

_VERSION = re.compile(r"v([1-9][0-9]{0,5})\Z")


class SchemaFile(msgspec.Struct, frozen=True, kw_only=True):
    """One version of one schema. `name` is its folder's, `text` the file as it stands."""

    name: str
    version: int
    path: Path
    text: str


def schema_files(folder: Path) -> list[SchemaFile]:
    """Every `<Name>/v<N>.avsc` below the folder, by name and version. Raises OSError or UnicodeError."""
    found = [
        SchemaFile(name=path.parent.name, version=int(match[1]), path=path, text=path.read_text(encoding="utf-8"))
        for path in folder.glob("*/*.avsc")
        if (match := _VERSION.match(path.stem))
    ]
    return sorted(found, key=lambda file: (file.name, file.version))


def fingerprint_of(text: str) -> Fingerprint:
    """The fingerprint that Avro's single-object encoding names the schema by; raises SchemaRefused where it has none."""
    try:
        canonical = to_parsing_canonical_form(msgspec.json.decode(text))
    except Exception:  # noqa: BLE001 - of a schema that fastavro does not take it says so in many ways
        raise SchemaRefused("it is written in a way that not every reader of Avro takes") from None
    return Fingerprint(bytes.fromhex(fingerprint(canonical, "CRC-64-AVRO")))


class Library:
    """All versions by fingerprint, and of each schema the newest: the one that this version of Avviso reads with."""

    def __init__(self, folder: Path) -> None:
        """Read all of it; raises Broken where a file is unusable, naming it."""
        self._newest: dict[str, RecordType] = {}
        self._texts: dict[Fingerprint, str] = {}
        self._versions: dict[str, list[str]] = {}
        for file, schema, digest in _read(folder):
            self._newest.update(dict.fromkeys((schema.name, *schema.aliases), schema))
            self._texts[digest] = file.text
            self._versions.setdefault(file.name, []).append(file.text)

    @property
    def readers(self) -> Mapping[str, RecordType]:
        """The newest version of each schema by its full name, and by each that it had before."""
        return self._newest

    def text(self, digest: Fingerprint) -> str | None:
        """The schema in JSON that the fingerprint names; None if it is none of ours."""
        return self._texts.get(digest)

    def newest_text(self, name: str) -> str:
        """The newest version of the schema in the folder `name`, in JSON; KeyError where there is none."""
        return self._versions[name][-1]

    def versions(self, name: str) -> Sequence[str]:
        """All versions of the schema in the folder `name`, in JSON, the oldest first; KeyError where there is none."""
        return tuple(self._versions[name])


def _read(folder: Path) -> Iterator[tuple[SchemaFile, RecordType, Fingerprint]]:
    try:
        files = schema_files(folder)
    except (OSError, UnicodeError):
        raise Broken("a file in the folder of schemas cannot be read", ExitCode.SETTINGS) from None
    if not files:
        raise Broken("there is no schema in the folder of schemas: is Avviso fully installed?", ExitCode.SETTINGS)
    for file in files:
        try:
            yield file, read_schema(file.text), fingerprint_of(file.text)
        except SchemaRefused as problem:
            raise Broken(f"schema {file.name} v{file.version}: {problem}", ExitCode.SETTINGS) from None
