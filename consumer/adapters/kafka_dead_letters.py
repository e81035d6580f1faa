"""Records set aside in a Kafka topic of their own, as they came, with the reason beside them."""

import hashlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from consumer.core.record import Record
from consumer.errors import Unavailable
from consumer.ports import DeadLetter
from consumer.telemetry import KAFKA_ERRORS, Line, log

_WHAT = "dead letters"
_BYTES_MAX = 64 * 1024 * 1024
TIMEOUT_S = 10.0
WRITE_MARGIN_S = 2.0
_LOG_LEVEL = 2
"""Of librdkafka's own lines, unless set: what it says of lesser things comes through its error callback too, as a code."""
_OWN = {
    "enable.idempotence": True,
    "acks": "all",
    "message.max.bytes": _BYTES_MAX,  # the topic's own limit shall decide, not the client's
    "batch.num.messages": 1,  # a batch is refused as a whole: one that is too large must not take others with it
    "linger.ms": 0,
}

_Headers = list[tuple[str, str | bytes | None]]
_Form = tuple[bytes | None, bytes | None, _Headers]
"""Key, value and headers."""


class KafkaDeadLetters:
    """ports.DeadLetters: value, key and headers stay as they were; headers that begin with `avviso-` say why and whence.

    A letter that its topic refuses as too large is written again without its value, in whose place stand its size and its
    SHA-256, and where that is too large still, without key and headers. After Unavailable the same letters may be written
    again; some may then lie in the topic twice, told apart from others by `avviso-topic`, `-partition` and `-offset`.

    `settings` are librdkafka's own; `timeout_s` and WRITE_MARGIN_S bound a call to write, and with it the time between two
    polls. `clock`: monotonic seconds.
    """

    def __init__(
        self,
        settings: Mapping[str, str | int | float | bool],
        *,
        topic: str,
        version: str,
        now: Callable[[], datetime],
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is written, and nobody waited for, before the first letter."""
        self._topic = topic
        self._version = version
        self._now = now
        self._timeout_s = timeout_s
        self._clock = clock
        self._settings = {
            "client.id": "avviso",
            "log_level": _LOG_LEVEL,
            **settings,
            **_OWN,
            "delivery.timeout.ms": int(
                timeout_s * 1000
            ),  # what a write has given up on does not wait in the client for long
            "error_cb": _complain,
        }
        self._producer: Producer | None = None

    def write(self, letters: Sequence[DeadLetter]) -> None:
        """Return once the brokers have acknowledged every letter; raises Unavailable otherwise."""
        until_s = self._clock() + self._timeout_s + WRITE_MARGIN_S
        for form in (self._whole, self._without_value, self._bare):
            letters = self._send(letters, form, until_s)
            if not letters:
                return
        raise Unavailable(_WHAT, "MSG_SIZE_TOO_LARGE")

    def close(self) -> None:
        """Let go of the connection; nothing is waiting in it."""
        self._producer = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(
        self, letters: Sequence[DeadLetter], form: Callable[[DeadLetter], _Form], until_s: float
    ) -> Sequence[DeadLetter]:
        """Send all, wait for each until `until_s`; returns those that are too large in this form."""
        ends: dict[int, KafkaError | None] = {}
        producer = self._connected()
        for index, letter in enumerate(letters):
            key, value, headers = form(letter)
            try:
                producer.produce(self._topic, value, key, on_delivery=_noted(ends, index), headers=headers)
            except KafkaException as problem:
                ends[index] = problem.args[0]
            except BufferError:
                raise Unavailable(_WHAT, "queue_full") from None
        try:
            producer.flush(max(until_s - self._clock(), 0.0))
        except KafkaException as problem:
            raise self._unavailable(problem.args[0]) from None
        return [letter for index, letter in enumerate(letters) if self._too_large(ends, index)]

    def _too_large(self, ends: Mapping[int, KafkaError | None], index: int) -> bool:
        """False if the letter was acknowledged; raises Unavailable for every end but these two."""
        if index not in ends:
            raise Unavailable(_WHAT, "no_answer")
        error = ends[index]
        if error is None:
            return False
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            return True
        raise self._unavailable(error)

    def _unavailable(self, error: KafkaError) -> Unavailable:
        if error.fatal() or error.code() == KafkaError._FATAL:  # noqa: SLF001 - so named
            self._producer = None  # an idempotent producer that has lost count is of no more use
        return Unavailable(_WHAT, error.name())

    def _connected(self) -> Producer:
        if self._producer is None:
            self._producer = Producer(dict(self._settings), logger=logging.getLogger("librdkafka"))
        return self._producer

    def _whole(self, letter: DeadLetter) -> _Form:
        record = letter.record
        return record.key, record.value, [*record.headers, *self._label(letter)]

    def _without_value(self, letter: DeadLetter) -> _Form:
        record = letter.record
        return record.key, None, [*record.headers, *self._label(letter), *_stand_in(record)]

    def _bare(self, letter: DeadLetter) -> _Form:
        return None, None, [*self._label(letter), *_stand_in(letter.record)]

    def _label(self, letter: DeadLetter) -> _Headers:
        at = letter.record.position
        label = {
            "reason": letter.reason,
            "detail": letter.detail,
            "topic": at.topic,
            "partition": str(at.partition),
            "offset": str(at.offset),
            "timestamp": letter.record.timestamp.isoformat(),
            "time": self._now().isoformat(),
            "version": self._version,
        }
        if letter.schema is not None:
            label["schema"] = letter.schema
        return [(f"avviso-{name}", text.encode()) for name, text in label.items()]


def _stand_in(record: Record) -> _Headers:
    value = record.value or b""
    return [
        ("avviso-value-bytes", str(len(value)).encode()),
        ("avviso-value-sha256", hashlib.sha256(value).hexdigest().encode()),
    ]


def _noted(ends: dict[int, KafkaError | None], index: int) -> Callable[[KafkaError | None, Message], None]:
    def note(error: KafkaError | None, _: Message) -> None:
        ends[index] = error

    return note


def _complain(error: KafkaError) -> None:
    KAFKA_ERRORS.add(1, {"client": _WHAT, "code": error.name()})
    log(Line.KAFKA_TROUBLE, logging.WARNING, what=_WHAT, code=error.name())
