"""What intake says of its work: log lines, and counts that are added for many records at once."""

from collections import Counter
from collections.abc import Sequence
from logging import WARNING

from opentelemetry.metrics import Counter as Instrument

from consumer import telemetry
from consumer.batch import Portion
from consumer.core.event import event_type
from consumer.core.screen import SCREENED
from consumer.pipeline import Verdict
from consumer.ports import DeadLetter, Recorded
from consumer.telemetry import Line, log

NOTHING_RECORDED = Recorded(notices=0, cancelled=0)


def set_aside(letters: Sequence[DeadLetter]) -> None:
    """These have reached the dead-letter topic."""
    for letter in letters:
        at = letter.record.position
        log(
            Line.DEAD_LETTER,
            WARNING,
            reason=letter.reason,
            topic=at.topic,
            partition=at.partition,
            offset=at.offset,
            schema=letter.schema or "",
        )
    _add(telemetry.DEAD_LETTERS, "reason", Counter(letter.reason for letter in letters))


def recorded(verdicts: Sequence[Verdict], found: Recorded) -> None:
    """What was judged together, and what the outbox made of it."""
    _add(telemetry.DECISIONS, "reason", Counter(verdict.reason for verdict in verdicts))
    if found == NOTHING_RECORDED:
        return
    changes = (verdict.change for verdict in verdicts)
    notices = (change.notice for change in changes if change is not None and change.notice is not None)
    _add(telemetry.NOTICES, "kind", Counter(notice.kind for notice in notices))
    log(Line.NOTICE_RECORDED, notices=found.notices, cancelled=found.cancelled)


def read(portion: Portion) -> None:
    """Each record and each event counts once, whoever is to hear of it; once more where it has to be read again."""
    screening = portion.screening
    _add(telemetry.RECORDS, "topic", Counter(portion.records.by_topic))
    events = {case.record.position: event_type(case.event) for case in portion.cases}
    _add(telemetry.DECISIONS, "reason", +Counter({SCREENED: screening.customers}))
    _add(telemetry.EVENTS, "event_type", Counter(events.values()) + Counter(screening.events))


def _add(counter: Instrument, attribute: str, counts: Counter[str]) -> None:
    """One call per distinct value: an instrument costs microseconds, and most batches hold few values."""
    for value, count in counts.items():
        counter.add(count, {attribute: value})
