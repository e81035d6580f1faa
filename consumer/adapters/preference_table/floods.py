"""Whether so many preferences cannot be read that something else is wrong, and where the table stops for that."""

from collections.abc import Callable, Mapping, Sequence
from logging import WARNING
from pathlib import Path

from consumer.adapters.preference_table.reading import Found
from consumer.core.flood import Flood, FloodLimits, Place, Watch, as_offsets
from consumer.core.record import Position, Record
from consumer.telemetry import PREFERENCES_HELD, Fields, Line, alarm, log


class Floods:
    """Judges each batch of the `topic` before anything of it is written. For one thread.

    Dead letters below the `accepted` offsets are no concern; neither is what `was_written` before: a table that is read anew
    meets it again. `stops` say from which offset of a partition on none is let pass; they are written with the table.
    """

    def __init__(
        self, topic: str, limits: FloodLimits, *, accepted: Mapping[Place, int], was_written: Callable[[Record], bool]
    ) -> None:
        """Nothing was read yet."""
        self._topic = topic
        self._limits = limits
        self._accepted = accepted
        self._was_written = was_written
        self._table: Path | None = None
        self._watch = Watch(limits)
        self.stops: Mapping[int, int] = {}
        self.is_held = False

    def begin(self, table: Path, stops: Mapping[int, int]) -> None:
        """The batches that follow are for this table, where these `stops` were written; the counts of the same one go on."""
        if table != self._table:
            self._table = table
            self._stop(stops)

    def judge(self, records: Sequence[Record], found: Found) -> Flood | None:
        """The flood that the batch belongs to: then only the stops may be written. Else it counts as written."""
        if not found.letters and not found.unknown and self._watch.is_calm:
            self._watch.read({self._topic: len(records)})
            return None
        written = {letter.record.position for letter in found.letters if self._was_written(letter.record)}
        reasons = {letter.record.position: letter.reason for letter in found.letters}
        for position in written:
            del reasons[position]
        neither = written.union(found.unknown)
        judgement = self._watch.judge(
            [record.position for record in records if record.position not in neither], reasons
        )
        if judgement.flood is not None:
            self._stop({**self.stops, **{stop.partition: stop.offset for stop in judgement.flood.stops}})
            return judgement.flood
        self._watch.learn(judgement)
        if judgement.passed:
            passed = {stop.partition for stop in judgement.passed}
            self.stops = {number: offset for number, offset in self.stops.items() if number not in passed}
            log(Line.FLOOD_PASSED, partitions=as_offsets(judgement.passed))
        return None

    def hold(self, flood: Flood, *, believed: bool) -> None:
        """Say that the table stands still: loudly once until it has caught up. `believed`: what it said before counts."""
        PREFERENCES_HELD.set(flood.reasons.total())
        fields = _fields(flood, believed=believed)
        if not self.is_held:
            alarm(Line.PREFERENCES_FLOODED, **fields)
        elif not flood.again:
            log(Line.PREFERENCES_FLOODED, WARNING, **fields)
        self.is_held = True

    def over(self) -> None:
        """The table has caught up: whatever held it is mended, or accepted."""
        if self.is_held:
            PREFERENCES_HELD.set(0)
        self.is_held = False

    def _stop(self, stops: Mapping[int, int]) -> None:
        """From now on these hold, whatever was counted: the first record there decides."""
        self.stops = dict(stops)
        places = [Position(topic=self._topic, partition=number, offset=offset) for number, offset in stops.items()]
        self._watch = Watch(self._limits, stops=places, accepted=self._accepted)


def _fields(flood: Flood, *, believed: bool) -> Fields:
    first = flood.stops[0]
    return {
        "topic": flood.topic,
        "partition": first.partition,
        "offset": first.offset,
        "letters": flood.letters,
        "records": flood.records,
        "reason": flood.counts,
        "state": "believed" if believed else "not_believed",
        "remedy": (
            "mend the producer, or AVVISO_REGISTRY__URL and AVVISO_TOPICS__PREFERENCES if they name the wrong place: it "
            "looks again by itself. To set aside the records of "
            f"{flood.covered} and suspend what is optional for their customers: "
            f"avviso run --accept-dead-letters-until {flood.until}"
        ),
    }
