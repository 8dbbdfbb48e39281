"""One query by connectorx in the leader's snapshot, with its rows as an Arrow table. Runs in worker processes only."""

import os

import connectorx
import pyarrow

from exporter.errors import LockedError, RunError, SnapshotError
from exporter.source.queries import Address

# What connectorx's messages contain, and the reason it indicates. The messages may quote rows and addresses, so they
# are never passed on.
REASONS = {
    "conflict with recovery": "a hot standby cancelled the read (recovery conflict); raise max_standby_streaming_delay",
    "terminating connection due to administrator": "an administrator of the server ended the connection",
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
    """A datetime or date of the query is later than connectorx can decode (the year 262142)."""


def read(address: Address, query: str, pre_execution: list[str], subject: str) -> pyarrow.Table:
    """The rows of a query, after the statements `pre_execution`; `subject` names what is read in an error.

    Raises `UndecodableError` if the fallback query is needed, `SnapshotError` if the leader's snapshot is lost,
    `RunError` for every other failure.
    """
    try:
        table: pyarrow.Table = connectorx.read_sql(
            address.of_reader(os.getpid()),
            query,
            return_type="arrow",
            protocol="binary",
            pre_execution_query=pre_execution,
        )
    except BaseException as error:  # a panic of connectorx is not an Exception (source-facts.md)
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        text = str(error)
        if "too large to decode" in text or "timestamp out of range" in text:
            raise UndecodableError(f"a datetime or date cannot be read (while reading {subject})") from None
        if "snapshot" in text:
            raise SnapshotError(
                f"the snapshot was lost with the leader's connection (while reading {subject})"
            ) from None
        reason = next((reason for sign, reason in REASONS.items() if sign in text), "the read failed")
        kind = LockedError if "lock timeout" in text else RunError
        raise kind(f"{reason} (while reading {subject})") from None
    return table
