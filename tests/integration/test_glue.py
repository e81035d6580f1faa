import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import boto3
import pytest

from consumer.adapters.avro import AvroDecoder
from consumer.adapters.avro.framing import glue_compressed, glue_header
from consumer.adapters.registry import GlueSchemas
from consumer.errors import DeadLetterReason, Unavailable, Undecodable
from tests.avro import SCHEMAS, our_bytes, schema, transaction_fields
from tests.builders import record, transaction
from tests.containers import moto_container
from tests.contracts.sns_bench import forget_the_developers_aws
from tests.registries import Behaviour, HangUp, Reply, ScriptedRegistry, json_reply

REGION = "eu-south-1"
VERSION = UUID("7d1f0c3e-8b62-4a35-9f10-2b8f4a6f9c11")
SCHEMA = '{"type": "record", "name": "R", "fields": []}'
FOUND = json_reply({"SchemaVersionId": str(VERSION), "DataFormat": "AVRO", "SchemaDefinition": SCHEMA})


@pytest.fixture(autouse=True)
def _an_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    forget_the_developers_aws(monkeypatch, tmp_path)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


@pytest.mark.real
def test_an_event_that_was_written_through_glue_is_read(tmp_path: Path) -> None:
    with moto_container() as url, GlueSchemas(region=REGION, endpoint_url=url, timeout_s=10.0) as glue:
        version = _registered(url)
        avro = AvroDecoder(schemas=SCHEMAS, registry=None, glue=glue, now=lambda: datetime.now(UTC))
        content = our_bytes("TransactionPosted", transaction_fields())[10:]

        events = [
            avro.decode(record(value=glue_header(version) + content)),
            avro.decode(record(value=glue_compressed(version, content))),
        ]
        with pytest.raises(Undecodable) as problem:
            glue.by_version(uuid4())

    assert events == [transaction(), transaction()]
    assert problem.value.reason == DeadLetterReason.UNKNOWN_SCHEMA


def _registered(url: str) -> UUID:
    client = boto3.client("glue", region_name=REGION, endpoint_url=url)
    client.create_registry(RegistryName="bank")
    made = client.create_schema(
        RegistryId={"RegistryName": "bank"},
        SchemaName="TransactionPosted",
        DataFormat="AVRO",
        Compatibility="FULL_ALL",
        SchemaDefinition=json.dumps(schema()),
    )
    client.close()
    return UUID(made["SchemaVersionId"])


@contextmanager
def _glue(*script: Behaviour) -> Iterator[tuple[ScriptedRegistry, GlueSchemas, list[float]]]:
    left, now_s = list(script), [0.0]
    with ScriptedRegistry(lambda _: left.pop(0) if len(left) > 1 else left[0]) as server:
        endpoint = f"http://127.0.0.1:{server.server_port}"
        with GlueSchemas(region=REGION, endpoint_url=endpoint, timeout_s=5.0, clock=lambda: now_s[0]) as glue:
            yield server, glue, now_s


def _error(code: str, status: int = 400) -> Reply:
    return json_reply({"__type": code, "Message": "canary"}, status)


def test_a_version_is_asked_for_once() -> None:
    with _glue(FOUND) as (server, glue, _):
        assert [glue.by_version(VERSION) for _ in range(3)] == [SCHEMA] * 3

    (asked,) = server.asked
    assert json.loads(asked.body) == {"SchemaVersionId": str(VERSION)}
    assert asked.headers["X-Amz-Target"] == "AWSGlue.GetSchemaVersion"


def test_an_unknown_version_is_a_dead_letter_and_asked_for_again_after_a_while() -> None:
    with _glue(_error("EntityNotFoundException"), FOUND) as (server, glue, now_s):
        problems = [_refused(glue) for _ in range(3)]
        asked = len(server.asked)
        now_s[0] = 31.0

        assert glue.by_version(VERSION) == SCHEMA

    assert asked == 1
    assert {(one.reason, one.schema) for one in problems} == {(DeadLetterReason.UNKNOWN_SCHEMA, str(VERSION))}


def _refused(glue: GlueSchemas) -> Undecodable:
    with pytest.raises(Undecodable) as problem:
        glue.by_version(VERSION)
    return problem.value


@pytest.mark.parametrize(
    "answer",
    [
        {"DataFormat": "PROTOBUF", "SchemaDefinition": "syntax = 'proto3';"},
        {"DataFormat": "AVRO", "SchemaDefinition": SCHEMA + " " * 262_144},
    ],
    ids=["not Avro", "too long"],
)
def test_a_schema_that_cannot_be_read_with_is_refused(answer: dict[str, str]) -> None:
    with _glue(json_reply(answer)) as (_, glue, _):
        problem = _refused(glue)

    assert problem.reason == DeadLetterReason.SCHEMA_REFUSED


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (_error("AccessDeniedException"), "AccessDeniedException"),
        (_error("ExpiredTokenException"), "ExpiredTokenException"),
        (_error("canary +39 340"), "refused"),
        (json_reply({"DataFormat": "AVRO"}), "not_a_registry"),
        (json_reply({}), "not_a_registry"),
        (json_reply({"DataFormat": ["AVRO"], "SchemaDefinition": SCHEMA}), "not_a_registry"),
        (json_reply({"__type": ["canary"]}, 400), "not_a_registry"),
        (json_reply([1]), "not_a_registry"),
        (json_reply("canary"), "not_a_registry"),
        (Reply(body=b""), "not_a_registry"),
        (Reply(body=b"<html>please log in</html>"), "not_a_registry"),
        (Reply(body=b"\xff\xfe"), "not_a_registry"),
        (Reply(status=400, body=b"\xff\xfe"), "not_a_registry"),
        (Reply(status=500, body=b"\xff\xfe"), "not_a_registry"),
        (Reply(body=b"[" * 100_000), "not_a_registry"),
        (HangUp(), "ConnectionClosedError"),
    ],
)
def test_what_keeps_glue_from_answering_is_no_dead_letter_and_is_over_when_it_is(
    behaviour: Behaviour, code: str
) -> None:
    with _glue(behaviour) as (server, glue, _):
        with pytest.raises(Unavailable) as outage:
            glue.by_version(VERSION)
        server.answer = lambda _: FOUND

        assert glue.by_version(VERSION) == SCHEMA

    assert (outage.value.what, outage.value.code) == ("glue", code)
    assert "canary" not in str(outage.value)
