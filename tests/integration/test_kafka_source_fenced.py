"""A member that its group has shut out joins again where it may, and ends where it must; it commits nothing either way."""

import time
from collections.abc import Callable

import pytest
from confluent_kafka import KafkaError

from consumer.core.record import Fetched, Record
from consumer.errors import Broken, ExitCode
from consumer.sandbox.embedded_kafka import Api, EmbeddedKafka
from tests.brokers import EmbeddedBrokers, Kafka, committed, fresh, fresh_topic, produce
from tests.members import COOPERATIVE, KIP_848, Member

OpenMember = Callable[..., Member]
NAMED = {"group.instance.id": "ada"}
LEAVING_S = 4.0
BUSY_S = 1.0


@pytest.fixture
def brokers(cluster: EmbeddedKafka) -> EmbeddedBrokers:
    cluster.hear_members_every(200)
    return EmbeddedBrokers(cluster)


def has_committed_one_of_two(brokers: EmbeddedBrokers, one: Member) -> None:
    produce(brokers, "events", b"a", b"b")
    one.receive(2)
    tells(one, one.received[:1])
    one.poll_until(lambda: not one.source._partitions.unconfirmed(one.source._partitions.keys))
    assert committed(brokers, "group", "events") == 1


def tells(one: Member, records: list[Record]) -> None:
    """Kafka, that these are done with."""
    one.source.processed(Fetched(records).ends)
    one.now_s += 10.0
    one.source.commit()


@pytest.mark.parametrize(
    ("protocol", "api", "code"),
    [
        pytest.param(COOPERATIVE, Api.HEARTBEAT, KafkaError.UNKNOWN_MEMBER_ID, id="cooperative"),
        pytest.param(KIP_848, Api.CONSUMER_GROUP_HEARTBEAT, KafkaError.UNKNOWN_MEMBER_ID, id="kip848"),
        pytest.param(KIP_848, Api.CONSUMER_GROUP_HEARTBEAT, KafkaError.FENCED_MEMBER_EPOCH, id="kip848-fenced"),
    ],
)
def test_who_was_shut_out_commits_nothing_of_what_it_had_and_joins_again(
    cluster: EmbeddedKafka,
    brokers: EmbeddedBrokers,
    caplog: pytest.LogCaptureFixture,
    protocol: dict[str, str],
    api: Api,
    code: int,
) -> None:
    with Member(brokers, "group", "events", settings=protocol) as one:
        has_committed_one_of_two(brokers, one)
        old = list(one.received)

        cluster.refuse(api, code)
        one.receive(3)
        owned = [one.source.owns(record) for record in one.received]
        tells(one, old)
        one.poll(0.3)
        offset = committed(brokers, "group", "events")
        one.source.processed(Fetched(one.received[2:]).ends)

    assert one.values == [b"a", b"b", b"b"]
    assert owned == [False, False, True]
    assert (offset, committed(brokers, "group", "events")) == (1, 2)
    assert sum(entry.getMessage() == "partitions_lost" for entry in caplog.records) == 1


@pytest.mark.parametrize("code", [KafkaError.UNKNOWN_MEMBER_ID, KafkaError.FENCED_MEMBER_EPOCH])
def test_with_kip_848_only_the_group_shuts_out_and_a_commit_that_is_refused_is_made_again(
    cluster: EmbeddedKafka, brokers: EmbeddedBrokers, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    with Member(brokers, "group", "events", settings=KIP_848) as one:
        has_committed_one_of_two(brokers, one)
        cluster.refuse(Api.OFFSET_COMMIT, code)

        tells(one, one.received)
        one.poll_until(lambda: one.source._partitions.untold() != {})
        tells(one, one.received)

        one.poll_until(lambda: committed(brokers, "group", "events") == 2)
    assert {entry.getMessage() for entry in caplog.records if entry.name == "avviso"} <= {
        "partitions_assigned",
        "partitions_revoked",
    }


@pytest.mark.parametrize(
    ("protocol", "api", "code"),
    [
        pytest.param(COOPERATIVE, Api.HEARTBEAT, KafkaError.FENCED_INSTANCE_ID, id="cooperative"),
        pytest.param(COOPERATIVE, Api.OFFSET_COMMIT, KafkaError.FENCED_INSTANCE_ID, id="cooperative-commit"),
        pytest.param(KIP_848, Api.CONSUMER_GROUP_HEARTBEAT, KafkaError.FENCED_INSTANCE_ID, id="kip848"),
        pytest.param(KIP_848, Api.CONSUMER_GROUP_HEARTBEAT, KafkaError.UNRELEASED_INSTANCE_ID, id="kip848-unreleased"),
    ],
)
def test_who_was_shut_out_for_good_ends_soon_with_its_own_code_and_commits_nothing_more(
    cluster: EmbeddedKafka, brokers: EmbeddedBrokers, protocol: dict[str, str], api: Api, code: int
) -> None:
    with Member(brokers, "group", "events", settings=protocol | NAMED) as one:
        has_committed_one_of_two(brokers, one)

        cluster.refuse(api, code)
        one.source.processed(Fetched(one.received).ends)
        if api is Api.OFFSET_COMMIT:
            tells(one, one.received)
        with pytest.raises(Broken, match="joins the group anew") as end:
            one.poll_until(lambda: len(one.received) > 2)
        ended_s = time.monotonic()
        one.source.close()

    assert time.monotonic() - ended_s < LEAVING_S + BUSY_S
    assert end.value.exit_code == ExitCode.KAFKA_FATAL
    assert committed(brokers, "group", "events") == 1


@pytest.mark.real
def test_with_kip_848_the_newer_one_of_two_with_one_name_ends_and_the_older_goes_on(
    kafka: Kafka, member: OpenMember
) -> None:
    topic, group = fresh_topic(kafka, "events"), fresh("group")
    produce(kafka, topic, b"a")
    older = member(group, topic, settings=KIP_848 | NAMED)
    older.receive(1)
    newer = member(group, topic, settings=KIP_848 | NAMED)

    with pytest.raises(Broken) as end:
        newer.poll_until(lambda: False, older)
    newer.source.close()
    produce(kafka, topic, b"b")

    assert older.receive(2) == [b"a", b"b"]
    assert end.value.exit_code == ExitCode.KAFKA_FATAL
