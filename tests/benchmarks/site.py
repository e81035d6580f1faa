"""Where the benchmarks happen, and how much of everything there is."""

from pathlib import Path

import msgspec

from tests.brokers import Kafka

_REAL_PARTITIONS = 12
_EMBEDDED_PARTITIONS = 64
_EMBEDDED_BYTES = 4 * 2**20
"""Each partition of the embedded brokers keeps 5 MiB only, and silently forgets what came before."""


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """How much: `records` of each mixture for intake, `texts` for dispatch, each taken `rounds` times by every side,
    and `warm_ups` times before that do not count.

    `other_mixtures` beside the ordinary one: of how many told in a thousand. `customers` have preferences; `customers_load`
    is the larger table that is only loaded; each start of a table is given up after `load_patience_s`. `backlog` is the
    number of events that are read at a stretch, `backlog_early` after how many of them memory is looked at first.
    """

    rounds: int = 7
    warm_ups: int = 1
    records: int = 100_000
    other_mixtures: tuple[int, ...] = (1, 300, 1000)
    customers: int = 1_000_000
    customers_load: int = 10_000_000
    load_patience_s: float = 900.0
    backlog: int = 500_000
    backlog_early: int = 100_000
    texts: int = 2_000


QUICK = Scale(
    rounds=1,
    warm_ups=0,
    records=6_000,
    other_mixtures=(1000,),
    customers=400,
    customers_load=800,
    backlog=2_000,
    backlog_early=1_000,
    texts=60,
)


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """Kafka, a folder on a real disk (what is written there is flushed), and the scale."""

    kafka: Kafka
    folder: Path
    scale: Scale

    def partitions(self, expected_bytes: int) -> int:
        """How many a topic needs that is to hold so much."""
        if self.kafka.real:
            return _REAL_PARTITIONS
        return max(_EMBEDDED_PARTITIONS, 1 + expected_bytes // _EMBEDDED_BYTES)
