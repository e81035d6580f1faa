import json
from datetime import UTC, datetime

import httpx
import pytest

from consumer.adapters.avro import AvroDecoder, Library, confluent
from consumer.adapters.registry import RegistrationRefused, Registry, register
from consumer.errors import DeadLetterReason, Unavailable, Undecodable
from tests.avro import SCHEMAS, schema, transaction_fields, without_field
from tests.brokers import fresh
from tests.builders import record, transaction

pytestmark = pytest.mark.real
LIBRARY = Library(SCHEMAS)
NAMES = ("TransactionPosted", "BalanceChanged", "AlertPreferences")


def _topics() -> dict[str, tuple[str, ...]]:
    return {fresh(name): tuple(LIBRARY.versions(name)) for name in NAMES}


def _client(url: str) -> Registry:
    return Registry(url, timeout_s=10)


def test_every_schema_gets_an_id_under_which_it_is_found(apicurio: str) -> None:
    topics = _topics()

    with _client(apicurio) as registry:
        registered = register(registry, topics)
        found = [json.loads(registry.by_id(one.schema_id)) for one in registered]

    assert [one.subject for one in registered] == [f"{topic}-value" for topic in topics]
    assert found == [schema(name) for name in NAMES]


def test_registering_again_changes_nothing(apicurio: str) -> None:
    topics = _topics()

    with _client(apicurio) as registry:
        assert register(registry, topics) == register(registry, topics)


def test_an_event_framed_with_the_registrys_id_is_read(apicurio: str) -> None:
    topics = {fresh("bank.transactions"): tuple(LIBRARY.versions("TransactionPosted"))}
    with _client(apicurio) as registry:
        (registered,) = register(registry, topics)
        decoder = AvroDecoder(schemas=SCHEMAS, registry=registry, now=lambda: datetime.now(UTC))
        value = confluent(registered.schema_id, json.dumps(schema()), transaction_fields())

        event = decoder.decode(record(value=value))

    assert event == transaction()


def test_an_id_that_the_registry_never_gave_is_a_dead_letter(apicurio: str) -> None:
    with _client(apicurio) as registry, pytest.raises(Undecodable) as problem:
        registry.by_id(2**31 - 1)

    assert problem.value.reason == DeadLetterReason.UNKNOWN_SCHEMA


def test_a_wrong_base_path_is_an_outage_and_no_dead_letter(apicurio: str) -> None:
    with _client(apicurio.removesuffix("/v7")) as registry, pytest.raises(Unavailable) as outage:
        registry.by_id(1)

    assert outage.value.code == "not_a_registry"


def test_a_version_that_breaks_the_subjects_rule_is_refused(apicurio: str) -> None:
    topic = fresh("bank.transactions")
    broken = without_field("amount")
    broken["fields"][0]["name"] = "customers"
    httpx.put(f"{apicurio}/config/{topic}-value", json={"compatibility": "FULL_TRANSITIVE"}).raise_for_status()

    with _client(apicurio) as registry, pytest.raises(RegistrationRefused) as problem:
        register(registry, {topic: [json.dumps(schema()), json.dumps(broken)]})

    assert str(problem.value).startswith(f"{topic}-value: the registry finds v2 incompatible with what it has")


def test_what_is_no_schema_is_refused_with_its_subject_and_version(apicurio: str) -> None:
    with _client(apicurio) as registry, pytest.raises(RegistrationRefused) as problem:
        register(registry, {"bank.nonsense": ["nonsense"]})

    assert str(problem.value) == "bank.nonsense-value: the registry does not take v1 (code 42201)"
