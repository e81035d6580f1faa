"""Reads the preferences topic into the table, from where it was left, and goes on reading."""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from consumer.adapters.preference_table.letters import Letters
from consumer.adapters.preference_table.messages import record_of
from consumer.adapters.preference_table.questions import Administrator
from consumer.adapters.preference_table.reading import Decode, Reading, Stopped
from consumer.adapters.preference_table.store import Source, State
from consumer.adapters.preference_table.tables import Tables, TopicNow
from consumer.telemetry import KAFKA_ERRORS, Line, alarm, log

_WHAT = "preferences"
_END = KafkaError._PARTITION_EOF  # noqa: SLF001 - so named
_LOG_LEVEL = 2
"""Of librdkafka's own lines, unless set: what it says of lesser things comes through its error callback too, as a code."""
_OWN = {
    "group.id": "avviso-preferences",  # librdkafka wants one; nothing is joined and nothing committed
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",
    "isolation.level": "read_committed",
    "enable.partition.eof": True,
}
_GROUP_ONLY = ("group.protocol", "group.instance.id", "group.remote.assignor", "partition.assignment.strategy")


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How much at once, how long each wait is, and how old the table may be: past `stale_max_s` it is believed no more.

    Customers come in no order, so every batch touches pages all over the table, and each of these is written anew: while a
    whole topic is read, one batch of twenty thousand costs a small part of twenty of a thousand.
    """

    batch_records_max: int = 20_000
    poll_s: float = 0.2
    request_timeout_s: float = 5.0
    retry_s: float = 1.0
    unknown_tries_max: int = 600
    recheck_s: float = 60.0
    stale_max_s: float = 900.0
    question_timeout_s: float = 2.0

    def __post_init__(self) -> None:
        """Refuse a table that would be too old between two looks at its topic."""
        if self.stale_max_s < 2 * self.recheck_s:
            raise ValueError("stale_max_s is at least twice recheck_s")


class _Aim(msgspec.Struct, frozen=True, kw_only=True):
    """What the topic held at one moment: the next offset of each partition. `at_s` by the clock, `at` by the calendar."""

    marks: Mapping[int, int]
    at_s: float
    at: datetime


class Follower:
    """Fills a table until `stopping`, and knows of which moment it holds everything that the topic held."""

    def __init__(
        self,
        settings: Mapping[str, str | int | float | bool],
        *,
        topic: str,
        tables: Tables,
        decode: Decode,
        letters: Letters,
        now: Callable[[], datetime],
        clock: Callable[[], float],
        stopping: threading.Event,
        pace: Pace,
    ) -> None:
        """Connects to nothing yet."""
        group_free = {name: value for name, value in settings.items() if name not in _GROUP_ONLY}
        defaults = {"client.id": "avviso", "log_level": _LOG_LEVEL}
        plain = {**defaults, **group_free}
        self._settings = {**plain, **_OWN, "error_cb": self._complain}
        self._administrator = Administrator(plain, topic=topic, timeout_s=pace.question_timeout_s)
        self._retention, self._identity = self._administrator.retention(), self._administrator.identity()
        self._topic = topic
        self._tables = tables
        self._reading = Reading(
            decode,
            letters,
            held_up=self._hold_up,
            stopping=stopping,
            retry_s=pace.retry_s,
            unknown_tries_max=pace.unknown_tries_max,
        )
        self._now = now
        self._clock = clock
        self._stopping = stopping
        self._pace = pace
        self._complained_of = ""
        self._source = Source(cluster_id="", topic=topic)
        self._positions: dict[int, int] = {}
        self._aim = _Aim(marks={}, at_s=clock(), at=now())
        self._synced_at = self._aim.at
        self._caught_up = self._was_held_up = self._said_stale = False
        self._whole_at_s: float | None = None

    @property
    def believed(self) -> bool:
        """Whether all that was in the topic at most `stale_max_s` ago is in the table, and nothing newer is held up."""
        whole_at_s = self._whole_at_s
        return whole_at_s is not None and self._clock() - whole_at_s <= self._pace.stale_max_s

    def disbelieve(self) -> None:
        """The table is known to lack something: until it has caught up anew it counts for nothing."""
        self._whole_at_s = None

    def run(self) -> None:
        """Until told to stop; what Kafka cannot do now is tried again. Raises Broken where the table cannot be written."""
        with contextlib.closing(self._administrator):
            self._run()

    def _run(self) -> None:
        while not self._stopping.is_set():
            consumer = Consumer(dict(self._settings), logger=logging.getLogger("librdkafka"))
            try:
                self._follow(consumer)
            except KafkaException as problem:
                self._complain(problem.args[0])
                self._watch_age()
            except Stopped:
                return
            finally:
                consumer.close()
            self._stopping.wait(self._pace.retry_s)

    def _follow(self, consumer: Consumer) -> None:
        """Returns where the topic must be looked at again: it is not what it was, or was not read for a while."""
        self._caught_up = self._was_held_up = False
        self._start(consumer)
        self._complained_of = ""
        recheck_at_s = self._clock() + self._pace.recheck_s
        self._look_whether_caught_up()
        while not self._stopping.is_set():
            messages = self._fetch(consumer)
            errors = [error for one in messages if (error := one.error()) is not None and error.code() != _END]
            self._take(messages)
            if errors:
                raise KafkaException(errors[0])
            if self._was_held_up:
                return
            if self._is_made_again():
                self.disbelieve()
                return
            self._look_whether_caught_up()
            self._watch_age()
            if self._clock() >= recheck_at_s:
                recheck_at_s = self._clock() + self._pace.recheck_s
                self._retention.ask()
                self._identity.ask()
                if self._partitions(consumer) != sorted(self._positions):
                    return
                self._look_how_far(consumer)

    def _start(self, consumer: Consumer) -> None:
        """Decide which table to fill, and from where on; assign the partitions."""
        at_s, at = self._clock(), self._now()
        marks = self._marks(consumer, self._partitions(consumer))
        self._inquire()
        cluster_id = consumer.cluster_id(self._pace.request_timeout_s) or ""
        source = Source(cluster_id=cluster_id, topic=self._topic, topic_id=self._identity.value)
        tombstones_since = at - self._retention.value / 2  # the other half: for catching up, and clocks that differ
        known = self._tables.fit(TopicNow(source=source, marks=marks, at=at, tombstones_since=tombstones_since))
        if self._tables.is_rebuilding:
            self.disbelieve()
        self._source = source if source.topic_id is not None else known.source
        self._synced_at = known.synced_at
        self._positions = {number: known.offsets.get(number, low) for number, (low, _) in marks.items()}
        self._aim = _Aim(marks={number: high for number, (_, high) in marks.items()}, at_s=at_s, at=at)
        consumer.assign([TopicPartition(self._topic, number, offset) for number, offset in self._positions.items()])
        lag = sum(self._aim.marks.values()) - sum(self._positions.values())
        log(Line.PREFERENCES_WAITING, topic=self._topic, lag_records=lag, customers=self._tables.filled.customers)

    def _inquire(self) -> None:
        """Ask which topic it is; wait for the answers where there is something known that they decide over."""
        self._retention.ask_anew()
        self._identity.ask_anew()
        if self._tables.in_use.state is not None:
            self._retention.wait()
            self._identity.wait()
        if self._identity.is_unknown_topic:  # not every broker has heard yet that it was made again
            raise KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART))

    def _is_made_again(self) -> bool:
        """Whether the topic is not the one that was begun with; where that was not known yet, note which it is."""
        self._retention.look()
        self._identity.look()
        known, now = self._source.topic_id, self._identity.value
        if known is None and now is not None:
            self._source = msgspec.structs.replace(self._source, topic_id=now)
        return known is not None and now is not None and now != known

    def _look_how_far(self, consumer: Consumer) -> None:
        """Note that nothing was missed, and aim at what the topic holds now; not before the last aim was reached."""
        if self._reached:
            at_s, at = self._clock(), self._now()
            marks = self._marks(consumer, self._positions)
            self._aim = _Aim(marks={number: high for number, (_, high) in marks.items()}, at_s=at_s, at=at)
            self._look_whether_caught_up()
        self._tables.filled.write({}, self._state())

    def _marks(self, consumer: Consumer, numbers: Iterable[int]) -> dict[int, tuple[int, int]]:
        """The first and the next offset of each partition."""
        timeout_s = self._pace.request_timeout_s
        return {
            number: consumer.get_watermark_offsets(TopicPartition(self._topic, number), timeout_s) for number in numbers
        }

    def _partitions(self, consumer: Consumer) -> Sequence[int]:
        """The topic's partitions in order; raises KafkaException where there is no such topic."""
        metadata = consumer.list_topics(self._topic, self._pace.request_timeout_s).topics[self._topic]
        if metadata.error is not None:
            raise KafkaException(metadata.error)
        return sorted(metadata.partitions)

    def _fetch(self, consumer: Consumer) -> Sequence[Message]:
        first = consumer.poll(self._pace.poll_s)
        return () if first is None else (first, *consumer.consume(self._pace.batch_records_max - 1, 0))

    def _take(self, messages: Sequence[Message]) -> None:
        """Records, and the offsets after them, in one transaction; the end of a partition is a position too."""
        records = []
        for message in messages:
            number, offset, error = message.partition(), message.offset(), message.error()
            if error is None:
                record = record_of(message)
                records.append(record)
                self._positions[record.position.partition] = record.position.offset + 1
            elif error.code() == _END and number is not None and offset is not None:
                self._positions[number] = offset
        if records:
            self._tables.filled.write(self._reading.changes_of(records), self._state())

    def _state(self) -> State:
        return State(source=self._source, offsets=dict(self._positions), synced_at=self._synced_at)

    @property
    def _reached(self) -> bool:
        return all(self._positions[number] >= high for number, high in self._aim.marks.items())

    def _look_whether_caught_up(self) -> None:
        """Where the aim is reached the table holds all that the topic held when it was taken, not when it was reached.

        One that is rebuilt counts only once it has taken the place of the other.
        """
        if not self._reached:
            return
        self._synced_at = self._aim.at
        if not self._tables.take_over(self._state()):
            return
        self._whole_at_s = self._aim.at_s
        if not self._caught_up:
            self._caught_up = True
            log(Line.PREFERENCES_READY, topic=self._topic, customers=self._tables.in_use.customers)

    def _hold_up(self) -> None:
        """A record waits to be read: those behind it may take back what the table says."""
        self._was_held_up = True
        self.disbelieve()

    def _watch_age(self) -> None:
        """Say it once where the table has become too old to be believed: from here on nothing is read or sent."""
        stale = self._whole_at_s is not None and not self.believed
        if stale and not self._said_stale:
            alarm(Line.PREFERENCES_WAITING, what=_WHAT, code="stale", topic=self._topic)
        self._said_stale = stale

    def _complain(self, error: KafkaError) -> None:
        """Every complaint is counted; one that goes on is logged once."""
        KAFKA_ERRORS.add(1, {"client": _WHAT, "code": error.name()})
        if error.name() == self._complained_of:
            return
        self._complained_of = error.name()
        if error.code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.TOPIC_AUTHORIZATION_FAILED):
            alarm(Line.KAFKA_TROUBLE, what=_WHAT, code=error.name(), topic=self._topic)
        else:
            log(Line.KAFKA_TROUBLE, logging.WARNING, what=_WHAT, code=error.name(), topic=self._topic)
