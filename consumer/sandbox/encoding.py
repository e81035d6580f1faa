"""How the bank of the sandbox writes its records: as Avro single objects, by the newest of our schemas."""

from collections.abc import Mapping
from pathlib import Path

from consumer.adapters.avro import Library, single_object


class SingleObjects:
    """Encodes the fields of a schema, named by its folder: decimals as Decimal, instants as aware datetimes."""

    def __init__(self, schemas: Path) -> None:
        """`schemas`: the folder that holds `<Name>/v<N>.avsc`."""
        self._library = Library(schemas)

    def __call__(self, schema: str, fields: Mapping[str, object]) -> bytes:
        """The record's value; raises ValueError or TypeError where the fields do not fit the schema."""
        return single_object(self._library.newest_text(schema), fields)
