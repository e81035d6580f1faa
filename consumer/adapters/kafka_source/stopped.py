"""Partitions that have stopped, and where each is read on."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from confluent_kafka import KafkaError

from consumer.adapters.kafka_source.asking import Asker
from consumer.adapters.kafka_source.complaints import Complaints
from consumer.adapters.kafka_source.incarnations import Incarnations
from consumer.adapters.kafka_source.inquiry import Found, Inquiry
from consumer.adapters.kafka_source.limits import SourceLimits
from consumer.adapters.kafka_source.partitions import Key, Partitions
from consumer.core.record import Delivery
from consumer.telemetry import Line, alarm

_USUAL_S = 1.0


@dataclass(slots=True, kw_only=True)
class _Stop:
    """`inquiry`: what is asked about it now. `slow`: it has not been answered in time before. `start`: where to read on.

    `fresh`: others may be about to stop too. Who is read on before them makes them wait for its fetch: half a second.
    """

    due_s: float
    anew: bool = False
    inquiry: Inquiry | None = None
    fresh: bool = True
    slow: bool = False
    start: int | None = None

    def is_due(self, now_s: float) -> bool:
        """Whether it is to be asked about now."""
        return self.inquiry is None and self.due_s <= now_s


class Stopped:
    """Kafka is asked for all of them at once, and what flows goes on meanwhile.

    A new group is sent to its beginning. What was read is read on; an alarm says where that is in the topic no more. Only
    before that is an answer waited for, a second at most: whether it is the same topic still.
    """

    def __init__(
        self,
        asker: Asker,
        partitions: Partitions,
        incarnations: Incarnations,
        complaints: Complaints,
        *,
        group: str,
        clock: Callable[[], float],
        limits: SourceLimits,
    ) -> None:
        """`clock`: monotonic seconds."""
        self._asker = asker
        self._partitions = partitions
        self._incarnations = incarnations
        self._complaints = complaints
        self._group = group
        self._clock = clock
        self._limits = limits
        self._stops: dict[Key, _Stop] = {}

    def __len__(self) -> int:
        return len(self._stops)

    @property
    def asking(self) -> bool:
        """Whether there may be an answer, or something to ask, at any moment."""
        now_s = self._clock()
        return any(stop.inquiry is not None or stop.due_s <= now_s for stop in self._stops.values())

    def add(self, key: Key) -> None:
        """This one has stopped, as far as we know."""
        self._stops.setdefault(key, _Stop(due_s=self._clock()))

    def add_anew(self, key: Key) -> None:
        """It is to begin at its beginning, whatever is committed."""
        self._stops[key] = _Stop(due_s=self._clock(), anew=True)

    def postpone(self, key: Key) -> None:
        """Ask for this one later."""
        stop = self._stops[key]
        stop.start, stop.due_s = None, self._clock() + self._limits.recheck_s

    def placed(self, key: Key) -> None:
        """It has not stopped any more."""
        del self._stops[key]

    def flow(self, deliveries: Iterable[Delivery]) -> None:
        """Records of these have come. What was asked about them meanwhile was true before: they have moved on since."""
        for topic, partition, _ in deliveries if self._stops else ():
            stop = self._stops.get((topic, partition))
            if stop is not None and not stop.anew:
                del self._stops[topic, partition]

    def gone(self, keys: Iterable[Key]) -> None:
        """These are ours no more, or in another assignment: no answer counts for them that is still to come."""
        for key in keys:
            self._stops.pop(key, None)

    def look(self) -> None:
        """Take the answers that have come, and ask what is due."""
        now_s = self._clock()
        if not any(stop.fresh for stop in self._stops.values()):
            self._ask(now_s)
        self._judge(self._found(now_s))
        for stop in self._stops.values():
            stop.fresh = False

    @property
    def starts(self) -> Mapping[Key, int]:
        """Who can be read on now, and from where."""
        return {key: stop.start for key, stop in self._stops.items() if stop.start is not None}

    def _found(self, now_s: float) -> Mapping[Key, Found]:
        found = {}
        inquiries = {stop.inquiry for stop in self._stops.values() if stop.inquiry is not None}
        for inquiry in (one for one in inquiries if one.settled(now_s)):
            if inquiry.unheard:
                self._asker.renew()
            for key, answer in inquiry.answers():
                stop = self._stops.get(key)
                if stop is None or stop.inquiry is not inquiry:
                    continue
                stop.inquiry = None
                if isinstance(answer, KafkaError):
                    self._failed(key, stop, answer)
                else:
                    found[key] = answer
        return found

    def _failed(self, key: Key, stop: _Stop, error: KafkaError) -> None:
        """Those that were asked for together are answered together: who is slow must not hold up the others twice."""
        if error.code() == KafkaError._TIMED_OUT and not stop.slow:  # noqa: SLF001 - so named
            stop.slow = True
            return
        self._complaints.take(error, key[0])
        self.postpone(key)

    def _judge(self, found: Mapping[Key, Found]) -> None:
        outside = {}
        for key, answer in found.items():
            read, stop = self._partitions.resume_at(key), self._stops[key]
            offset = answer.committed if read is None else read
            if offset < 0 or stop.anew:
                stop.start = answer.low
            elif answer.low <= offset <= answer.high:
                stop.start = offset
            else:
                outside[key] = offset
        if outside:
            self._give_up(outside)

    def _give_up(self, outside: Mapping[Key, int]) -> None:
        """What is not in the topic any more is lost; unless it is another topic, which is then read from its beginning."""
        same = self._incarnations.same({topic for topic, _ in outside})
        for key, offset in outside.items():
            if key[0] in same:
                alarm(Line.OFFSET_OUT_OF_RANGE, topic=key[0], partition=key[1], offset=offset)
                del self._stops[key]
            else:
                self.postpone(key)

    def _ask(self, now_s: float) -> None:
        client = self._asker.client
        if client is None:
            return
        longest_s = self._limits.request_timeout_s
        for slow, timeout_s in ((False, min(_USUAL_S, longest_s)), (True, longest_s)):
            stops = {key: stop for key, stop in self._stops.items() if stop.slow is slow and stop.is_due(now_s)}
            if stops:
                inquiry = Inquiry.about(tuple(stops), client, self._group, timeout_s=timeout_s, now_s=now_s)
                for stop in stops.values():
                    stop.inquiry = inquiry
