import json
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest

from consumer.adapters.avro import AvroDecoder
from consumer.adapters.avro.framing import SCHEMA_HEADER, guid_header
from consumer.adapters.registry import Registry
from consumer.errors import DeadLetterReason, Unavailable, Undecodable
from tests.avro import SCHEMAS, our_bytes, schema, transaction_fields
from tests.builders import record, transaction
from tests.registries import BASE_PATH, NOT_FOUND, Asked, Behaviour, Reply, ScriptedRegistry, json_reply

GUID = UUID("89791762-2336-4186-9674-299b90a802e2")
NO_SUCH_PATH = Reply(status=404)


def _server(by_guid: Behaviour, by_id: Behaviour = NOT_FOUND) -> ScriptedRegistry:
    return ScriptedRegistry(lambda asked: by_guid if "/guids/" in asked.path else by_id)


def _client(server: ScriptedRegistry, clock: Callable[[], float] = lambda: 0.0) -> Registry:
    return Registry(server.url, timeout_s=5.0, attempts_max=1, clock=clock)


def test_an_event_whose_header_names_a_guid_is_read_by_the_registrys_schema() -> None:
    reply = json_reply({"schema": json.dumps(schema()), "guid": str(GUID)})
    content = our_bytes("TransactionPosted", transaction_fields())[10:]
    with _server(reply) as server, _client(server) as registry:
        avro = AvroDecoder(schemas=SCHEMAS, registry=registry, now=lambda: datetime.now(UTC))

        events = [
            avro.decode(record(value=content, headers=((SCHEMA_HEADER, guid_header(GUID)),))),
            avro.decode(record(value=guid_header(GUID) + content)),
        ]

    assert events == [transaction(), transaction()]
    assert [asked.path for asked in server.asked] == [f"{BASE_PATH}/schemas/guids/{GUID}"]


@pytest.mark.parametrize(("by_guid", "questions"), [(NOT_FOUND, 1), (NO_SUCH_PATH, 2)], ids=["unknown", "no GUIDs"])
def test_a_guid_that_a_registry_does_not_know_is_a_dead_letter_and_asked_for_again_later(
    by_guid: Reply, questions: int
) -> None:
    now_s = [0.0]
    with _server(by_guid) as server, _client(server, lambda: now_s[0]) as registry:
        problems = [_unknown(registry), _unknown(registry)]
        asked = len(server.asked)
        server.answer = lambda _: json_reply({"schema": "{}"})
        now_s[0] = 31.0

        assert registry.by_guid(GUID) == "{}"

    assert asked == questions
    assert {(one.reason, one.schema) for one in problems} == {(DeadLetterReason.UNKNOWN_SCHEMA, str(GUID))}


def _unknown(registry: Registry) -> Undecodable:
    with pytest.raises(Undecodable) as problem:
        registry.by_guid(GUID)
    return problem.value


@pytest.mark.parametrize(
    ("by_guid", "by_id", "code"),
    [
        (NO_SUCH_PATH, NO_SUCH_PATH, "not_a_registry"),
        (NO_SUCH_PATH, Reply(status=503), "http_503"),
        (Reply(status=503), NOT_FOUND, "http_503"),
        (Reply(status=403), NOT_FOUND, "forbidden"),
    ],
)
def test_a_guid_that_nobody_could_answer_for_is_no_dead_letter(by_guid: Reply, by_id: Reply, code: str) -> None:
    with _server(by_guid, by_id) as server, _client(server) as registry, pytest.raises(Unavailable) as outage:
        registry.by_guid(GUID)

    assert outage.value.code == code


def test_an_id_and_a_guid_are_remembered_apart() -> None:
    def answer(asked: Asked) -> Reply:
        return json_reply({"schema": asked.path.rpartition("/")[2]})

    with ScriptedRegistry(answer) as server, _client(server) as registry:
        assert [registry.by_guid(GUID), registry.by_id(7), registry.by_guid(GUID)] == [str(GUID), "7", str(GUID)]

    assert len(server.asked) == 2


@pytest.mark.real
def test_a_real_registry_that_has_no_guids_yet_makes_a_dead_letter_and_no_outage(apicurio: str) -> None:
    with Registry(apicurio, timeout_s=10) as registry:
        assert _unknown(registry).reason == DeadLetterReason.UNKNOWN_SCHEMA
