"""One query: its rows as Arrow, and failures in our own words."""

import threading
from collections.abc import Iterator

import polars as pl
import psycopg
import pytest

from exporter.errors import ExporterError, LockedError, RunError, SnapshotError
from exporter.source import diagnosis
from exporter.source.connection import Connection, connect
from exporter.source.queries import Address
from exporter.source.reader import UndecodableError, read
from exporter.source.reader_address import worker_address
from exporter.source.refusals import MissingNameError
from tests.support.stalling_source import execute

SECRET = "hunter2"
ALONE = ["begin isolation level repeatable read read only"]


@pytest.fixture
def leader(source: str) -> Iterator[Connection]:
    with connect(source, "exporter test", lock_seconds=1) as connection:
        yield connection


@pytest.fixture
def address(leader: Connection) -> Address:
    return worker_address(leader, "exporter test reader", lock_seconds=1)


def failure(address: Address, query: str, pre_execution: list[str] = ALONE) -> ExporterError:
    """The error of a read; nothing of the server's text is in it or its causes."""
    with pytest.raises(ExporterError) as error:
        read(address, query, pre_execution, "guide.skills")
    assert SECRET not in str(error.value)
    assert (error.value.__cause__, error.value.__suppress_context__) == (None, True)
    return error.value


def test_rows(address: Address) -> None:
    """Types and values as they are, null apart from the empty text; a result without rows has its columns."""
    query = "select 9007199254740993::int8 as a, ''::text as b, null::text as c, true as d"
    rows = read(address, query, ALONE, "a test").to_pylist()
    assert rows == [{"a": 9007199254740993, "b": "", "c": None, "d": True}]
    empty = pl.from_arrow(read(address, f"select * from ({query}) q where false", ALONE, "a test"))
    assert isinstance(empty, pl.DataFrame)
    assert empty.schema == {"a": pl.Int64, "b": pl.String, "c": pl.String, "d": pl.Boolean}


@pytest.mark.parametrize(
    ("query", "kind", "message"),
    [
        (f"select '{SECRET}'::int as a", RunError, "the source failed (while reading guide.skills; SQLSTATE 22P02)"),
        (f"select 1/0 as {SECRET}", RunError, "the source failed (while reading guide.skills; SQLSTATE 22012)"),
        (
            f"select a from {SECRET}",
            MissingNameError,
            "a table no longer exists (a migration?); run `exporter check` (while reading guide.skills; SQLSTATE"
            " 42P01)",
        ),
    ],
)
def test_what_the_server_says_is_not_repeated(address: Address, query: str, kind: type[RunError], message: str) -> None:
    """Its texts quote cells."""
    failed = failure(address, query)
    assert (type(failed), str(failed), failed.exit_code) == (kind, message, 4)


@pytest.mark.parametrize("value", ["'294276-12-31'::timestamptz", "'5874897-12-31'::date"])
def test_times_that_cannot_be_decoded(address: Address, value: str) -> None:
    """The fallback query of the same chunk can do better."""
    assert type(failure(address, f"select {value} as at")) is UndecodableError


def test_a_snapshot_that_is_gone(address: Address) -> None:
    """It lives as long as the leader's transaction."""
    gone = [*ALONE, "set transaction snapshot '00000003-0000001B-1'"]
    assert type(failure(address, "select 1 as a", gone)) is SnapshotError


def test_a_table_that_a_migration_holds(source: str, address: Address) -> None:
    """The query waits for the lock as long as the user allows."""
    with psycopg.connect(source) as migration:
        migration.execute("lock table guide.skills in access exclusive mode")
        failed = failure(address, "select id from guide.skills")
    assert (type(failed), str(failed).partition(";")[0]) == (LockedError, "a table is locked by a migration")


def test_what_the_role_may_not_read(source: str) -> None:
    """Rows that row security would hide are an error, not a smaller table."""
    execute(source, "create role hampered login; grant usage on schema guide to hampered")
    execute(source, "grant select on guide.skills to hampered; alter table guide.skills enable row level security")
    try:
        with connect(source.replace("postgres@", "hampered@"), "exporter test", lock_seconds=1) as leader:
            address = worker_address(leader, "exporter test reader", lock_seconds=1)
            messages = [str(failure(address, f"select id from guide.{table}")) for table in ("skills", "languages")]
    finally:
        execute(source, "drop owned by hampered; drop role hampered")
    reason = "a privilege is missing, or row-level security would hide rows; run `exporter check`"
    assert messages == [f"{reason} (while reading guide.skills; SQLSTATE 42501)"] * 2


def test_a_reader_whose_session_is_ended(source: str, address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's words do not count, and the query is not read once more to its end."""
    monkeypatch.setattr(diagnosis, "LIMITS", ("set local statement_timeout = '100ms'",))
    end = (
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where wait_event = 'PgSleep' and datname = current_database()"
    )

    def terminate() -> None:
        with psycopg.connect(source, autocommit=True) as connection:
            while not connection.execute(end.encode()).fetchone():
                pass

    operator = threading.Thread(target=terminate)
    operator.start()
    failed = failure(address, "select pg_sleep(60)::text as a")
    operator.join()
    assert str(failed) in {
        "the server ended the read; its log says why (while reading guide.skills)",
        "the connection was lost (while reading guide.skills)",
    }
