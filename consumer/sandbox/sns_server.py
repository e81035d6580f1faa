"""The HTTP and TLS side of the scripted SNS endpoint: connections that stay open, break, or end on command."""

import os
import select
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

_GARBAGE = b"this is no TLS record, whatever else it may be\r\n"
_LOOK_UP_MS = 1000


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """How to end one request: wait for the gate (seconds, or None: no limit), then write, then keep the connection or not.

    `under_tls` writes garbage beneath the TLS layer instead of `reply`.
    """

    reply: bytes
    keep_open: bool = True
    under_tls: bool = False
    gate: threading.Event | None = None
    gate_s: float | None = None


Serve = Callable[[Mapping[str, str], bytes], Exchange]


class SnsServer(ThreadingHTTPServer):
    """A thread per connection. `serve` gets headers by lower-case name and the body; `cut_unread` may end a connection."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], serve: Serve, cut_unread: Callable[[], bool], tls: ssl.SSLContext | None
    ) -> None:
        """Bind; requests are served once `serve_forever` runs."""
        self.serve = serve
        self.cut_unread = cut_unread
        self.defects: list[BaseException] = []
        self.connections = 0
        self._tls = tls
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.stopping = threading.Event()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Count the connection and serve it on a thread of its own."""
        self.connections += 1
        super().process_request(request, client_address)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Put TLS on top if asked for, and serve the connection to its end."""
        connection: socket.socket = request
        self._track(connection)
        try:
            if self._tls is not None:
                if not self.awaits_request(connection):
                    return
                connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
                self._track(connection)
                connection.settimeout(10)
                assert isinstance(connection, ssl.SSLSocket)
                connection.do_handshake()
                connection.settimeout(None)
            super().finish_request(connection, client_address)
        finally:
            self._forget(request, connection)
            connection.close()

    def awaits_request(self, connection: socket.socket) -> bool:
        """Wait for the client's next bytes without reading them; False if the connection is to end instead."""
        waiting = select.poll()
        waiting.register(connection, select.POLLIN)
        while not self.stopping.is_set():
            if waiting.poll(_LOOK_UP_MS):
                if self.cut_unread():
                    write_under_tls(connection)
                    return False
                return True
        return False

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - socketserver's own signature
        """A client that goes away is everyday; anything else is a defect of ours, shown when the endpoint stops."""
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, OSError):
            self.defects.append(error)

    def end_connections(self) -> None:
        """End every open connection, so that its thread ends."""
        self.stopping.set()
        with self._lock:
            for connection in self._open:
                _shut(connection)

    def _track(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.add(connection)

    def _forget(self, *connections: socket.socket) -> None:
        with self._lock:
            self._open.difference_update(connections)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: SnsServer

    def handle_one_request(self) -> None:
        self.close_connection = True
        if self.server.awaits_request(self.connection):
            super().handle_one_request()

    def do_POST(self) -> None:
        """Read the whole request or nothing; then do as the exchange says."""
        size = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(size)
        if len(body) < size:
            self.close_connection = True
            return
        exchange = self.server.serve({name.lower(): value for name, value in self.headers.items()}, body)
        if exchange.gate is not None:
            exchange.gate.wait(exchange.gate_s)
        if exchange.under_tls:
            write_under_tls(self.connection)
        else:
            self.wfile.write(exchange.reply)
        self.close_connection = not exchange.keep_open

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Print nothing: the log of requests is the endpoint's own."""


def write_under_tls(connection: socket.socket) -> None:
    """Send plain bytes where the peer expects a TLS record."""
    with socket.socket(fileno=os.dup(connection.fileno())) as plain:
        plain.sendall(_GARBAGE)
        _shut(plain)


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):  # the peer may have been faster
        connection.shutdown(socket.SHUT_RDWR)
