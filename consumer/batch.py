"""What intake has in hand: read one portion after the other, then recorded and committed together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from consumer.core.record import Delivery, Fetched, Record
from consumer.errors import Awaited
from consumer.pipeline import Case, Screening, Verdict
from consumer.ports import DeadLetter, Recording


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A turn that was judged, and what of it is on its way to the disk; None where it changes nothing."""

    verdicts: Sequence[Verdict]
    recording: Recording | None


@dataclass(slots=True, kw_only=True)
class Portion:
    """What was polled at once, or waited together, and what was found in it.

    `awaiting`: of each partition the first record that cannot be read yet. It and those behind it leave the portion.
    """

    records: Fetched = field(default_factory=Fetched)
    screening: Screening = field(default_factory=Screening)
    cases: Sequence[Case] = ()
    letters: Sequence[DeadLetter] = ()
    awaiting: dict[Delivery, tuple[Record, Awaited]] = field(default_factory=dict)

    def waits(self, record: Record) -> bool:
        """Whether it, or one before it in its partition, cannot be read yet."""
        first = self.awaiting.get(record.delivery)
        return first is not None and record.position.offset >= first[0].position.offset


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """What of a portion tells a flood: its `records`, or where none of them need be looked at only how many there were."""

    by_topic: Mapping[str, int]
    records: Sequence[Record] = ()


@dataclass(slots=True, kw_only=True)
class Batch:
    """Of what concerns nobody no more is left than the offsets: the records themselves are let go of at once.

    `portion`: the latest, which may be still to be read; `count`: how many records were read. `ends`: the offset after the
    last one of each delivery. `unjudged`: what may belong to a flood. `turns`: those of the cases that are not durable yet;
    `written`: the first of these, until it is. `set_aside`: whether there were letters. `before`: the batch before, as long
    as that is not done. `done`: nothing of it need be read again.
    """

    before: "Batch | None" = None
    portion: Portion = field(default_factory=Portion)
    count: int = 0
    ends: dict[Delivery, int] = field(default_factory=dict)
    cases: list[Case] = field(default_factory=list)
    turns: list[list[Case]] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    unjudged: list[Read] = field(default_factory=list)
    set_aside: bool = False
    written: Written | None = None
    done: bool = False

    @property
    def is_on_its_way(self) -> bool:
        """Whether only the disk is to be waited for."""
        return self.written is not None and self.written.recording is not None

    @property
    def in_hand(self) -> int:
        """How many records are not done with, those of the batch before included."""
        before = 0 if self.before is None else self.before.in_hand
        return before if self.done else before + self.count + len(self.portion.records)

    def take_in(self, *, each_is_judged: bool) -> Portion:
        """All of the portion was read; what is not needed any more is let go of."""
        portion, self.portion = self.portion, Portion()
        self.count += len(portion.records)
        self.ends.update(portion.records.ends)
        self.cases += portion.cases
        self.letters += portion.letters
        judged = portion.records if portion.letters or each_is_judged else ()
        self.unjudged.append(Read(by_topic=portion.records.by_topic, records=judged))
        return portion

    def keep(self, belongs: Callable[[Record], bool]) -> None:
        """Only what comes of these records is left, but for what is only counted; offsets of others tell nobody anything."""
        self.portion.records = Fetched([*filter(belongs, self.portion.records)])
        self.cases = [case for case in self.cases if belongs(case.record)]
        left = ([case for case in turn if belongs(case.record)] for turn in self.turns)
        self.turns = [turn for turn in left if turn]
        self.letters = [letter for letter in self.letters if belongs(letter.record)]
        self.unjudged = [
            Read(by_topic={}, records=[*filter(belongs, read.records)]) if read.records else read
            for read in self.unjudged
        ]
