"""Why a reader failed: by the SQLSTATE that the server gives for the same query, in whichever language it speaks."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest

from exporter.errors import LockedError, SnapshotError, SourceError
from exporter.source import diagnosis as module
from exporter.source.connection import Connection, connect
from exporter.source.queries import Address
from exporter.source.reader import failure, read
from exporter.source.reader_address import worker_address

BEGIN = ["begin isolation level repeatable read read only"]
SAID = "db error: FEHLER: keine Ahnung"
INVALID = "a text is not valid {}; the database's encoding is {}: correct the value (while reading guide.skills, {})"


@pytest.fixture
def leader(source: str) -> Iterator[Connection]:
    with connect(source, "exporter test", lock_seconds=1) as connection:
        yield connection


@pytest.fixture
def address(leader: Connection) -> Address:
    return worker_address(leader, "exporter test reader", lock_seconds=1)


def told(address: Address, query: str, begin: list[str] = BEGIN) -> tuple[type, str]:
    """Type and text of the error for a query of which the server has said something."""
    error = failure(SAID, address, query, begin, "guide.skills", key=["id"])
    return type(error), str(error)


def test_a_locked_table(source: str, address: Address) -> None:
    """The words are not needed."""
    with psycopg.connect(source) as migration:
        migration.execute("lock table guide.skills in access exclusive mode")
        kind, text = told(address, "select id from guide.skills")
    assert (kind, text.partition(";")[0]) == (LockedError, "a table is locked by a migration")


def test_a_snapshot_that_is_gone(address: Address) -> None:
    """It cannot be joined again."""
    gone = [*BEGIN, "set transaction snapshot '00000003-0000001B-1'"]
    assert told(address, "select 1 as a", gone)[0] is SnapshotError


def test_a_query_that_can_be_read(address: Address) -> None:
    """What ended the first read is in the server's log alone."""
    text = "the server ended the read; its log says why (while reading guide.skills)"
    assert told(address, "select 1 as a")[1] == text


def test_a_query_that_takes_long(address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not read to its end."""
    monkeypatch.setattr(module, "LIMITS", ("set local statement_timeout = '100ms'",))
    text = "the server ended the read; its log says why (while reading guide.skills)"
    assert told(address, "select pg_sleep(60)::text as a")[1] == text


def test_a_session_without_our_settings(address: Address) -> None:
    """A reader too proves that it has them."""
    other = Address(address.server, address.query, address.application, "another")
    assert read(other, "select 1 as a", BEGIN, "a test").num_rows == 0
    assert told(other, "select 1 as a")[1] == (
        "the source is a pooler that does not hand on our settings (options=); connect to the server itself"
        " (while reading guide.skills)"
    )


@pytest.mark.parametrize(
    ("encoding", "byte", "expected"),
    [("SQL_ASCII", "e9", "UTF8"), ("WIN1252", "81", "WIN1252"), ("UTF8", "e9", "UTF8")],
)
def test_a_text_that_is_invalid(postgres: str, encoding: str, byte: str, expected: str) -> None:
    """The error names table, column, key and encoding, and is not one to try again."""
    name = f"encoded_{encoding.lower()}"
    uri = urlsplit(postgres)._replace(path=f"/{name}").geturl()
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"create database {name} template template0 encoding {encoding} locale 'C'".encode())
        try:
            with psycopg.connect(uri, autocommit=True, client_encoding=encoding) as other:
                other.execute("create table skills (id int, name text)")
                other.execute("insert into skills values (6, 'good'), (7, 'secret')")
                other.execute(corruption(encoding, byte).encode())
            with connect(uri, "exporter test", lock_seconds=1) as leader:
                address = worker_address(leader, "exporter test reader", lock_seconds=1)
                with pytest.raises(SourceError) as error:
                    read(address, "select id, name from public.skills", BEGIN, "guide.skills", key=["id"])
        finally:
            connection.execute(f"drop database {name} with (force)".encode())
    assert str(error.value) == INVALID.format(expected, encoding, "column name, key 7")


def corruption(encoding: str, byte: str) -> str:
    """The statements that store the byte in the second row, past the check of its encoding where there is one."""
    if encoding != "UTF8":
        return f"update skills set name = E'caf\\x{byte}' where id = 7"
    cast = "create cast (bytea as text) without function"
    return f"{cast}; update skills set name = '\\x{byte}'::bytea::text where id = 7"
