"""Heartbeat files: one for each worker while it reads, in a directory that the leader watches.

A file's name is the worker's process id, and its text says what is being read, for the progress display; its
modification time is when bytes of the answer last arrived, for the watchdog.
"""

import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

SECONDS = 1.0
# Between what a worker reads in one query.
JOINED = ", "
# The field of Linux's `struct tcp_info` that counts received bytes, since 4.1.
BYTES_RECEIVED = 128


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a worker is reading, and when bytes of it last arrived (nanoseconds of the file system's clock)."""

    reading: str
    renewed: int


def heartbeats(directory: Path) -> dict[int, Heartbeat]:
    """The heartbeat of every worker that is reading, by its process id. The directory need not exist yet."""
    found = {}
    for path in sorted(directory.glob("*")):
        with suppress(FileNotFoundError):  # the read ended meanwhile
            if reading := path.read_text(encoding="utf-8"):  # a file is empty for a moment before it is written
                found[int(path.name)] = Heartbeat(reading, path.stat().st_mtime_ns)
    return found


@contextmanager
def heartbeat(directory: Path, reading: str) -> Iterator[None]:
    """Keeps this process's heartbeat file while the block runs, and renews it whenever bytes have arrived."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = directory / str(os.getpid())
    file.write_text(reading, encoding="utf-8")
    done = threading.Event()
    threading.Thread(target=renew_until, args=(done, file), daemon=True).start()
    try:
        yield
    finally:
        done.set()
        file.unlink(missing_ok=True)


def renew_until(done: threading.Event, file: Path) -> None:
    """Renews a heartbeat file about once a second if bytes have arrived. Over a slow network, a read continues long
    after the server has sent everything and counts as waiting for its client."""
    before = 0
    while not done.wait(SECONDS):
        received = bytes_received()
        if received != before:
            with suppress(FileNotFoundError):  # the read ended meanwhile
                os.utime(file)
        before = received


def bytes_received() -> int:
    """How many bytes this process's TCP connections have received; 0 if the system does not tell. All descriptors are
    searched, because connectorx does not expose its connection."""
    total = 0
    for path in Path("/proc/self/fd").glob("*") if hasattr(socket, "TCP_INFO") else ():
        with suppress(OSError):  # closed meanwhile, or not a TCP connection
            if str(path.readlink()).startswith("socket:"):
                with socket.socket(fileno=os.dup(int(path.name))) as connection:
                    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, BYTES_RECEIVED + 8)
                    total += int.from_bytes(info[BYTES_RECEIVED:], sys.byteorder)
    return total
