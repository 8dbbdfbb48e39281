"""Local ports where nobody listens, or something that is not PostgreSQL."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def answering(answer: bytes | None) -> Iterator[int]:
    """A local port where the first message gets this answer; none at all with None."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.recv(1024)
                if answer is not None:
                    client.sendall(answer)
                client.recv(1024)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


@contextmanager
def pooler(server: str, *, refuses: bool) -> Iterator[int]:
    """A local port through which connections reach a server's socket, as through a pooler that ignores the `options` of
    its clients, or refuses clients that have some, as PgBouncer does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):  # closed at the end
                while True:
                    client, _ = listener.accept()
                    threading.Thread(target=pool, args=(client, server, refuses), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


def pool(client: socket.socket, server: str, refuses: bool) -> None:
    """Serves one client of a pooler."""
    with client, socket.socket(socket.AF_UNIX) as behind:
        size, version = struct.unpack("!II", client.recv(8, socket.MSG_WAITALL))
        words = client.recv(size - 8, socket.MSG_WAITALL).split(b"\0")
        pairs = [pair for pair in zip(words[0::2], words[1::2], strict=False) if pair[0] != b"options"]
        if refuses and b"options" in words[0::2]:
            error = b"SFATAL\0VFATAL\0C08P01\0Munsupported startup parameter: options\0\0"
            client.sendall(b"E" + struct.pack("!I", len(error) + 4) + error)
            return
        behind.connect(server)
        message = b"".join(b"%s\0%s\0" % pair for pair in pairs if pair[0]) + b"\0"
        behind.sendall(struct.pack("!II", len(message) + 8, version) + message)
        threading.Thread(target=forward, args=(client, behind), daemon=True).start()
        forward(behind, client)


def forward(source: socket.socket, target: socket.socket) -> None:
    """Forwards what comes from one socket to the other until its end."""
    with suppress(OSError):
        while received := source.recv(1 << 16):
            target.sendall(received)


@contextmanager
def recorded(port: int) -> Iterator[tuple[int, list[bytes]]]:
    """A local port that leads to another one, and all that passes through it in either direction."""
    passed: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def copy(source: socket.socket, target: socket.socket) -> None:
            with suppress(OSError):
                while received := source.recv(1 << 16):
                    passed.append(received)
                    target.sendall(received)
                target.shutdown(socket.SHUT_WR)

        def serve() -> None:
            with suppress(OSError):  # closed at the end
                while True:
                    client, _ = listener.accept()
                    behind = socket.create_connection(("127.0.0.1", port))
                    threading.Thread(target=copy, args=(client, behind), daemon=True).start()
                    threading.Thread(target=copy, args=(behind, client), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1], passed


def closed_port() -> int:
    """A local port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
