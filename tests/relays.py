"""A way from clients to a broker that can hold up or lose what members say to their coordinator, while all else flows."""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from consumer.sandbox.embedded_kafka import Api
from tests.brokers import ContainerBrokers

_ACCEPT_S = 0.1
_CHUNK_BYTES = 65_536


class Relay:
    """Knows the coordinator's connection, which librdkafka uses for nothing else, by the heartbeats that pass."""

    def __init__(self, outside: int, port: int) -> None:
        """From this port of this machine to that one."""
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", outside))
        self._listener.settimeout(_ACCEPT_S)
        self._closing = threading.Event()
        self._flowing = threading.Event()
        self._flowing.set()
        self._losing = threading.Event()
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @contextmanager
    def members_unheard(self) -> Iterator[None]:
        """As long as the block lasts; what they say then arrives at its end."""
        self._flowing.clear()
        try:
            yield
        finally:
            self._flowing.set()

    @contextmanager
    def heartbeats_lost(self) -> Iterator[None]:
        """As long as the block lasts; whatever else members say comes through."""
        self._losing.set()
        try:
            yield
        finally:
            self._losing.clear()

    def close(self) -> None:
        self._closing.set()
        self._flowing.set()
        self._threads[0].join()
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[1:]:
            thread.join()
        for one in (self._listener, *self._sockets):
            one.close()

    def _accept(self) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                client, _ = self._listener.accept()
                broker = socket.create_connection(("127.0.0.1", self._port))
                self._sockets += [client, broker]
                for pump, *ends in ((self._requests, client, broker), (_answers, broker, client)):
                    self._threads.append(threading.Thread(target=_until_cut, args=(pump, *ends)))
                    self._threads[-1].start()

    def _requests(self, client: socket.socket, broker: socket.socket) -> None:
        of_a_member = False
        while size := _exactly(client, 4):
            request = _exactly(client, struct.unpack(">i", size)[0])
            is_heartbeat = struct.unpack(">h", request[:2])[0] == Api.CONSUMER_GROUP_HEARTBEAT
            of_a_member |= is_heartbeat
            if of_a_member:
                self._flowing.wait()
            if is_heartbeat and self._losing.is_set():
                continue
            broker.sendall(size + request)


def _answers(broker: socket.socket, client: socket.socket) -> None:
    while some := broker.recv(_CHUNK_BYTES):
        client.sendall(some)


def _until_cut(pump: object, one: socket.socket, other: socket.socket) -> None:
    assert callable(pump)
    with contextlib.suppress(OSError):
        pump(one, other)
    for end in (one, other):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _exactly(one: socket.socket, size: int) -> bytes:
    """So many bytes, or none where it was cut."""
    got = b""
    while len(got) < size:
        some = one.recv(size - len(got))
        if not some:
            return b""
        got += some
    return got


@contextmanager
def relay(kafka: ContainerBrokers) -> Iterator[Relay]:
    """To this broker, from the port at which its far listener says it is."""
    way = Relay(kafka.far.outside, kafka.far.direct)
    try:
        yield way
    finally:
        way.close()
