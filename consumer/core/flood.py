"""When so many records cannot be read that something other than the records is wrong."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from consumer.core.record import Position

Place = tuple[str, int]
"""A topic and the number of one of its partitions."""

_ENDS_SHOWN = 50
"""More would make a line of the log too long to be kept whole."""
_OFFSET = re.compile(r"([A-Za-z0-9._-]{1,249}):([0-9]{1,10}):([0-9]{1,19})\Z")
_PARTITION_MAX, _OFFSET_MAX = 2**31 - 1, 2**63 - 1


class FloodLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How many dead letters of one topic are a flood.

    `run_max` without a readable record between them, or `letters_min` and more than `share_max` of the latest
    `window_records`. Counts, never time: a replay is judged as the day itself was.
    """

    window_records: int = 1000
    letters_min: int = 100
    share_max: float = 0.5
    run_max: int = 100


class Flood(msgspec.Struct, frozen=True, kw_only=True):
    """The topic whose records cannot be read, and what of it stands in the batch.

    `letters` of the latest `records` of the topic could not be read. `again`: it was stopped at here before. `reasons` count
    the batch's; `leading` is what it is about: the most frequent one, or that of the record that stopped it before. `stops`
    are the first such record of each partition that has any for this reason, or too many at all: elsewhere one may be broken
    for itself, which nothing mends that ends the flood. `ends` are the offsets after the last ones.
    """

    topic: str
    letters: int
    records: int
    again: bool
    leading: str
    reasons: Counter[str]
    stops: tuple[Position, ...]
    ends: tuple[Position, ...]

    @property
    def ranked(self) -> Sequence[str]:
        """The reasons, the most frequent first."""
        return sorted(self.reasons, key=lambda reason: (-self.reasons[reason], reason))

    @property
    def counts(self) -> str:
        """The same for people, each with its count."""
        return ", ".join(f"{reason} {self.reasons[reason]}" for reason in self.ranked)

    @property
    def until(self) -> str:
        """The `ends` as `accepted_offsets` reads them; of very many partitions the first, which `covered` says."""
        return as_offsets(self.ends[:_ENDS_SHOWN])

    @property
    def covered(self) -> str:
        """For people: what is accepted up to `until`."""
        many = len(self.ends) > _ENDS_SHOWN
        return f"{_ENDS_SHOWN} of the {len(self.ends)} partitions in this batch" if many else "this batch"


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What comes of records. `passed` are stops of an earlier flood behind which records can be read again."""

    tallies: "Mapping[str, _Tally]"
    flood: Flood | None = None
    passed: tuple[Position, ...] = ()


class _Tally:
    """One topic's latest records: how many, and which of them are dead letters, with their number in the order read.

    One that is delivered again, as after a rebalance, is one dead letter still.
    """

    __slots__ = ("letters", "run", "seen")

    def __init__(self, seen: int = 0, run: int = 0, letters: Mapping[Position, int] | None = None) -> None:
        self.seen, self.run, self.letters = seen, run, dict(letters or {})  # the oldest first

    def copy(self) -> "_Tally":
        return _Tally(self.seen, self.run, self.letters)

    def readable(self, records: int) -> None:
        self.seen += records
        self.run = 0

    def unreadable(self, at: Position, window_records: int) -> None:
        if at in self.letters:
            return
        self.letters[at] = self.seen
        self.seen += 1
        self.run += 1
        while self.letters[oldest := next(iter(self.letters))] < self.seen - window_records:
            del self.letters[oldest]

    def is_flood(self, limits: FloodLimits) -> bool:
        share = len(self.letters) / min(self.seen, limits.window_records)
        return self.run >= limits.run_max or (len(self.letters) >= limits.letters_min and share > limits.share_max)


class Watch:
    """Judges each batch, one portion after the other, before anything of it is written.

    `stops` are where earlier processes stopped: the window is forgotten with the process, the stop is not. The first record
    there or behind it decides: unreadable still, it is the same flood whatever the counts say; else the stop is passed.
    Dead letters below the `accepted` offsets are no concern, and count neither as good nor as bad.
    """

    def __init__(
        self, limits: FloodLimits, *, stops: Iterable[Position] = (), accepted: Mapping[Place, int] | None = None
    ) -> None:
        """Begin with what is remembered and what the operator has accepted."""
        self._limits = limits
        self._accepted = dict(accepted or {})
        self._stops = {(stop.topic, stop.partition): stop for stop in stops}
        self._tallies: Mapping[str, _Tally] = {}

    @property
    def is_calm(self) -> bool:
        """Whether no stop is left: then what can be read need only be counted."""
        return not self._stops

    def suspects(self, at: Position) -> bool:
        """Whether a stop is left in its partition: then its records are to be read in full."""
        return (at.topic, at.partition) in self._stops

    def read(self, by_topic: Mapping[str, int]) -> None:
        """So many of each topic came, and all of them could be read."""
        tallies = {topic: tally.copy() for topic, tally in self._tallies.items()}
        for topic, count in by_topic.items():
            tallies.setdefault(topic, _Tally()).readable(count)
        self._tallies = tallies

    def judge(self, records: Sequence[Position], reasons: Mapping[Position, str]) -> Judgement:
        """What these records come to; `reasons` tell which of the batch's are dead letters. Changes nothing."""
        tallies = {topic: tally.copy() for topic, tally in self._tallies.items()}
        passed: dict[Place, Position] = {}
        for at in records:
            if at in reasons and self._is_accepted(at):
                continue
            tally = tallies.setdefault(at.topic, _Tally())
            stopped = self._is_stop(at) and (at.topic, at.partition) not in passed
            if at not in reasons:
                tally.readable(1)
                if stopped:
                    passed[at.topic, at.partition] = self._stops[at.topic, at.partition]
                continue
            tally.unreadable(at, self._limits.window_records)
            if stopped or tally.is_flood(self._limits):
                return Judgement(tallies={}, flood=self._flood(at, tally, records, reasons, again=stopped))
        return Judgement(tallies=tallies, passed=tuple(passed.values()))

    def learn(self, judgement: Judgement) -> None:
        """It is no flood: what comes next is judged on top of it."""
        self._tallies = judgement.tallies
        for stop in judgement.passed:
            self._stops.pop((stop.topic, stop.partition), None)

    def _is_accepted(self, at: Position) -> bool:
        return at.offset < self._accepted.get((at.topic, at.partition), 0)

    def _is_stop(self, at: Position) -> bool:
        """At or behind a stop, and behind what is accepted: what is readable before that proves nothing."""
        stop = self._stops.get((at.topic, at.partition))
        return stop is not None and at.offset >= stop.offset and not self._is_accepted(at)

    def _flood(
        self, at: Position, tally: _Tally, records: Sequence[Position], reasons: Mapping[Position, str], *, again: bool
    ) -> Flood:
        """The one that this record has completed; or stands for, where an earlier process was stopped by it."""
        letters = sorted(one for one in reasons if one.topic == at.topic and not self._is_accepted(one))
        counts = Counter(reasons[one] for one in letters)
        leading = reasons[at] if again else max(sorted(counts), key=counts.__getitem__)
        flooded = {one.partition for one in letters if reasons[one] == leading} | self._broken(
            at.topic, records, letters
        )
        first = {one.partition: one for one in reversed(letters)}
        last = {one.partition: one for one in letters}
        return Flood(
            topic=at.topic,
            letters=len(tally.letters),
            records=min(tally.seen, self._limits.window_records),
            again=again,
            leading=leading,
            reasons=counts,
            stops=tuple(first[number] for number in sorted(flooded)),
            ends=tuple(msgspec.structs.replace(one, offset=one.offset + 1) for one in last.values()),
        )

    def _broken(self, topic: str, records: Sequence[Position], letters: Sequence[Position]) -> set[int]:
        """The topic's partitions of which too many of these records are dead letters."""
        unreadable = set(letters)
        read = [one for one in records if one.topic == topic]
        count = Counter(one.partition for one in read)
        broken = Counter(one.partition for one in read if one in unreadable)
        return {number for number in broken if broken[number] > self._limits.share_max * count[number]}


