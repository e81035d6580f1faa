"""What the Kafka client may complain of, and what each complaint asks for."""

from collections.abc import Callable
from logging import WARNING

from confluent_kafka import KafkaError

from consumer.errors import Broken, ExitCode
from consumer.telemetry import KAFKA_ERRORS, Line, alarm, log

_CLIENT = "intake"
_SILENCE_S = 60.0

STOPS_A_PARTITION = frozenset(
    {KafkaError._AUTO_OFFSET_RESET, KafkaError._LOG_TRUNCATION, KafkaError.OFFSET_OUT_OF_RANGE}  # noqa: SLF001 - so named
)
"""There is nothing to read at the offset asked for: none was committed, or it is not in the topic any more."""

_NEEDS_SOMEBODY = frozenset(
    {
        KafkaError._AUTHENTICATION,  # noqa: SLF001
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
    }
)

_PASSES_WITH_A_REBALANCE = frozenset(
    {
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.STALE_MEMBER_EPOCH,
        KafkaError.FENCED_MEMBER_EPOCH,
    }
)


def is_fatal(error: KafkaError) -> bool:
    """Whether the client has ended itself. As a record's error the fatal flag is not set: the code alone tells."""
    return error.fatal() or error.code() == KafkaError._FATAL  # noqa: SLF001


def has_left(error: KafkaError | None) -> bool:
    """Whether the client has left the group by itself, as we had not polled for so long; `on_lost` comes after this."""
    return error is not None and error.code() == KafkaError._MAX_POLL_EXCEEDED  # noqa: SLF001


def broken(error: KafkaError) -> Broken:
    """The client cannot go on; `error`'s text stays here, it may quote a setting."""
    return Broken(
        f"the Kafka client has ended itself ({error.name()}); a restart joins the group anew", ExitCode.KAFKA_FATAL
    )


class Complaints:
    """Counts what the client complains of, and logs each code at most once a minute and topic: an outage says it often."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock`: monotonic seconds."""
        self._clock = clock
        self._silent_until_s: dict[tuple[str, str], float] = {}

    def take(self, error: KafkaError, topic: str = "") -> None:
        """What passes by itself is logged, what somebody must mend raises an alarm; either way the client goes on."""
        if self._counted(error, topic):
            return
        if error.code() in _NEEDS_SOMEBODY:
            alarm(Line.KAFKA_TROUBLE, what=_CLIENT, code=error.name(), topic=topic)
        else:
            log(Line.KAFKA_TROUBLE, WARNING, what=_CLIENT, code=error.name(), topic=topic)

    def take_refusal(self, error: KafkaError) -> None:
        """A commit that a rebalance overtook is dropped in silence: the offsets go with the partitions or are told again."""
        if error.code() not in _PASSES_WITH_A_REBALANCE and not self._counted(error, "commit"):
            log(Line.COMMIT_REFUSED, WARNING, code=error.name())

    def _counted(self, error: KafkaError, about: str) -> bool:
        """Count it; whether it was said not long ago."""
        KAFKA_ERRORS.add(1, {"client": _CLIENT, "code": error.name()})
        now_s, key = self._clock(), (error.name(), about)
        if now_s < self._silent_until_s.get(key, now_s):
            return True
        self._silent_until_s[key] = now_s + _SILENCE_S
        return False
