"""Ports of this machine where nobody listens, or somebody who is no PostgreSQL."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def answering(answer: bytes | None) -> Iterator[int]:
    """A port of this machine where the first message is answered so; by nothing at all with None."""
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
def dropping_options(server: str) -> Iterator[int]:
    """A port of this machine by which one connection reaches a server's socket, as by a pooler that ignores the
    `options` of its clients."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _ = listener.accept()
            with client, socket.socket(socket.AF_UNIX) as behind:
                behind.connect(server)
                size, version = struct.unpack("!II", client.recv(8, socket.MSG_WAITALL))
                words = client.recv(size - 8, socket.MSG_WAITALL).split(b"\0")
                pairs = [pair for pair in zip(words[0::2], words[1::2], strict=False) if pair[0] != b"options"]
                said = b"".join(b"%s\0%s\0" % pair for pair in pairs if pair[0]) + b"\0"
                behind.sendall(struct.pack("!II", len(said) + 8, version) + said)
                threading.Thread(target=pass_on, args=(client, behind), daemon=True).start()
                pass_on(behind, client)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


def pass_on(one: socket.socket, other: socket.socket) -> None:
    """Passes on what one says to the other, to the end."""
    with suppress(OSError):
        while said := one.recv(1 << 16):
            other.sendall(said)


def closed_port() -> int:
    """A port of this machine where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
