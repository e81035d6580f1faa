"""Taking a file into use: whose it is, how old it is, and what its last worker left behind."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path

from consumer.adapters.outbox_sqlite.schema import APPLICATION_ID, MIGRATIONS, VERSION
from consumer.errors import Broken, ExitCode


def check_version(db: sqlite3.Connection, path: Path) -> int:
    """The file's schema version, 0 for an empty file. Raises Broken where it is not ours or newer than this version."""
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and application != APPLICATION_ID:
        raise Broken(f"{path} is an SQLite file of another program; name a file of its own", ExitCode.OUTBOX_FOREIGN)
    if version > VERSION:
        raise Broken(
            f"{path} was written by a newer version (its schema is {version}, this version knows {VERSION}); "
            "run that version, or a newer one",
            ExitCode.OUTBOX_SCHEMA,
        )
    return int(version)


def migrate(db: sqlite3.Connection, version: int) -> None:
    """Bring the file to this version's schema, inside the caller's transaction."""
    for statements in MIGRATIONS[version:]:
        for statement in statements:
            db.execute(statement)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {VERSION}")


def identify(db: sqlite3.Connection, path: Path, identity: Mapping[str, str]) -> None:
    """Write down whose file it is, or see that it is still ours. Raises Broken, naming each difference."""
    known = dict(db.execute("SELECT name, value FROM identity").fetchall())
    if not known:
        db.executemany("INSERT INTO identity (name, value) VALUES (?, ?)", sorted(identity.items()))
        return
    differences = [
        f"{name} was {known.get(name, '(none)')}, now is {identity.get(name, '(none)')}"
        for name in sorted(known.keys() | identity.keys())
        if known.get(name) != identity.get(name)
    ]
    if differences:
        raise Broken(
            f"{path} remembers another source: {'; '.join(differences)}. Its notices would be told twice or never; "
            "give this source a file of its own, or go back to the old one",
            ExitCode.OUTBOX_FOREIGN,
        )
