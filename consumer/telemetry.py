"""Every log line, metric and span of Avviso: their names, keys and units in one place."""

import enum
import json
import logging
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import TextIO, TypedDict, Unpack

from opentelemetry import metrics, trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_LOGGER = logging.getLogger("avviso")
_VALUE_CHARACTERS_MAX = 2000


class Line(enum.StrEnum):
    """What a log line can be about. An alarm is a line of level ERROR: somebody should look now."""

    # The process
    STARTED = "started"
    STOPPING = "stopping"
    STOPPED = "stopped"
    BROKEN = "broken"  # cannot go on; the exit code tells which way
    CRASHED = "crashed"  # a defect of ours: type and place of the exception, never its message
    FOREIGN = "foreign"  # a library's own line, without its text
    # Intake
    PARTITIONS_ASSIGNED = "partitions_assigned"
    PARTITIONS_REVOKED = "partitions_revoked"
    PARTITIONS_LOST = "partitions_lost"
    OFFSET_OUT_OF_RANGE = "offset_out_of_range"  # alarm: records may be gone
    TOPIC_RECREATED = "topic_recreated"  # alarm: what it held before is gone; it is read from its new beginning
    COMMIT_REFUSED = "commit_refused"
    KAFKA_TROUBLE = "kafka_trouble"  # alarm where access is refused or a topic is missing
    INTAKE_PAUSED = "intake_paused"
    INTAKE_RESUMED = "intake_resumed"
    PARTITION_WAITING = "partition_waiting"  # for a writer's schema; alarm where its alerts become late by that
    PARTITION_GOES_ON = "partition_goes_on"
    DEAD_LETTER = "dead_letter"
    DEAD_LETTERS_ACCEPTED = "dead_letters_accepted"  # an operator said up to where they are no flood
    FLOOD_PASSED = "flood_passed"  # records can be read again where a flood of undecodable ones had stopped it
    OUTBOX_FILLING = "outbox_filling"  # alarm, long before intake waits: bytes used, or free on its disk
    OUTBOX_FULL = "outbox_full"  # alarm: intake waits until more is sent, or there is more room
    OUTBOX_RELIEVED = "outbox_relieved"
    PREFERENCES_WAITING = "preferences_waiting"
    PREFERENCES_READY = "preferences_ready"
    TOPIC_UNTOLD = "topic_untold"  # its id, or how long it keeps tombstones: what the README says is assumed
    PREFERENCES_REBUILT = "preferences_rebuilt"  # the table does not fit its topic and is read anew, beside the old one
    PREFERENCES_REPLACED = "preferences_replaced"  # what was read anew has taken the old one's place
    PREFERENCES_SHRUNKEN = "preferences_shrunken"  # alarm: it holds too few customers for that; an operator must decide
    PREFERENCES_ACCEPTED = "preferences_accepted"  # an operator said that so few may take the place of so many
    PREFERENCES_SPREAD = "preferences_spread"  # alarm: partitions were added, so a customer may have records in two
    PREFERENCES_FILLING = "preferences_filling"  # alarm, long before the table is full and the process ends
    PREFERENCES_FLOODED = (
        "preferences_flooded"  # alarm: too many to be set aside cannot be read; the table stands still
    )
    PREFERENCE_REFUSED = "preference_refused"  # alarm: it is a dead letter, and suspends its customer
    # Dispatch
    NOTICE_RECORDED = "notice_recorded"
    NOTICE_SETTLED = "notice_settled"
    CLAIM_DROPPED = "claim_dropped"  # it went to another, or the outbox was away: nothing of it was sent twice
    ATTEMPT_UNSETTLED = "attempt_unsettled"  # alarm: perhaps sent, and never written down: match it by hand
    NOTICE_WITHOUT_PHONE = "notice_without_phone"  # alarm: a mandatory notice that nobody can receive
    NOTICE_UNTOLD = "notice_untold"  # alarm: it was mandatory, or SNS was waited for in vain, and nobody was told
    NOTICE_HELD = "notice_held"  # alarm: perhaps told, perhaps not, and nothing will settle it by itself
    DISPATCH_PAUSED = "dispatch_paused"  # alarm where the provider or the configuration is broken
    DISPATCH_RESUMED = "dispatch_resumed"
    SWEPT = "swept"  # alarm where notices are held since


class Fields(TypedDict, total=False):
    """The only keys that a log line may carry besides `at`, `level` and `line`. None of them can hold what is private."""

    what: str
    code: str
    reason: str
    fault: str
    state: str
    topic: str
    partition: int
    offset: int
    schema: str
    notice_id: int
    kind: str
    fence: int
    attempts: int
    parts: int
    message_id: str
    request_id: str
    records: int
    letters: int
    notices: int
    cancelled: int
    leases_lost: int
    doubts: int
    expired: int
    resent: int
    held: int
    due: int
    used_bytes: int
    free_bytes: int
    customers: int
    customers_before: int
    remedy: str
    lag_records: int
    partitions: str
    version: str
    exit_code: int
    logger: str
    error: str
    where: str
    url: str
    trace_id: str


_KEYS = frozenset(Fields.__annotations__)


def log(line: Line, level: int = logging.INFO, **fields: Unpack[Fields]) -> None:
    """Write one JSON line. mypy refuses a key that is not in `Fields`; at run time it would be left out."""
    _LOGGER.log(level, line.value, extra={"fields": fields})


def alarm(line: Line, **fields: Unpack[Fields]) -> None:
    """Write one line that somebody should look at now, and count it."""
    ALARMS.add(1, {"line": line.value})
    log(line, logging.ERROR, **fields)


