"""What was polled as records: made one by one only when asked for, told of all together at once."""

from collections.abc import Sequence

from confluent_kafka import KafkaError, Message
from hypothesis import given
from hypothesis import strategies as st

from consumer.adapters.kafka_source.partitions import Key
from consumer.adapters.kafka_source.translation import records_of
from consumer.core.record import Fetched, Position, Record

EPOCHS = {("a", 0): 7, ("a", 1): 7, ("b", 0): 9}
KEYS = st.sampled_from([*EPOCHS, ("gone", 0)])


def message(key: Key, offset: int, *, fails: bool = False) -> Message:
    topic, partition = key
    error = KafkaError(KafkaError._PARTITION_EOF) if fails else None
    headers: list[tuple[str, str | bytes | None]] | None = None
    if offset % 3 == 0:
        headers = [("traceparent", b"00"), ("empty", None)]
    return Message(
        topic=topic,
        partition=partition,
        offset=offset,
        key=b"k%d" % offset,
        value=None if offset % 5 == 0 else b"v%d" % offset,
        headers=headers,
        error=error,
        timestamp=(1, 1_000 + offset),
    )


def expected(key: Key, offset: int) -> Record:
    return Record(
        position=Position(topic=key[0], partition=key[1], offset=offset),
        key=b"k%d" % offset,
        value=None if offset % 5 == 0 else b"v%d" % offset,
        headers=(("traceparent", b"00"), ("empty", None)) if offset % 3 == 0 else (),
        timestamp_ms=1_000 + offset,
        epoch=EPOCHS[key],
    )


@given(st.lists(st.tuples(KEYS, st.integers(0, 5).map(lambda one: one == 0)), max_size=40))
def test_records_and_what_is_told_of_them_together_agree_whatever_comes_between(
    row: Sequence[tuple[Key, bool]],
) -> None:
    messages = [message(key, offset, fails=fails) for offset, (key, fails) in enumerate(row)]

    found, errors = records_of(messages, EPOCHS)

    held = [(key, offset) for offset, (key, fails) in enumerate(row) if key in EPOCHS and not fails]
    assert list(found) == [expected(*one) for one in held]
    assert [found[place] for place in range(len(found))] == list(found)
    assert list(found[1:]) == list(found)[1:]
    assert told(found) == told(Fetched(list(found)))
    assert [one.offset() for one, _ in errors] == [offset for offset, (_, fails) in enumerate(row) if fails]


def told(of: Fetched) -> object:
    columns = of.columns
    headers = [tuple(one) for one in columns.headers]
    return list(columns.values), headers, dict(columns.counts), dict(columns.ends), dict(of.by_topic)


def test_nothing_private_is_printed() -> None:
    found, _ = records_of([message(("a", 0), 1)], EPOCHS)

    assert repr(found) == "Fetched(1 records)"
    assert repr(found.columns) == "Columns(1 records)"
    assert "v1" not in repr(found[0:])
