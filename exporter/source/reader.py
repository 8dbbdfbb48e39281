"""One query by connectorx in the leader's snapshot, with its rows as an Arrow table. Runs in worker processes only."""

import re
from collections.abc import Sequence

import connectorx
import pyarrow

from exporter.errors import ExporterError, RunError, SourceError
from exporter.source.heartbeats import reader_name
from exporter.source.queries import Address
from exporter.source.unpacking import UnpackableError
from exporter.text import visible

# What connectorx's own messages contain, which it writes in English whatever the locale. They may quote rows and
# addresses, so they are never passed on. The server's are in its own language: what they mean is asked anew.
TOO_LARGE = "too large to decode"
INVALID_TEXT = re.compile("error deserializing column .* utf-8")
LOST = ("connection closed", "error communicating with the server")
OF_THE_SERVER = "db error"
NOT_CONNECTED = "timed out waiting for connection: "


class UndecodableError(RunError):
    """A datetime or date of the query is later than connectorx can decode (the year 262142), or overflows in UTC."""


class TooMuchError(RunError):
    """What a query asked for was too much for the server, or connectorx failed without a reason: less at a time may
    succeed."""


def read(
    address: Address,
    query: str,
    pre_execution: list[str],
    subject: str,
    *,
    key: Sequence[str] = (),
    packed: bool = False,
) -> pyarrow.Table:
    """The rows of a query, after the statements `pre_execution`. An error names the `subject` that is read, and a row
    by its columns `key`.

    Raises `UnpackableError` if a `packed` query cannot be read and a plain one may be or tells more,
    `UndecodableError` if the fallback query is needed, `SnapshotError` if the leader's snapshot is lost,
    `SourceError` for a text that is invalid in its encoding, `RunError` for every other failure.
    """
    try:
        table: pyarrow.Table = connectorx.read_sql(
            address.of_reader(reader_name()),
            address.marked(query),
            return_type="arrow",
            protocol="binary",
            pre_execution_query=pre_execution,
        )
    except BaseException as error:  # a panic of connectorx is not an Exception (source-facts.md)
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        failed = failure(str(error), address, query, pre_execution, subject, key)
        if packed and isinstance(failed, TooMuchError | SourceError):
            raise UnpackableError(str(failed)) from None
        raise failed from None
    return table


def failure(
    text: str, address: Address, query: str, pre_execution: list[str], subject: str, key: Sequence[str]
) -> ExporterError:
    """The error for what connectorx said of a query."""
    from exporter.source.diagnosis import diagnosis, invalid_text  # loads psycopg, which other reads do not need

    if TOO_LARGE in text:
        return UndecodableError(f"a datetime or date cannot be read (while reading {subject})")
    if INVALID_TEXT.match(text):
        return invalid_text(address, query, pre_execution, subject, key)
    if OF_THE_SERVER in text:
        return diagnosis(address, query, pre_execution, subject, key)
    if text.startswith(NOT_CONNECTED):  # for reasons of TLS or the network: no row has been read
        return RunError(f"a reader cannot connect: {visible(text.removeprefix(NOT_CONNECTED))}")
    if any(sign in text for sign in LOST):
        return RunError(f"the connection was lost (while reading {subject})")
    return TooMuchError(f"the read failed (while reading {subject})")
