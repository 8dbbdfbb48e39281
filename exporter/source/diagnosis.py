"""Why a read by connectorx failed: its errors have no SQLSTATE, and the server's words are in the server's language.

So the same query is sent again, by psycopg and in the same snapshot. Runs in worker processes only.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import psycopg

from exporter.errors import ExporterError, RunError, SnapshotError, SourceError
from exporter.model.frame import PRIMARY_KEY
from exporter.source.heartbeats import reader_name
from exporter.source.queries import Address
from exporter.source.reader import TooMuchError, UndecodableError
from exporter.source.refusals import POOLER, refusal, run_error
from exporter.source.session_settings import Connection, is_marked
from exporter.text import visible

CONNECT_SECONDS = 5
# The lock has been waited for once, and an operator who ended a read does not want it back.
LIMITS = ("set local lock_timeout = '1s'", "set local statement_timeout = '10s'")
CONFLICT = "a hot standby cancelled the read (recovery conflict?); raise max_standby_streaming_delay"
TOO_LARGE = "22008"
# A value of more than a gigabyte, or too little memory for one of less.
TOO_MUCH = frozenset({"54000", "53200"})
INVALID_TEXT = frozenset({"22021", "22P05"})


def diagnosis(
    address: Address, query: str, pre_execution: list[str], subject: str, key: Sequence[str]
) -> ExporterError:
    """The error for a query that failed for a reader; it quotes nothing but the key of a row with an invalid text."""
    try:
        with joined(address, pre_execution) as connection:
            if not is_marked(connection, address.mark):
                return RunError(f"the source {POOLER} (while reading {subject})")
            on_standby = connection.info.parameter_status("in_hot_standby") == "on"
            with suppress(psycopg.errors.QueryCanceled):
                copy(connection, address.marked(query))
    except ExporterError as error:
        return error
    except psycopg.Error as error:
        if error.sqlstate in INVALID_TEXT:
            return invalid_text(address, query, pre_execution, subject, key)
        if error.sqlstate == TOO_LARGE:
            return UndecodableError(f"a datetime or date cannot be read (while reading {subject})")
        if error.sqlstate in TOO_MUCH:
            return TooMuchError(str(run_error(error, f"reading {subject}")))
        return run_error(error, f"reading {subject}")
    cause = CONFLICT if on_standby else "the server ended the read; its log says why"
    return RunError(f"{cause} (while reading {subject})")


def invalid_text(
    address: Address, query: str, pre_execution: list[str], subject: str, key: Sequence[str]
) -> ExporterError:
    """The error for a text that is invalid in the database's encoding, with its column and the key of its row."""
    place = ""
    try:
        with joined(address, pre_execution) as connection:
            encoding = connection.info.parameter_status("server_encoding") or ""
            with suppress(psycopg.Error, LookupError):
                place = invalid_place(connection, query, encoding, key)
    except ExporterError as error:
        return error
    expected = "UTF8" if encoding == "SQL_ASCII" else encoding
    return SourceError(
        f"a text is not valid {expected}; the database's encoding is {encoding}: correct the value"
        f" (while reading {subject}{place})"
    )


def invalid_place(connection: Connection, query: str, encoding: str, key: Sequence[str]) -> str:
    """`, column …, key …` of the first text that cannot be decoded, with the primary key or else the columns `key`;
    empty if Python can decode all. Raises psycopg's errors, and `LookupError` for an encoding that Python lacks."""
    # In its own encoding the server sends texts as they are stored.
    connection.execute("select set_config('client_encoding', %s, true)", [encoding])
    codec = "utf-8" if encoding == "SQL_ASCII" else connection.info.encoding
    described = connection.execute(f"select * from ({query}) described limit 0".encode()).description or ()
    columns = [column.name for column in described]
    for line in rows(connection, query):
        row = dict(zip(columns, line.rstrip(b"\n").split(b"\t"), strict=True))
        for column, value in row.items():
            if not decodes(value, codec):
                names = (PRIMARY_KEY,) if PRIMARY_KEY in row else key
                parts = [row[name].decode("ascii", "backslashreplace") for name in names if name in row]
                named = f", key {visible(':'.join(parts))}" if parts else ""
                return f", column {visible(column)}{named}"
    return ""


def decodes(value: bytes, codec: str) -> bool:
    try:
        value.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


@contextmanager
def joined(address: Address, pre_execution: list[str]) -> Iterator[Connection]:
    """A reader's connection by psycopg, in the leader's snapshot. Raises `RunError` if it is refused, `SnapshotError`
    if the snapshot is lost."""
    try:
        uri = address.of_reader(reader_name())
        connection: Connection = psycopg.connect(
            uri, autocommit=True, connect_timeout=CONNECT_SECONDS, gssencmode="disable"
        )
    except psycopg.Error as error:
        parameters = psycopg.conninfo.conninfo_to_dict(uri)
        raise RunError(f"a reader was refused: {refusal(error, parameters, seconds=CONNECT_SECONDS)}") from None
    try:
        for statement in (*pre_execution, *LIMITS):
            connection.execute(statement.encode())
    except psycopg.Error:
        connection.close()
        raise SnapshotError(
            "a reader did not find the leader's snapshot: another server answers at its address (a failover?); run it"
            " again"
        ) from None
    with connection:
        yield connection


def copy(connection: Connection, query: str) -> None:
    """Reads a query as connectorx does, and forgets the rows. Raises psycopg's errors."""
    with connection.cursor().copy(f"copy ({query}) to stdout (format binary)".encode()) as result:
        for _ in result:
            pass


def rows(connection: Connection, query: str) -> Iterator[bytes]:
    """The rows of a query in COPY's text format. Raises psycopg's errors."""
    with connection.cursor().copy(f"copy ({query}) to stdout".encode()) as result:
        for line in result:
            yield bytes(line)
