"""The limits that an operator sets are those that the parts of the process keep."""

from contextlib import ExitStack
from pathlib import Path

from consumer import app
from consumer.adapters import resources
from consumer.adapters.avro import AvroDecoder
from consumer.adapters.outbox_sqlite import SqliteOutbox
from consumer.core.backpressure import LoadLimits
from consumer.core.flood import FloodLimits
from consumer.desk import alerts_of_the_bank
from consumer.process import elapsed_s
from consumer.settings import Settings, load

NOWHERE = {"AVVISO_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1", "AVVISO_PSEUDONYM_KEY": "a key of the tests"}


def settings(folder: Path, **environ: str) -> Settings:
    places = {"AVVISO_OUTBOX__URL": f"sqlite:///{folder / 'o.sqlite'}", "AVVISO_PREFERENCES__PATH": str(folder / "p")}
    return load({**NOWHERE, **places, **{f"AVVISO_{name}": value for name, value in environ.items()}}, to_run=True)


def opened(of: Settings, undo: ExitStack) -> SqliteOutbox:
    return undo.enter_context(app._outbox(of, "cluster"))


def test_those_of_the_outbox_and_of_floods_white_box(tmp_path: Path) -> None:
    of = settings(
        tmp_path,
        INTAKE__DUE_MAX="90",
        INTAKE__DUE_RESUME="50",
        OUTBOX__USED_MAX_BYTES="9000000000",
        OUTBOX__USED_ALARM_BYTES="5000000000",
        OUTBOX__FREE_MIN_BYTES="700000000",
        OUTBOX__FREE_ALARM_BYTES="800000000",
        FLOOD__WINDOW_RECORDS="700",
        FLOOD__LETTERS_MIN="60",
        FLOOD__SHARE_MAX="0.4",
        FLOOD__RUN_MAX="30",
    )
    with ExitStack() as undo:
        outbox = opened(of, undo)

        assert app._room_guard(of, outbox).limits == LoadLimits(
            due_max=90,
            due_resume=50,
            used_max_bytes=9_000_000_000,
            used_alarm_bytes=5_000_000_000,
            free_min_bytes=700_000_000,
            free_alarm_bytes=800_000_000,
        )
        assert app._flood_guard(of, outbox, {}).watch._limits == FloodLimits(
            window_records=700, letters_min=60, share_max=0.4, run_max=30
        )


def test_those_of_the_table_of_preferences_white_box(tmp_path: Path) -> None:
    of = settings(
        tmp_path,
        PREFERENCES__MIN_RECORDS="7",
        PREFERENCES__STALE_MAX_S="500",
        PREFERENCES__SIZE_MAX_BYTES=str(2**30),
    )
    catalogue, _ = alerts_of_the_bank(of)
    with ExitStack() as undo:
        decoder = AvroDecoder(schemas=resources.schemas(), registry=None, now=app.utc_now)
        letters = app._dead_letters(of, undo)
        table = undo.enter_context(app._preferences(of, catalogue, decoder, letters, app.NOTHING_ACCEPTED))

        assert table._customers_min == 7
        assert table._follower._clock is elapsed_s
        assert table._follower._pace.stale_max_s == 500.0
        assert table._tables.filled._size_max_bytes == 2**30


def test_how_long_the_group_was_not_heard_counts_while_the_machine_sleeps_too_white_box(tmp_path: Path) -> None:
    with app._source(settings(tmp_path)) as source:
        assert source._attendance._clock is elapsed_s
