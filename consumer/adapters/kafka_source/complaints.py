"""What the Kafka client may complain of, and what each complaint asks for."""

from logging import WARNING

from confluent_kafka import KafkaError

from consumer.ports import Broken, ExitCode
from consumer.telemetry import KAFKA_ERRORS, Line, alarm, log

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


def broken(error: KafkaError) -> Broken:
    """The client cannot go on; `error`'s text stays here, it may quote a setting."""
    return Broken(
        f"the Kafka client has ended itself ({error.name()}); a restart joins the group anew", ExitCode.KAFKA_FATAL
    )


def complain(error: KafkaError, topic: str | None = None) -> None:
    """Count and log what passes by itself; raise an alarm for what somebody must mend. Either way the client goes on."""
    KAFKA_ERRORS.add(1, {"client": "intake", "code": error.name()})
    if error.code() in _NEEDS_SOMEBODY:
        alarm(Line.KAFKA_TROUBLE, what="intake", code=error.name(), topic=topic or "")
    else:
        log(Line.KAFKA_TROUBLE, WARNING, what="intake", code=error.name(), topic=topic or "")


def commit_refused(error: KafkaError) -> None:
    """A commit that a rebalance overtook is dropped in silence: the offsets go with the partitions or are told again."""
    if error.code() not in _PASSES_WITH_A_REBALANCE:
        KAFKA_ERRORS.add(1, {"client": "intake", "code": error.name()})
        log(Line.COMMIT_REFUSED, WARNING, code=error.name())
