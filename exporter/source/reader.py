"""One read: a query by connectorx in the leader's snapshot, as an Arrow table. Runs in worker processes only."""

import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

import connectorx
import pyarrow

from exporter.errors import RunError, SnapshotError
from exporter.source.queries import Address

# Signs in connectorx's messages, which may quote rows and addresses and are therefore never passed on.
REASONS = {
    "conflict with recovery": "a hot standby cancelled the read (recovery conflict); raise max_standby_streaming_delay",
    "terminating connection due to administrator": "the server's operator ended the connection",
    "terminating connection because of crash": "the server crashed",
    "shutting down": "the server is shutting down",
    "lock timeout": "a migration holds a table; try again when it is done, or raise --lock-timeout",
    "row-level security": "row-level security would hide rows; export with a role that has BYPASSRLS",
    "permission denied": "a privilege is missing; run `exporter check`",
    "out of memory": "the server is out of memory",
    "No space left": "the server's disk is full",
    "too many clients": "the server has no free connection slots; lower --workers",
    "connection slots": "the server has no free connection slots; lower --workers",
    "connection closed": "the connection was lost",
    "error communicating with the server": "the connection was lost",
    "timed out waiting for connection": "the server refused another connection",
}


class UndecodableError(RunError):
    """The read holds a datetime or date that connectorx cannot decode: it ends in the year 262142."""


def read(address: Address, query: str, pre_execution: list[str], what: str) -> pyarrow.Table:
    """The rows of a query; `what` names it in an error. Raises `RunError` for every failure of the read,
    `UndecodableError` where a fallback read can do better."""
    try:
        table: pyarrow.Table = connectorx.read_sql(
            address.of_reader(os.getpid()),
            query,
            return_type="arrow",
            protocol="binary",
            pre_execution_query=pre_execution,
        )
    except BaseException as error:  # a panic of connectorx is no Exception (source-facts.md)
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        text = str(error)
        if "too large to decode" in text or "timestamp out of range" in text:
            raise UndecodableError(f"a datetime or date cannot be read (while reading {what})") from None
        if "snapshot" in text:
            gone = f"the snapshot is gone: the leader's connection was lost (while reading {what})"
            raise SnapshotError(gone) from None
        reason = next((said for sign, said in REASONS.items() if sign in text), "the read failed")
        raise RunError(f"{reason} (while reading {what})") from None
    return table


# The field of Linux's `struct tcp_info` that counts the bytes that came in, since 4.1.
BYTES_RECEIVED = 128


def bytes_received() -> int:
    """How many bytes came in on this process's TCP connections, where the system tells; else 0. Its descriptors are all
    there is to ask: connectorx has no word for them."""
    total = 0
    for path in Path("/proc/self/fd").glob("*") if hasattr(socket, "TCP_INFO") else ():
        with suppress(OSError):  # it was closed in this moment, or is no TCP connection
            if str(path.readlink()).startswith("socket:"):
                with socket.socket(fileno=os.dup(int(path.name))) as connection:
                    sanitized_errors = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, BYTES_RECEIVED + 8)
                    total += int.from_bytes(sanitized_errors[BYTES_RECEIVED:], sys.byteorder)
    return total
