"""Reads the preferences topic into the table, from where it was left, and goes on reading."""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from consumer.adapters.preference_table.clients import common, reading
from consumer.adapters.preference_table.fitting import TopicNow
from consumer.adapters.preference_table.floods import Floods
from consumer.adapters.preference_table.letters import Letters
from consumer.adapters.preference_table.messages import record_of
from consumer.adapters.preference_table.pace import Pace
from consumer.adapters.preference_table.questions import Administrator
from consumer.adapters.preference_table.reading import Decode, Reading, Stopped
from consumer.adapters.preference_table.store import Source, State
from consumer.adapters.preference_table.tables import Tables
from consumer.core.record import Record
from consumer.telemetry import KAFKA_ERRORS, Line, alarm, log

_WHAT = "preferences"
_END = KafkaError._PARTITION_EOF  # noqa: SLF001 - so named


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
        floods: Floods,
        now: Callable[[], datetime],
        clock: Callable[[], float],
        stopping: threading.Event,
        pace: Pace,
    ) -> None:
        """Connects to nothing yet."""
        self._settings = {**reading(settings), "error_cb": self._complain}
        self._administrator = Administrator(common(settings), topic=topic, timeout_s=pace.question_timeout_s)
        self._retention, self._identity = self._administrator.retention(), self._administrator.identity()
        self._topic = topic
        self._tables = tables
        self._reading = Reading(
            decode,
            letters,
            pack=tables.pack,
            held_up=self._hold_up,
            stopping=stopping,
            retry_s=pace.retry_s,
            unknown_tries_max=pace.unknown_tries_max,
        )
        self._floods = floods
        self._now = now
        self._clock = clock
        self._stopping = stopping
        self._pace = pace
        self._complained_of = ""
        self._source = Source(cluster_id="", topic=topic)
        self._positions: dict[int, int] = {}
        self._aim = _Aim(marks={}, at_s=clock(), at=now())
        self._synced_at = self._looked_at = self._aim.at
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
            pause_s = 0.0
            try:
                pause_s = self._follow(consumer)
            except KafkaException as problem:
                self._complain(problem.args[0])
            except Stopped:
                return
            finally:
                consumer.close()
            self._wait(pause_s)

    def _wait(self, pause_s: float) -> None:
        """At least for a moment."""
        until_s = self._clock() + pause_s
        self._watch_age()
        while not self._stopping.wait(self._pace.retry_s) and self._clock() < until_s:
            self._watch_age()

    def _follow(self, consumer: Consumer) -> float:
        """Returns where the topic must be looked at again, and in how many seconds.

        It is not what it was, or was not read for a while, or holds a flood.
        """
        self._caught_up = self._was_held_up = False
        self._start(consumer)
        self._complained_of = ""
        recheck_at_s = self._clock() + self._pace.recheck_s
        self._look_whether_caught_up()
        while not self._stopping.is_set():
            first = consumer.poll(self._pace.poll_s)
            messages = () if first is None else (first, *consumer.consume(self._pace.batch_records_max - 1, 0))
            errors = [error for one in messages if (error := one.error()) is not None and error.code() != _END]
            if not self._take(messages):
                return self._pace.recheck_s
            if errors:
                raise KafkaException(errors[0])
            if self._was_held_up:
                return 0.0
            if self._is_made_again() or self._was_too_long_away():
                self.disbelieve()
                return 0.0
            self._look_whether_caught_up()
            self._watch_age()
            if self._clock() >= recheck_at_s:
                recheck_at_s = self._clock() + self._pace.recheck_s
                self._retention.ask()
                self._identity.ask()
                if self._partitions(consumer) != sorted(self._positions):
                    return 0.0
                self._look_how_far(consumer)
        return 0.0

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
        self._floods.begin(self._tables.filled.path, known.stops)
        self._source = source if source.topic_id is not None else known.source
        self._synced_at, self._looked_at = known.synced_at, at
        self._positions = {number: known.offsets.get(number, low) for number, (low, _) in marks.items()}
        self._aim = _Aim(marks={number: high for number, (_, high) in marks.items()}, at_s=at_s, at=at)
        consumer.assign([TopicPartition(self._topic, number, offset) for number, offset in self._positions.items()])
        lag = sum(self._aim.marks.values()) - sum(self._positions.values())
        log(Line.PREFERENCES_WAITING, topic=self._topic, lag_records=lag, customers=self._tables.filled.customers)

    def _inquire(self) -> None:
        """Ask which topic it is; wait for the answers where there is something known that they decide over."""
        self._retention.ask_anew()
        self._identity.ask_anew()
        if self._tables.in_use.state is not None or self._tables.filled.state is not None:
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

    def _was_too_long_away(self) -> bool:
        """Whether customers may have been erased, and their tombstones be gone, since the table was known to hold all.

        It may have stood still: a process that was frozen, or waited. One that is being filled may take its time.
        """
        since, self._looked_at = self._looked_at if self._tables.is_rebuilding else self._synced_at, self._now()
        return self._looked_at - since > max(self._retention.value / 2, timedelta(seconds=2 * self._pace.recheck_s))

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

    def _take(self, messages: Sequence[Message]) -> bool:
        """Records, and the ends of partitions, which are positions too. False in a flood: all is still to be taken."""
        records, before = [], dict(self._positions)
        for message in messages:
            number, offset, error = message.partition(), message.offset(), message.error()
            if error is None:
                record = record_of(message)
                records.append(record)
                self._positions[record.position.partition] = record.position.offset + 1
            elif error.code() == _END and number is not None and offset is not None:
                self._positions[number] = offset
        return not records or self._write(records, before)

    def _write(self, records: Sequence[Record], before: dict[int, int]) -> bool:
        """All of it in one transaction; of a flood only where it stopped. What waited in that for its schema was judged."""
        whole_at_s = self._whole_at_s
        found = self._reading.read(records)
        flood = self._floods.judge(records, found)
        if flood is None:
            self._reading.set_aside(found.letters)
            self._tables.filled.write(found.changes, self._state())
            return True
        self._positions, self._whole_at_s = before, whole_at_s
        self._tables.filled.write({}, self._state())
        self._floods.hold(flood, believed=self.believed)
        return False

    def _state(self) -> State:
        offsets, stops = dict(self._positions), self._floods.stops
        return State(source=self._source, offsets=offsets, synced_at=self._synced_at, stops=stops)

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
        self._floods.over()
        if not self._caught_up:
            self._caught_up = True
            log(Line.PREFERENCES_READY, topic=self._topic, customers=self._tables.in_use.customers)

    def _hold_up(self) -> None:
        """A record waits to be read: those behind it may take back what the table says.

        Where a flood holds it, that is known already, and it is believed until it is too old.
        """
        self._was_held_up = True
        if self._floods.is_held:
            self._watch_age()
        else:
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
