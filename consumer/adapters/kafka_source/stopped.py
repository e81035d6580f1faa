"""Partitions that have stopped, and where each is read on."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from confluent_kafka import KafkaError

from consumer.adapters.kafka_source.asking import Asker
from consumer.adapters.kafka_source.complaints import Complaints
from consumer.adapters.kafka_source.incarnations import Incarnations
from consumer.adapters.kafka_source.inquiry import Found, Inquiry
from consumer.adapters.kafka_source.partitions import Key, Partitions
from consumer.telemetry import Line, alarm

_USUAL_S = 1.0


@dataclass(slots=True, kw_only=True)
class _Stop:
    """`inquiry`: what is asked about it now. `slow`: it has not been answered in time before."""

    due_s: float
    anew: bool
    inquiry: Inquiry | None = None
    slow: bool = False


class Stopped:
    """Kafka is asked for all of them at once, and nobody waits: what flows goes on meanwhile.

    A new group is sent to its beginning. What was read is read on; an alarm says where that is in the topic no more.
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
        timeout_s: float,
        recheck_s: float,
    ) -> None:
        """`timeout_s` bounds each question; what came to nothing is asked again each `recheck_s`. `clock`: monotonic."""
        self._asker = asker
        self._partitions = partitions
        self._incarnations = incarnations
        self._complaints = complaints
        self._group = group
        self._clock = clock
        self._timeout_s = timeout_s
        self._recheck_s = recheck_s
        self._stops: dict[Key, _Stop] = {}

    def __contains__(self, key: Key) -> bool:
        return key in self._stops

    def __len__(self) -> int:
        return len(self._stops)

    @property
    def asking(self) -> bool:
        """Whether there may be an answer at any moment."""
        return any(stop.inquiry is not None for stop in self._stops.values())

    def add(self, key: Key, *, anew: bool = False, later: bool = False) -> None:
        """This one has stopped. `anew`: it begins at its beginning, whatever was read and committed before."""
        due_s = self._clock() + (self._recheck_s if later else 0.0)
        known = self._stops.get(key)
        if known is None or anew:
            self._stops[key] = _Stop(due_s=due_s, anew=anew)
        else:
            known.due_s = due_s

    def gone(self, keys: Iterable[Key]) -> None:
        """These are ours no more, or in another assignment: no answer counts for them that is still to come."""
        for key in keys:
            self._stops.pop(key, None)

    def starts(self) -> Mapping[Key, int]:
        """Who can be read on now, and from where; they count as stopped no more. Asks for those that are due."""
        now_s = self._clock()
        starts = self._judged(self._found(now_s))
        self.gone(starts)
        self._ask(now_s)
        return starts

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
        stop.due_s = self._clock() + self._recheck_s

    def _judged(self, found: Mapping[Key, Found]) -> Mapping[Key, int]:
        starts, outside = {}, {}
        for key, answer in found.items():
            read = self._partitions.resume_at(key)
            offset = answer.committed if read is None else read
            if offset < 0 or self._stops[key].anew:
                starts[key] = answer.low
            elif answer.low <= offset <= answer.high:
                starts[key] = offset
            else:
                outside[key] = offset
        self._give_up(outside)
        return starts

    def _give_up(self, outside: Mapping[Key, int]) -> None:
        """What is not in the topic any more is lost; unless it is another topic, which is then read from its beginning."""
        same = self._incarnations.same({topic for topic, _ in outside}) if outside else ()
        for key, offset in outside.items():
            if key[0] in same:
                alarm(Line.OFFSET_OUT_OF_RANGE, topic=key[0], partition=key[1], offset=offset)
                del self._stops[key]
            else:
                self._stops[key].due_s = self._clock() + self._recheck_s

    def _ask(self, now_s: float) -> None:
        client = self._asker.client
        if client is None:
            return
        for slow, timeout_s in ((False, min(_USUAL_S, self._timeout_s)), (True, self._timeout_s)):
            stops = {
                key: stop
                for key, stop in self._stops.items()
                if stop.inquiry is None and stop.due_s <= now_s and stop.slow is slow
            }
            if stops:
                inquiry = Inquiry.about(tuple(stops), client, self._group, timeout_s=timeout_s, now_s=now_s)
                for stop in stops.values():
                    stop.inquiry = inquiry
