"""Schema registries to test with: a real one in a container, and one that does what a test tells it."""

import contextlib
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import msgspec

from tests.brokers import docker_answers

IMAGE = "apicurio/apicurio-registry:3.3.3"
BASE_PATH = "/apis/ccompat/v7"
_STARTUP_S = 90
_OVER_S = 60.0


@contextmanager
def apicurio_container() -> Iterator[str]:
    """Apicurio with nothing in it; the URL of its Confluent-compatible API."""
    docker_answers()
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - reads its settings when imported
    from testcontainers.core.wait_strategies import HttpWaitStrategy  # noqa: PLC0415

    ready = HttpWaitStrategy(8080, f"{BASE_PATH}/subjects").for_status_code(200).with_startup_timeout(_STARTUP_S)
    with DockerContainer(IMAGE).with_exposed_ports(8080).waiting_for(ready) as container:
        yield f"http://{container.get_container_host_ip()}:{container.get_exposed_port(8080)}{BASE_PATH}"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What to answer. `held_back`: how many bytes more are promised, and never sent."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = {}
    held_back: int = 0


class Hang(msgspec.Struct, frozen=True):
    """Take the request, and say nothing until the test is over."""


class Drip(msgspec.Struct, frozen=True, kw_only=True):
    """Send one byte after the other, until the test is over."""

    every_s: float


class HangUp(msgspec.Struct, frozen=True):
    """Take the request, and close the connection: in good order, or with a reset."""

    reset: bool = False


Behaviour = Reply | Drip | Hang | HangUp


class ScriptedRegistry(ThreadingHTTPServer):
    """An HTTP server on a free port: `answer` says what it does with each request, `asked` what it was asked."""

    daemon_threads = True

    def __init__(self, answer: Callable[[Asked], Behaviour]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.asked: list[Asked] = []
        self.over = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}{BASE_PATH}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what some tests are about."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ScriptedRegistry

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = Asked(method=self.command, path=self.path, headers=dict(self.headers), body=body)
        self.server.asked.append(asked)
        behaviour = self.server.answer(asked)
        match behaviour:
            case Reply():
                self._reply(behaviour)
            case Drip(every_s=every_s):
                self._drip(every_s)
            case Hang():
                self._hang()
            case HangUp(reset=reset):
                self.close_connection = True
                if reset:
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.server.close_request(self.request)

    do_POST = do_GET  # noqa: N815 - the name that http.server looks for

    def _reply(self, reply: Reply) -> None:
        self._head(reply.status, reply.headers, len(reply.body) + reply.held_back)
        self.wfile.write(reply.body)
        self.wfile.flush()
        if reply.held_back:
            self._hang()

    def _drip(self, every_s: float) -> None:
        self._head(200, {}, 100_000)
        with contextlib.suppress(OSError):
            while not self.server.over.wait(every_s):
                self.wfile.write(b" ")
        self.close_connection = True

    def _hang(self) -> None:
        self.server.over.wait(_OVER_S)
        self.close_connection = True

    def _head(self, status: int, headers: Mapping[str, str], length: int) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        pass


def json_reply(document: object, status: int = 200) -> Reply:
    content = "application/vnd.schemaregistry.v1+json"
    return Reply(status=status, body=msgspec.json.encode(document), headers={"Content-Type": content})


NOT_FOUND = json_reply({"error_code": 40403, "message": "Schema not found"}, 404)