class _JsonLines(logging.Formatter):
    """Avviso's own lines by the allow-list; of a library's line only who spoke and how loud: its text may hold anything."""

    def format(self, record: logging.LogRecord) -> str:
        fields: Mapping[str, object] = getattr(record, "fields", {})
        ours = record.name == _LOGGER.name
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "line": record.getMessage() if ours else Line.FOREIGN.value,
        }
        if not ours:
            fields = {"logger": record.name}
        line |= {key: _printable(value) for key, value in fields.items() if key in _KEYS and value is not None}
        return json.dumps(line, ensure_ascii=True)


def _printable(value: object) -> object:
    if isinstance(value, (bool, int, float)):
        return value
    return str(value)[:_VALUE_CHARACTERS_MAX]


def configure_logging(stream: TextIO, level: int = logging.INFO) -> None:
    """Send every log line of this process to `stream`, and make uncaught exceptions such lines too, without their texts."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_JsonLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    _LOGGER.setLevel(level)
    logging.captureWarnings(capture=True)
    logging.raiseExceptions = False  # its complaint would print the arguments of the line that failed
    sys.excepthook = lambda _kind, error, trace_: crashed(error.with_traceback(trace_))
    threading.excepthook = lambda args: crashed(args.exc_value) if args.exc_value else None


def crashed(error: BaseException) -> None:
    """Log an unexpected exception: its type and where it came from, never what it says."""
    alarm(Line.CRASHED, error=type(error).__qualname__, where=_where(error.__traceback__))


def _where(trace_: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace_)[-4:]
    return " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))


_METER = metrics.get_meter("avviso")

# Intake: counted per batch, added once per distinct set of attributes.
RECORDS = _METER.create_counter("avviso.records", "{record}", "Records polled, by topic")
EVENTS = _METER.create_counter("avviso.events", "{event}", "Events decoded or screened, by event_type")
DECISIONS = _METER.create_counter(
    "avviso.decisions",
    "{decision}",
    "One per event and customer, by reason; `notify` if told, `screened` if told apart before",
)
DEAD_LETTERS = _METER.create_counter("avviso.dead_letters", "{record}", "Records set aside, by reason")
PARTITIONS_WAITING = _METER.create_gauge(
    "avviso.partitions.waiting", "{partition}", "Partitions that wait for a writer's schema"
)
NOTICES = _METER.create_counter("avviso.notices", "{notice}", "Notices recorded, by kind")
OUTBOX_DUE = _METER.create_gauge("avviso.outbox.due", "{notice}", "Notices that may be sent now, counted up to a limit")
OUTBOX_BYTES = _METER.create_gauge("avviso.outbox.size", "By", "What the outbox takes up where it lies")
OUTBOX_FREE_BYTES = _METER.create_gauge("avviso.outbox.free", "By", "What is free where the outbox lies")
PREFERENCES_BYTES = _METER.create_gauge("avviso.preferences.size", "By", "What the table of preferences takes up")
PREFERENCES_HELD = _METER.create_gauge(
    "avviso.preferences.held", "{record}", "Preferences that cannot be read, and that the table stands still at"
)
# Dispatch.
SETTLED = _METER.create_counter("avviso.settled", "{attempt}", "Claims settled, by trigger, reason and alert_class")
FAULTS = _METER.create_counter("avviso.faults", "{attempt}", "Failed attempts, by fault and code")
PARTS = _METER.create_counter("avviso.parts", "{part}", "Parts accepted by the provider, by alert_class")
PUBLISH_S = _METER.create_histogram("avviso.publish.duration", "s", "One call to the provider, by outcome")
AGE_S = _METER.create_histogram("avviso.notice.age", "s", "From the record's timestamp to the request, by alert_class")
# Everywhere.
KAFKA_ERRORS = _METER.create_counter(
    "avviso.kafka.errors", "{error}", "What the Kafka clients complain of, by client and code"
)
REGISTRY_ERRORS = _METER.create_counter(
    "avviso.registry.errors", "{error}", "Questions of intake that a registry did not answer, by what and code"
)
ALARMS = _METER.create_counter("avviso.alarms", "{alarm}", "Lines that somebody should look at, by line")

_TRACER = trace.get_tracer("avviso")
_PROPAGATOR = TraceContextTextMapPropagator()


class Span(enum.StrEnum):
    """What is traced: per notice, never per suppressed event."""

    PROCESS = "process"  # a record became a notice
    SEND = "send"  # one attempt, in the trace of the record that caused it, perhaps hours later


@contextmanager
def span(
    name: Span, *, traceparent: str | None, attributes: Mapping[str, str | int] | None = None
) -> Iterator[trace.Span]:
    """A span in the trace that `traceparent` names; the text of an exception is never recorded on it."""
    with trace.use_span(
        _started(name, traceparent, attributes),
        end_on_exit=True,
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        yield current


def point(name: Span, *, traceparent: str | None, attributes: Mapping[str, str | int]) -> None:
    """A span for what is over in no time, with nothing inside: at a third of the cost."""
    _started(name, traceparent, attributes).end()


def _started(name: Span, traceparent: str | None, attributes: Mapping[str, str | int] | None) -> trace.Span:
    context = _PROPAGATOR.extract({"traceparent": traceparent}) if traceparent else None
    kind = trace.SpanKind.CONSUMER if name is Span.PROCESS else trace.SpanKind.CLIENT
    return _TRACER.start_span(name.value, context, kind, attributes)
