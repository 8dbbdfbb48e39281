"""Heartbeat files: one for each worker while it reads, in a directory that the leader watches.

A file's name is the reader's, which no other has, on whichever machine it runs. Its text says what is being read, for
the progress display, and how far that is, for the watchdog: by what is in the file, not when it was written, since a
network file system may tell an old time long after a new one.
"""

import os
import re
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
NAME = re.compile("[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a worker is reading, and its progress, a text that changes whenever bytes have arrived or a read begins."""

    reading: str
    progress: str


class Reader:
    """This process as a reader: its name, by which the source knows its sessions and the leader its heartbeat file, and
    how many reads it has begun."""

    def __init__(self) -> None:
        self.name = os.urandom(4).hex()
        self.reads = 0


_reader = Reader()


def reader_name() -> str:
    """The name of this process as a reader: eight hexadecimal digits."""
    return _reader.name


def take_name(name: str) -> None:
    """From now on, this process has the name that the leader gave it."""
    _reader.name = name


def heartbeats(directory: Path) -> dict[str, Heartbeat]:
    """The heartbeat of every worker that is reading, by its name. The directory need not exist yet."""
    found = {}
    for path in sorted(directory.glob("*")):
        with suppress(OSError):  # the read ended meanwhile
            if NAME.fullmatch(path.name):
                progress, _, reading = path.read_text(encoding="utf-8").partition("\n")
                if reading:  # a file is empty for a moment before it is written
                    found[path.name] = Heartbeat(reading, progress)
    return found


@contextmanager
def heartbeat(directory: Path, reading: str) -> Iterator[None]:
    """Keeps this process's heartbeat file in a directory while the block runs, and replaces it whenever bytes have
    arrived."""
    _reader.reads += 1
    file = directory / _reader.name
    file.write_text(text_of(0, reading), encoding="utf-8")
    done, writing = threading.Event(), threading.Lock()
    threading.Thread(target=renew_until, args=(done, writing, file, reading), daemon=True).start()
    try:
        yield
    finally:
        done.set()
        with writing:
            file.unlink(missing_ok=True)


def text_of(received: int, reading: str) -> str:
    """The text of this process's heartbeat file."""
    return f"{_reader.reads} {received}\n{reading}"


def renew_until(done: threading.Event, writing: threading.Lock, file: Path, reading: str) -> None:
    """Replaces a heartbeat file about once a second if bytes have arrived. Over a slow network, a read continues long
    after the server has sent everything and counts as waiting for its client."""
    before, new = 0, file.with_name(f"{file.name}.new")
    while not done.wait(SECONDS):
        received = bytes_received()
        if received == before:
            continue
        before = received
        # The run may have ended, and its directory be gone.
        with writing, suppress(FileNotFoundError):
            if not done.is_set():
                new.write_text(text_of(received, reading), encoding="utf-8")
                new.replace(file)


def bytes_received() -> int:
    """How many bytes this process's TCP connections have received; 0 if the system does not tell. All descriptors are
    searched, because connectorx does not expose its connection."""
    total = 0
    for path in Path("/proc/self/fd").glob("*"):
        with suppress(OSError):  # closed meanwhile, or not a TCP connection
            if str(path.readlink()).startswith("socket:"):
                total += bytes_received_on(int(path.name))
    return total


def bytes_received_on(descriptor: int) -> int:
    """How many bytes a connection has received. Raises `OSError` if it is none of TCP, or the system does not tell."""
    if not hasattr(socket, "TCP_INFO"):
        raise OSError("this system does not tell")
    with socket.socket(fileno=os.dup(descriptor)) as connection:
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, BYTES_RECEIVED + 8)
    return int.from_bytes(info[BYTES_RECEIVED:], sys.byteorder)
