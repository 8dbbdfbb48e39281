"""A server that stands in for Neo4j where thousands of swaps are tried: it starts in some hundredths of a second.

It holds Neo4j's lock on a data directory, treats a store as Neo4j does (measured on 5.26.29 and 2026.09.0: without any,
it makes an empty one; one of which half is missing it leaves as it is, makes an empty directory for that, and does not
answer), and answers every query over Bolt with no rows. `stand_in.py start DATA PORT` or `stop DATA`.
"""

import fcntl
import os
import signal
import socket
import struct
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

DATABASE = "neo4j"
WHOLE = "whole"
# Of Bolt 5.0.
VERSION = bytes([0, 0, 0, 5])
HELLO, GOODBYE, RESET, RUN, BEGIN = 0x01, 0x02, 0x0F, 0x10, 0x11
SUCCESS, IGNORED, FAILURE = 0x70, 0x7E, 0x7F
UNAVAILABLE = {"code": "Neo.TransientError.General.DatabaseUnavailable", "message": "the database is not available"}


def parts(data: Path) -> tuple[Path, Path]:
    """The two directories of the store."""
    return data / "databases" / DATABASE, data / "transactions" / DATABASE


def open_store(data: Path) -> bool:
    """Whether a server can serve the store; makes an empty one where there is none."""
    there = [part.is_dir() and any(part.iterdir()) for part in parts(data)]
    for part in parts(data):
        part.mkdir(parents=True, exist_ok=True)
        if not any(there):
            (part / WHOLE).write_text("empty")
    return len(set(there)) == 1


def packed(value: object) -> bytes:
    """A value of Bolt's, as far as they are needed here."""
    if isinstance(value, dict):
        return bytes([0xA0 | len(value)]) + b"".join(packed(key) + packed(item) for key, item in value.items())
    if isinstance(value, list):
        return bytes([0x90 | len(value)]) + b"".join(map(packed, value))
    text = str(value).encode()
    return bytes([0xD0, len(text)]) + text


def message(tag: int, *fields: object) -> bytes:
    """A message in one chunk."""
    content = bytes([0xB0 | len(fields), tag]) + b"".join(map(packed, fields))
    return struct.pack(">H", len(content)) + content + b"\0\0"


def exactly(connection: socket.socket, size: int) -> bytes:
    """So many bytes. Raises `EOFError` if the connection ends before."""
    found = b""
    while len(found) < size:
        more = connection.recv(size - len(found))
        if not more:
            raise EOFError
        found += more
    return found


def tag_of_message(connection: socket.socket) -> int:
    """The kind of the next message."""
    content = b""
    while size := int.from_bytes(exactly(connection, 2), "big"):
        content += exactly(connection, size)
    return content[1] if content else 0


def answer(connection: socket.socket, *, available: bool) -> None:
    """Answers a client until it goes."""
    failed = False
    try:
        exactly(connection, 20)
        connection.sendall(VERSION)
        while (tag := tag_of_message(connection)) != GOODBYE:
            failed = failed and tag != RESET
            if failed:
                reply = message(IGNORED)
            elif tag in (BEGIN, RUN) and not available:
                failed, reply = True, message(FAILURE, UNAVAILABLE)
            elif tag == HELLO:
                reply = message(SUCCESS, {"server": "Neo4j/5.0.0", "connection_id": "1"})
            else:
                reply = message(SUCCESS, {"fields": []} if tag == RUN else {})
            connection.sendall(reply)
    except (EOFError, OSError):
        return
    finally:
        connection.close()


def serve(data: Path, port: int) -> None:
    """Serves until it is told to stop."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    with (data / "databases" / "store_lock").open("ab") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        available = open_store(data)
        with socket.socket() as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(("127.0.0.1", port))
            listening.listen()
            while True:
                connection, _ = listening.accept()
                threading.Thread(target=answer, args=[connection], kwargs={"available": available}, daemon=True).start()


def holder(data: Path) -> int:
    """The process that holds the lock; 0 if none does."""
    asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    try:
        with (data / "databases" / "store_lock").open("r+b") as lock:
            kind, *_, process = struct.unpack("hhqqi4x", fcntl.fcntl(lock, fcntl.F_GETLK, asked))
    except FileNotFoundError:
        return 0
    return 0 if kind == fcntl.F_UNLCK else int(process)


def stop(data: Path) -> None:
    """Stops the server, and waits for it."""
    while process := holder(data):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGTERM)
        time.sleep(0.01)


if __name__ == "__main__":
    if sys.argv[1] == "stop":
        stop(Path(sys.argv[2]))
    else:
        serve(Path(sys.argv[2]), int(sys.argv[3]))
