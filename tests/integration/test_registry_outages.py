import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from consumer.adapters.registry import Registry
from consumer.adapters.registry.exchange import ANSWER_BYTES_MAX
from consumer.errors import Broken, DeadLetterReason, ExitCode, Unavailable, Undecodable
from tests.registries import NOT_FOUND, Asked, Behaviour, Drip, Hang, HangUp, Reply, ScriptedRegistry, json_reply

SCHEMA = '{"type": "record", "name": "R", "fields": []}'
FOUND = json_reply({"schema": SCHEMA})
PATIENCE_S = 5.0
"""More than any answer takes on a busy machine."""
TIMEOUT_S = 0.15
"""For those that never come."""


class Bench:
    """A scripted registry, our client of it, and the client's own time: its sleeps take none."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.now_s = 1000.0
        self.slept_s: list[float] = []

    def serve(self, *script: Behaviour) -> ScriptedRegistry:
        """Each request gets the next of the script, the last one for ever."""
        left = list(script)

        def answer(_: Asked) -> Behaviour:
            return left.pop(0) if len(left) > 1 else left[0]

        return self._stack.enter_context(ScriptedRegistry(answer))

    def client(self, url: str, **changes: Any) -> Registry:
        arguments: dict[str, Any] = {
            "timeout_s": PATIENCE_S,
            "attempts_max": 3,
            "sleep": self._sleep,
            "clock": lambda: self.now_s,
        }
        return self._stack.enter_context(Registry(url, **(arguments | changes)))

    def _sleep(self, duration_s: float) -> None:
        self.slept_s.append(duration_s)
        self.now_s += duration_s


@pytest.fixture
def bench() -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(stack)


def _code(call: Callable[[], object]) -> str:
    with pytest.raises(Unavailable) as outage:
        call()
    assert outage.value.what == "registry"
    return outage.value.code


def test_a_schema_is_asked_for_once_at_the_base_path(bench: Bench) -> None:
    server = bench.serve(FOUND)
    registry = bench.client(server.url + "/")

    texts = {registry.by_id(7) for _ in range(3)}

    assert texts == {SCHEMA}
    assert [asked.path for asked in server.asked] == ["/apis/ccompat/v7/schemas/ids/7"]


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (Hang(), "timeout"),
        (Reply(body=b'{"schema": "', held_back=100), "timeout"),
        (HangUp(), "cut_off"),
        (HangUp(reset=True), "cut_off"),
        (Reply(status=500), "http_500"),
        (Reply(status=502, body=b"<html>bad gateway</html>"), "http_502"),
        (Reply(status=503), "http_503"),
        (Reply(status=429), "http_429"),
    ],
    ids=["hangs", "stops half way", "hangs up", "resets", "500", "502", "503", "429"],
)
def test_an_outage_is_tried_again_a_few_times_and_is_no_dead_letter(
    bench: Bench, behaviour: Behaviour, code: str
) -> None:
    server = bench.serve(behaviour)
    registry = bench.client(server.url, timeout_s=TIMEOUT_S if code == "timeout" else PATIENCE_S)
    started_s = time.monotonic()

    assert _code(lambda: registry.by_id(7)) == code

    assert len(server.asked) == 3
    assert bench.slept_s == [0.1, 0.2]
    assert time.monotonic() - started_s < PATIENCE_S


def test_an_answer_that_drips_is_cut_off(bench: Bench) -> None:
    server = bench.serve(Drip(every_s=TIMEOUT_S / 5))
    registry = bench.client(server.url, timeout_s=TIMEOUT_S, attempts_max=1, clock=time.monotonic)
    started_s = time.monotonic()

    assert _code(lambda: registry.by_id(7)) == "timeout"
    assert time.monotonic() - started_s < PATIENCE_S


@pytest.mark.parametrize("behaviour", [Hang(), HangUp(), Reply(status=503), Reply(status=429)])
def test_what_is_over_in_a_moment_is_not_noticed(bench: Bench, behaviour: Behaviour) -> None:
    server = bench.serve(behaviour, FOUND)
    registry = bench.client(server.url, timeout_s=0.5)

    assert registry.by_id(7) == SCHEMA


def test_an_outage_is_not_remembered(bench: Bench) -> None:
    server = bench.serve(Reply(status=503))
    registry = bench.client(server.url, attempts_max=1)
    _code(lambda: registry.by_id(7))

    server.answer = lambda _: FOUND

    assert registry.by_id(7) == SCHEMA


def test_no_attempt_begins_after_the_total_time(bench: Bench) -> None:
    server = bench.serve(Hang())
    registry = bench.client(server.url, timeout_s=TIMEOUT_S, attempts_max=100, total_s=2 * TIMEOUT_S)

    assert _code(lambda: registry.by_id(7)) == "timeout"
    assert len(server.asked) <= 3


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (Reply(status=401), "unauthorized"),
        (Reply(status=403), "forbidden"),
        (Reply(status=302, headers={"Location": "/login"}), "http_302"),
        (Reply(status=400), "http_400"),
        (Reply(body=b"<html>please log in</html>"), "not_a_registry"),
        (Reply(body=b""), "not_a_registry"),
        (Reply(body=b"\xff\xfe"), "not_a_registry"),
        (Reply(body=b"[" * 100_000), "not_a_registry"),
        (Reply(body=b"[1]"), "not_a_registry"),
        (json_reply({"id": 1}), "not_a_registry"),
        (json_reply({"schema": {"type": "record"}}), "not_a_registry"),
        (Reply(status=404, body=b"<html>no such page</html>"), "not_a_registry"),
        (json_reply({"error_code": 404, "message": "HTTP 404 Not Found"}, 404), "not_a_registry"),
        (json_reply({"status": 404, "title": "RESTEASY003210"}, 404), "not_a_registry"),
        (json_reply({"error_code": [40403]}, 404), "not_a_registry"),
        (json_reply({"error_code": {"code": 40403}}, 404), "not_a_registry"),
        (Reply(body=b" " * (ANSWER_BYTES_MAX + 1)), "answer_too_large"),
    ],
)
def test_what_no_registry_answers_stops_intake_and_is_no_dead_letter(
    bench: Bench, behaviour: Behaviour, code: str
) -> None:
    server = bench.serve(behaviour)
    registry = bench.client(server.url)

    assert _code(lambda: registry.by_id(7)) == code
    assert len(server.asked) == 1


def test_a_registry_that_nobody_runs_is_unreachable(bench: Bench) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"

        assert _code(lambda: bench.client(url).by_id(7)) == "unreachable"


@pytest.mark.parametrize(
    "url", ["", "registry:8081", "ftp://registry", "http://", "http://host:port", "http:///path", "/path"]
)
def test_what_is_no_url_stops_the_start(bench: Bench, url: str) -> None:
    with pytest.raises(Broken, match="the registry's URL is not http") as problem:
        bench.client(url)

    assert problem.value.exit_code == ExitCode.SETTINGS


def _refused(registry: Registry, schema_id: int = 7) -> Undecodable:
    with pytest.raises(Undecodable) as problem:
        registry.by_id(schema_id)
    assert problem.value.schema == str(schema_id)
    return problem.value


def test_an_unknown_id_is_asked_for_again_after_a_while(bench: Bench) -> None:
    server = bench.serve(NOT_FOUND)
    registry = bench.client(server.url, unknown_for_s=30)

    reasons = {_refused(registry).reason for _ in range(5)}
    asked_at_first = len(server.asked)
    server.answer = lambda _: FOUND
    bench.now_s += 29.9
    reasons.add(_refused(registry).reason)
    bench.now_s += 0.2

    assert registry.by_id(7) == SCHEMA
    assert reasons == {DeadLetterReason.UNKNOWN_SCHEMA}
    assert asked_at_first == 1


def test_an_id_that_no_registry_gives_is_not_asked_for(bench: Bench) -> None:
    server = bench.serve(FOUND)

    assert _refused(bench.client(server.url), 2**31).reason == DeadLetterReason.UNKNOWN_SCHEMA
    assert server.asked == []


@pytest.mark.parametrize(
    "document",
    [
        {"schema": "syntax = 'proto3';", "schemaType": "PROTOBUF"},
        {"schema": SCHEMA, "references": [{"name": "bank.Account", "subject": "account", "version": 1}]},
        {"schema": SCHEMA + " " * 262_144},
    ],
    ids=["not Avro", "not on its own", "too long"],
)
def test_a_schema_that_cannot_be_read_with_is_refused_once_for_all(bench: Bench, document: dict[str, Any]) -> None:
    server = bench.serve(json_reply(document))
    registry = bench.client(server.url)

    reasons = [_refused(registry).reason for _ in range(2)]

    assert reasons == [DeadLetterReason.SCHEMA_REFUSED] * 2
    assert len(server.asked) == 1


def test_a_registry_may_leave_open_that_a_schema_is_avro(bench: Bench) -> None:
    assert bench.client(bench.serve(json_reply({"schema": SCHEMA, "schemaType": None})).url).by_id(7) == SCHEMA


def test_so_is_how_much_all_of_them_hold(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consumer.adapters.registry.memory.CHARACTERS_MAX", 3 * len(SCHEMA))
    server = bench.serve(FOUND)
    registry = bench.client(server.url)

    for schema_id in (1, 2, 3, 4, 4, 3, 2, 1):
        registry.by_id(schema_id)

    assert [int(asked.path.rpartition("/")[2]) for asked in server.asked] == [1, 2, 3, 4, 1]


def test_the_memory_of_schemas_is_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consumer.adapters.registry.memory.SCHEMAS_MAX", 3)
    server = bench.serve(FOUND)
    registry = bench.client(server.url)

    for schema_id in (1, 2, 3, 4, 4, 3, 2, 1):
        registry.by_id(schema_id)

    assert [int(asked.path.rpartition("/")[2]) for asked in server.asked] == [1, 2, 3, 4, 1]


@pytest.mark.parametrize(
    ("access", "header"),
    [
        ({}, None),
        ({"username": "avviso", "password": "s3cret"}, "Basic YXZ2aXNvOnMzY3JldA=="),
        ({"token": "a-token"}, "Bearer a-token"),
        ({"token": "tèken"}, "Bearer t\u00c3\u00a8ken"),
    ],
)
def test_it_signs_in_as_told(bench: Bench, access: dict[str, str], header: str | None) -> None:
    server = bench.serve(FOUND)

    bench.client(server.url, **access).by_id(7)

    assert server.asked[0].headers.get("Authorization") == header


def test_nothing_of_an_answer_stands_in_what_is_raised(bench: Bench) -> None:
    server = bench.serve(Reply(status=500, body=b"customer +393401234567"), Reply(status=403, body=b"+393401234567"))
    registry = bench.client(server.url)

    with pytest.raises(Unavailable) as outage:
        registry.by_id(7)

    assert "+39" not in repr(outage.value)
    assert outage.value.__suppress_context__ or outage.value.__context__ is None
