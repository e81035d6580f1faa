"""Whatever waits for whichever schema, in whatever order they come: each partition is done in order, and all of it once."""

import functools
from collections.abc import Callable
from datetime import timedelta

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from consumer.core.event import Event
from consumer.core.notice import Change
from consumer.core.record import Fetched, Position, Record
from consumer.core.screen import Glance
from consumer.core.standing import Memory, Questions
from consumer.errors import Awaited, Unavailable, Undecodable
from consumer.ports import Recording, Room
from tests.builders import euros, record, transaction
from tests.deciding import empty
from tests.intakes import TOPIC, Run

SCHEMAS = ("known", "late", "later", "unknown")
SILENT = transaction(amount=euros("0.01"))
STREAM = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(SCHEMAS)), min_size=1, max_size=25)


class Lessons:
    """A decoder that knows the schemas it was taught; of one of them, in time, that there is none."""

    def __init__(self, schemas: dict[Position, str]) -> None:
        self.taught = {"known"}
        self._schemas = schemas

    def glances(self, records: Fetched) -> list[Glance | None]:
        return [None] * len(records)

    def decode(self, record: Record) -> Event:
        awaited, schema = self.awaited(record), self._schemas[record.position]
        if awaited is not None:
            raise awaited
        if schema == "unknown":
            raise Undecodable("unknown_schema", "there is none", schema=schema)
        return SILENT

    def awaited(self, record: Record) -> Awaited | None:
        schema = self._schemas[record.position]
        return None if schema in self.taught else Awaited("registry", "no_answer", schema)


class Forgetful:
    """An outbox with nothing in it, and away as often as told before it is asked for the first time."""

    def __init__(self, outages: int) -> None:
        self._outages = outages

    def recall(self, _: Questions) -> Memory:
        if self._outages:
            self._outages -= 1
            raise Unavailable("outbox", "busy")
        return empty()

    def record(self, changes: list[Change], _: object) -> Recording:
        raise AssertionError("nothing is told here")

    def backlog(self, _: object, *, at_most: int) -> int:
        return 0

    def room(self) -> Room:
        return Room(used_bytes=0, free_bytes=2**50)

    def stops(self) -> tuple[Position, ...]:
        return ()

    stop_at = pass_stops = record


@settings(deadline=None, max_examples=300)
@given(
    stream=STREAM,
    batch_size=st.integers(1, 8),
    order=st.permutations(["late", "later", "unknown"]),
    outages=st.integers(0, 3),
    rebalance_at=st.integers(0, 8),
    ahead_max=st.integers(0, 3),
    forget_at=st.integers(0, 8),
    passing_s=st.sampled_from([0.0, 0.4, 2.0]),
)
@example(
    stream=[(0, "known"), (0, "late"), (0, "later"), (0, "known"), (1, "known")],
    batch_size=5,
    order=["later", "late", "unknown"],
    outages=0,
    rebalance_at=1,
    ahead_max=3,
    forget_at=8,
    passing_s=0.0,
)
def test_each_partition_is_done_in_order_and_all_of_it_once(
    stream: list[tuple[int, str]],
    batch_size: int,
    order: list[str],
    outages: int,
    rebalance_at: int,
    ahead_max: int,
    forget_at: int,
    passing_s: float,
) -> None:
    records = [
        record(position=Position(topic=TOPIC, partition=partition, offset=offset))
        for offset, (partition, _) in enumerate(stream)
    ]
    lessons = Lessons({one.position: schema for one, (_, schema) in zip(records, stream, strict=True)})
    batches = [records[start : start + batch_size] for start in range(0, len(records), batch_size)]
    run = Run(Forgetful(outages), {}, batches)  # type: ignore[arg-type]
    run.decoder = lessons  # type: ignore[assignment]
    run.ahead_max = ahead_max

    def rebalance() -> None:
        done = set(run.source.processed_positions)
        run.source.reassign([msgspec.structs.replace(one, epoch=1) for one in records if one.position not in done])

    def pass_time() -> None:
        run.now += timedelta(seconds=passing_s)

    steps: list[Callable[[], None]] = [functools.partial(lessons.taught.add, schema) for schema in order]
    steps += [pass_time] * 5
    steps.insert(rebalance_at, rebalance)
    steps.insert(forget_at, functools.partial(lessons.taught.discard, "unknown"))
    steps += [functools.partial(lessons.taught.add, "unknown"), *[pass_time] * 3]
    run.in_turn(*steps)
    run()

    done = run.source.processed_positions
    for partition in range(3):
        expected = [one.position.offset for one in records if one.position.partition == partition]
        assert [at.offset for at in done if at.partition == partition] == expected
        unknown = [offset for offset in expected if stream[offset][1] == "unknown"]
        letters = [
            at.offset for at in (letter.record.position for letter in run.drawer.letters) if at.partition == partition
        ]
        assert letters == unknown or (outages and set(letters) == set(unknown)), (
            "a batch that was lost is set aside again"
        )
