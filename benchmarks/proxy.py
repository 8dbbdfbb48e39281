"""A server far away: a TCP proxy in front of a PostgreSQL that delays, holds up and counts what passes."""

import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from psycopg.conninfo import conninfo_to_dict

BLOCK = 1 << 18
# As much may be under way on one connection: about what Linux lets a TCP window grow to.
BLOCKS_UNDER_WAY = 16


@dataclass(slots=True)
class Link:
    """One connection: the client's first packet, how many bytes the server answered, and how many round trips it took
    (requests that followed an answer)."""

    startup: bytes = b""
    answered: int = 0
    round_trips: int = 0
    asking: bool = False
    gone: threading.Event = field(default_factory=threading.Event)


# How many seconds the next block of answers is held up on a connection; infinity: it stands still.
Hold = Callable[[Link], float]


@dataclass
class Proxy:
    """A running proxy: its URI in place of the server's, and all connections that were made."""

    uri: str
    server: str | tuple[str, int]
    round_trip: float
    hold: Hold | None
    links: list[Link] = field(default_factory=list)
    sockets: list[socket.socket] = field(default_factory=list)

    def accept(self, listener: socket.socket) -> None:
        """Takes connections until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.socket(socket.AF_UNIX if isinstance(self.server, str) else socket.AF_INET)
                self.sockets += [client, server]
                server.connect(self.server)
                link = Link()
                self.links.append(link)
                for connection in (client, server):
                    with suppress(OSError):  # a unix socket has no such option
                        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                requests: queue.Queue[tuple[float, bytes]] = queue.Queue(BLOCKS_UNDER_WAY)
                start(self.take_requests, client, requests, link)
                start(self.send_requests, requests, server)
                start(self.send_answers, server, client, link)

    def take_requests(self, client: socket.socket, requests: "queue.Queue[tuple[float, bytes]]", link: Link) -> None:
        """Reads what the client sends. The requests alone are delayed, by the whole round trip: for a protocol of
        question and answer that is the same as half of it on either way, and the answers flow on untouched."""
        data = b"?"
        while data:
            data = b""
            with suppress(OSError):
                data = client.recv(BLOCK)
            link.startup = link.startup or data
            link.round_trips += bool(data) and not link.asking
            link.asking = True
            requests.put((time.monotonic() + self.round_trip, data))
        link.gone.set()

    def send_requests(self, requests: "queue.Queue[tuple[float, bytes]]", server: socket.socket) -> None:
        """Gives the client's bytes to the server when they are due."""
        with suppress(OSError):
            while True:
                due, data = requests.get()
                time.sleep(max(0.0, due - time.monotonic()))
                if not data:
                    server.shutdown(socket.SHUT_WR)
                    return
                server.sendall(data)

    def send_answers(self, server: socket.socket, client: socket.socket, link: Link) -> None:
        """Gives the server's bytes to the client, and an end to both."""
        with suppress(OSError):
            while data := server.recv(BLOCK if self.hold is None else BLOCK >> 5):
                link.asking = False
                link.answered += len(data)
                if self.hold and link.gone.wait(min(self.hold(link), threading.TIMEOUT_MAX)):
                    break
                client.sendall(data)
        for connection in (client, server):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def start(work: Callable[..., None], *arguments: object) -> None:
    threading.Thread(target=work, args=arguments, daemon=True).start()


@contextmanager
def far_away(uri: str, *, round_trip: float = 0.0, hold: Hold | None = None) -> Iterator[Proxy]:
    """A proxy in front of the server of `uri`, on a free port of 127.0.0.1, while the block runs; `round_trip` is in
    seconds."""
    parameters = conninfo_to_dict(uri)
    host, port = str(parameters.get("host") or "localhost"), int(parameters.get("port") or 5432)
    server = str(Path(host) / f".s.PGSQL.{port}") if host.startswith("/") else (host, port)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        own_port = listener.getsockname()[1]
        parts = urlsplit(uri)
        netloc = f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{own_port}"
        proxy = Proxy(parts._replace(netloc=netloc, query="").geturl(), server, round_trip, hold)
        start(proxy.accept, listener)
        try:
            yield proxy
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for connection in proxy.sockets:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
                connection.close()