def accepted_offsets(text: str) -> Mapping[Place, int]:
    """`topic:partition:offset`, several with commas or blanks between them: the first offset that is not accepted any more.

    Kafka's own tools print the ends of topics in this form. Raises ValueError, saying which entry is not of it, or which
    partition has two.
    """
    found: dict[Place, int] = {}
    for (topic, partition), offset in _offsets(text):
        if (topic, partition) in found:
            raise ValueError(f"partition {partition} of {topic} is named twice")
        found[topic, partition] = offset
    return found


def _offsets(text: str) -> Iterator[tuple[Place, int]]:
    entries = text.replace(",", " ").split()
    if not entries:
        raise ValueError("there is no offset in it")
    for entry in entries:
        found = _OFFSET.match(entry)
        if found is None or int(found[2]) > _PARTITION_MAX or int(found[3]) > _OFFSET_MAX:
            raise ValueError(f"{entry!r} is not topic:partition:offset")
        yield (found[1], int(found[2])), int(found[3])


def as_far_as_there_is(accepted: Mapping[Place, int], ends: Mapping[Place, int]) -> Mapping[Place, int]:
    """What the topics hold now: of what is still to come nobody can know that it is beyond help."""
    return {place: min(until, ends[place]) for place, until in accepted.items()}


def as_offsets(positions: Iterable[Position]) -> str:
    """The positions as `accepted_offsets` reads them."""
    return ",".join(f"{at.topic}:{at.partition}:{at.offset}" for at in positions)
