"""What was made to harm a decoder beside as many ordinary events: its worst bounds how long one record can stall us."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from consumer.adapters.avro import AvroDecoder
from consumer.core.record import Record
from consumer.errors import Undecodable
from tests.avro import ID, Listed, decoder, our_bytes, transaction_fields
from tests.benchmarks.measuring import Contest, Side
from tests.benchmarks.turns import Spent, Turn
from tests.builders import record
from tests.hostile import ROWS, schema_of, value_of

_TRIES = 3


@contextmanager
def hostile() -> Iterator[Sequence[Contest]]:
    """Take each record of the corpus alone, to find the worst; hand out both sides."""
    corpus = {row["name"]: (schema_of(row), record(value=value_of(row))) for row in ROWS}
    ordinary = record(value=our_bytes("TransactionPosted", transaction_fields()))
    experienced = decoder()
    experienced.decode(ordinary)
    took_s = {name: min(_cpu_s(schema, one) for _ in range(_TRIES)) for name, (schema, one) in corpus.items()}
    worst = max(took_s, key=lambda name: took_s[name])
    every_day = Side(
        name="ordinary",
        does="as many ordinary events, read as every day",
        do=partial(_ordinary, experienced, ordinary, len(corpus)),
    )
    set_aside = Side(
        name="hostile",
        does="the corpus, each record with the schema that came with it, into dead letters",
        do=partial(_corpus, corpus),
    )
    yield [
        Contest(
            name="hostile",
            unit="records of the corpus",
            count=len(corpus),
            sides=(every_day, set_aside),
            circumstances={"worst CPU ms": round(took_s[worst] * 1000, 1), "worst": worst},
        )
    ]


def _cpu_s(schema: str, arrived: Record) -> float:
    avro = decoder(Listed({ID: schema}))
    started_s = time.thread_time()
    _refuse(avro, arrived)
    return time.thread_time() - started_s


def _ordinary(avro: AvroDecoder, arrived: Record, count: int, turn: Turn) -> Spent:
    turn.start()
    for _ in range(count):
        avro.decode(arrived)
    return turn.stop()


def _corpus(corpus: Mapping[str, tuple[str, Record]], turn: Turn) -> Spent:
    prepared = [(decoder(Listed({ID: schema})), arrived) for schema, arrived in corpus.values()]
    turn.start()
    for avro, arrived in prepared:
        _refuse(avro, arrived)
    return turn.stop()


def _refuse(avro: AvroDecoder, arrived: Record) -> None:
    try:
        avro.decode(arrived)
    except Undecodable:
        return
    raise AssertionError("a record of the corpus was read")
