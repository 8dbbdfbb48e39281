"""A network that goes wrong at a chosen moment: a proxy that knows the server's messages and counts them.

A connection is known by its number, in the order in which a run makes them, a moment by the number of a message of the
server on it (the answer to a request for encryption is one) and how many of its bytes still pass. Behind TLS there are
no messages to be seen, and all that a connection's server sends counts as one.
"""

import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from psycopg.conninfo import conninfo_to_dict

ENCRYPTION_REQUESTS = (80877103, 80877104)
BLOCK = 1 << 16
READER = re.compile(rb"exporter\\? [0-9TZ]+\\? reader")
LEADER = re.compile(rb"exporter\\? [0-9TZ]+\0|exporter\\? [0-9TZ]+ -c")


@dataclass(slots=True)
class Link:
    """One connection: its number, whose it is, and how many bytes each message of the server had."""

    number: int
    client: socket.socket
    server: socket.socket
    whose: str = "?"
    messages: list[int] = field(default_factory=list)
    sent: int = 0
    gone: threading.Event = field(default_factory=threading.Event)

    def close(self, *, reset: bool = False) -> None:
        """Ends the connection on both sides; with an RST to the client, or as usual."""
        if reset:
            with suppress(OSError):  # whoever reads has to be gone, or nothing is sent
                self.client.shutdown(socket.SHUT_RD)
            self.gone.wait(1)
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for end in (self.client, self.server):
            if not (reset and end is self.client):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            with suppress(OSError):
                end.close()


# What happens at the moment; the rest of the message follows if it returns.
Happening = Callable[["Wire", Link], None]


@dataclass(frozen=True, slots=True)
class Moment:
    """When something happens: on which connection, before which message of the server (from 0), after how many of its
    bytes."""

    connection: int
    message: int
    byte: int = 0


@dataclass
class Wire:
    """A running proxy; `uri` in place of the server's. What happens is done once, at the moment; without one, the
    connections are only recorded. `still` stops all connections, `seconds_per_byte` slows the moment's down."""

    uri: str
    address: str | tuple[str, int]
    moment: Moment | None = None
    happening: Happening | None = None
    happened: threading.Event = field(default_factory=threading.Event)
    still: threading.Event = field(default_factory=threading.Event)
    seconds_per_byte: dict[int, float] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)

    def arm(self, moment: Moment | None, happening: Happening | None, happened: threading.Event) -> None:
        """From now on, with connections counted anew, this is what happens at the moment."""
        self.calm()
        self.moment, self.happening, self.happened = moment, happening, happened

    def calm(self) -> None:
        """Closes all connections; new ones are left alone."""
        self.moment = None
        for link in self.links:
            link.gone.set()
            link.close()
        self.links = []
        self.still = threading.Event()
        self.seconds_per_byte = {}

    def accept(self, listener: socket.socket) -> None:
        """Takes connections until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.socket(socket.AF_UNIX if isinstance(self.address, str) else socket.AF_INET)
                link = Link(len(self.links), client, server)
                self.links.append(link)
                threading.Thread(target=self.serve, args=(link,), daemon=True).start()

    def serve(self, link: Link) -> None:
        """Serves a connection to its end."""
        with suppress(OSError, EOFError):
            link.server.connect(self.address)
            encrypted = self.begin(link)
            threading.Thread(target=self.pass_requests, args=(link,), daemon=True).start()
            while True:
                if encrypted:
                    self.pass_on(link, received(link.server))
                else:
                    head = exactly(link.server, 5)
                    self.pass_message(link, head + exactly(link.server, int.from_bytes(head[1:]) - 4))
        link.close()

    def begin(self, link: Link) -> bool:
        """Passes on what a client begins with; returns whether the connection is encrypted."""
        while True:
            size = exactly(link.client, 4)
            packet = size + exactly(link.client, int.from_bytes(size) - 4)
            link.server.sendall(packet)
            if int.from_bytes(packet[4:8]) not in ENCRYPTION_REQUESTS:
                link.whose = "reader" if READER.search(packet) else "leader" if LEADER.search(packet) else "other"
                return False
            answer = exactly(link.server, 1)
            self.pass_message(link, answer)
            if answer != b"N":
                link.messages.append(0)
                return True

    def pass_requests(self, link: Link) -> None:
        """Passes on what a client asks."""
        with suppress(OSError, EOFError):
            while True:
                link.server.sendall(received(link.client))
        link.gone.set()
        with suppress(OSError):
            link.server.shutdown(socket.SHUT_WR)

    def pass_message(self, link: Link, message: bytes) -> None:
        """Passes on a message of the server."""
        link.messages.append(0)
        self.pass_on(link, message)

    def pass_on(self, link: Link, data: bytes) -> None:
        """Passes on bytes of the server's current message, unless something happens in between."""
        sent, at = link.messages[-1], self.moment
        if at and (at.connection, at.message) == (link.number, len(link.messages) - 1) \
                and sent <= at.byte < sent + len(data):  # fmt: skip
            self.send(link, data[: at.byte - sent])
            data = data[at.byte - sent :]
            if self.happening and not self.happened.is_set():
                self.happened.set()
                self.happening(self, link)
        self.send(link, data)

    def send(self, link: Link, data: bytes) -> None:
        """Gives bytes to the client, as fast as it is to be."""
        link.messages[-1] += len(data)
        slow = self.seconds_per_byte.get(link.number)
        for start in range(0, len(data), 100 if slow else BLOCK):
            part = data[start : start + (100 if slow else BLOCK)]
            if self.still.is_set() or (slow and link.gone.wait(slow * len(part))):
                link.gone.wait()
                raise EOFError
            link.client.sendall(part)


def received(end: socket.socket) -> bytes:
    """The next bytes. Raises `EOFError` at the end."""
    if not (data := end.recv(BLOCK)):
        raise EOFError
    return data


def exactly(end: socket.socket, size: int) -> bytes:
    """So many bytes. Raises `EOFError` if there are fewer."""
    data = b""
    while len(data) < size:
        if not (more := end.recv(size - len(data))):
            raise EOFError
        data += more
    return data


@contextmanager
def wire(uri: str, moment: Moment | None = None, happening: Happening | None = None) -> Iterator[Wire]:
    """A proxy in front of the server of `uri`, on a free port of this machine, while the block runs."""
    parts = urlsplit(uri)
    parameters = conninfo_to_dict(uri)
    host, port = str(parameters.get("host") or "localhost"), int(parameters.get("port") or 5432)
    query = "&".join(f"{name}={value[0]}" for name, value in parse_qs(parts.query).items() if name != "host")
    address = str(Path(host) / f".s.PGSQL.{port}") if host.startswith("/") else (host, port)

    def proxy_at(own_port: int) -> Wire:
        own = f"{'127.0.0.1' if host.startswith('/') else host}:{own_port}"
        own_uri = parts._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@{own}", query=query).geturl()
        return Wire(own_uri, address, moment, happening)

    with served(proxy_at) as proxy:
        yield proxy


@contextmanager
def served(proxy_at: Callable[[int], Wire]) -> Iterator[Wire]:
    """A proxy that takes connections on a free port of this machine, by which it is made, while the block runs."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = proxy_at(listener.getsockname()[1])
        threading.Thread(target=proxy.accept, args=(listener,), daemon=True).start()
        try:
            yield proxy
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            proxy.calm()
