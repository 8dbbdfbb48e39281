"""Connections to the source: refused ones, and sessions that have our settings or are refused."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import connectorx
import psycopg
import pytest

from exporter.errors import ExporterError, SourceError, UsageError
from exporter.source import connection as module
from exporter.source.connection import Server, connect, server_of
from exporter.source.reader_address import worker_address
from tests.support.ports import answering, closed_port, pooler

PASSWORD = "hunter2"
POOLER = "is a pooler that does not hand on our settings (options=); connect to the server itself"
NOBODY = "; Is the server running on that host and accepting TCP/IP connections?"


def refused(uri: str) -> ExporterError:
    """The error of a connection that fails; neither it nor its causes hold a password."""
    with pytest.raises(ExporterError) as error:
        connect(uri, "exporter test", lock_seconds=3)
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__ or error.value.__context__ is None
    assert PASSWORD not in str(error.value)
    return error.value


def socket_directory(uri: str) -> str:
    return parse_qs(urlsplit(uri).query)["host"][0]


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
@pytest.mark.parametrize("user", ["postgres", "postgres:p%40%2F%3A%25#?"])
def test_accepted_uris(postgres: str, scheme: str, user: str) -> None:
    """Both schemes; a password may hold anything escaped, and some characters unescaped."""
    uri = postgres.replace("postgresql://postgres", f"{scheme}://{user}")
    with connect(uri, "exporter test", lock_seconds=3) as connection:
        assert connection.execute("select current_user").fetchone() == ("postgres",)


def test_a_closed_port() -> None:
    """One attempt, and no server."""
    port = closed_port()
    error = refused(f"postgresql://u:{PASSWORD}@127.0.0.1:{port}/source")
    assert (type(error), str(error)) \
        == (SourceError, f"the source u@127.0.0.1:{port}/source: Connection refused{NOBODY}")  # fmt: skip


def test_a_socket_that_is_not_there() -> None:
    """The message names the directory."""
    error = refused(f"postgresql://u:{PASSWORD}@/source?host=/nowhere")
    assert (type(error), str(error)) == (
        SourceError,
        "the source u@/nowhere:5432/source: No such file or directory; Is the server running locally and accepting"
        " connections on that socket?",
    )


def test_a_database_that_is_not_there(postgres: str) -> None:
    """In the server's own words."""
    error = refused(postgres.replace("/postgres?", "/nothing?"))
    place = f"postgres@{socket_directory(postgres)}:5432/nothing"
    assert (type(error), str(error)) \
        == (SourceError, f'the source {place}: FATAL: database "nothing" does not exist')  # fmt: skip


def test_a_wrong_option() -> None:
    """It is refused before a server is asked."""
    error = refused(f"postgresql://u:{PASSWORD}@db.invalid/source?sslmode=requir")
    assert (type(error), error.exit_code) == (UsageError, 2)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["uri", "environment", "default"])
def test_a_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """It is given up after the connect_timeout that is set, or `CONNECT_SECONDS`."""
    monkeypatch.setattr(module, "CONNECT_SECONDS", 2 if how == "default" else 60)
    if how == "environment":
        monkeypatch.setenv("PGCONNECT_TIMEOUT", "2")
    timeout = "&connect_timeout=2" if how == "uri" else ""
    with answering(None) as port:
        error = refused(f"postgresql://u:{PASSWORD}@127.0.0.1:{port}/source?sslmode=disable{timeout}")
    assert (type(error), str(error)) \
        == (SourceError, f"the source u@127.0.0.1:{port}/source did not answer within 2 seconds")  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_a_server_without_tls(mode: str, tmp_path: Any) -> None:
    """A URI that asks for TLS does not get a connection without."""
    (tmp_path / "root.crt").touch()
    with answering(b"N") as port:
        error = refused(
            f"postgresql://u:{PASSWORD}@127.0.0.1:{port}/source?sslmode={mode}&sslrootcert={tmp_path}/root.crt"
        )
    assert (type(error), str(error)) == (
        SourceError,
        f"the source u@127.0.0.1:{port}/source: server does not support SSL, but SSL was required",
    )


def test_gss_encryption(monkeypatch: pytest.MonkeyPatch) -> None:
    """The readers have none, so it cannot be asked for, from wherever."""
    monkeypatch.setenv("PGGSSENCMODE", "require")
    error = refused("postgresql://u@db/source")
    assert (type(error), str(error)) == (
        UsageError,
        "gssencmode=require is not supported: the readers have no GSS encryption; use TLS (sslmode)",
    )


def test_a_setting_that_the_server_refuses(postgres: str) -> None:
    """It is not taken for a pooler."""
    with pytest.raises(SourceError) as error:
        connect(postgres, "exporter test", lock_seconds=10**9)
    assert str(error.value) == (
        f"the source postgres@{socket_directory(postgres)}:5432/postgres: FATAL: invalid value for parameter"
        ' "lock_timeout": "1000000000s"; HINT: Value exceeds integer range.'
    )


# Poolers -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("refuses", [False, True], ids=["drops", "refuses"])
@pytest.mark.parametrize("role", ["postgres", "documented"])
def test_a_pooler(postgres: str, role: str, refuses: bool) -> None:
    """Without them rows could be hidden and texts differ unnoticed. A role that has some of them, as the one of
    source-role.sql, does not hide it."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("create role documented login; alter role documented set row_security = off")
        connection.execute("alter role documented set default_transaction_read_only = on")
        try:
            with pooler(f"{socket_directory(postgres)}/.s.PGSQL.5432", refuses=refuses) as port:
                error = refused(f"postgresql://{role}@127.0.0.1:{port}/postgres?sslmode=disable")
        finally:
            connection.execute("drop role documented")
    assert (type(error), str(error)) == (SourceError, f"the source {role}@127.0.0.1:{port}/postgres {POOLER}")


# Which server --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("read-write", ""),
        ("primary", ""),
        ("prefer-standby", ""),
        ("read-only", ": session is not read-only"),
        ("standby", ": server is not in hot standby mode"),
    ],
)
@pytest.mark.parametrize("how", ["uri", "environment"])
def test_the_kind_of_server(
    postgres: str, wanted: str, message: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """target_session_attrs means what it means to psql: our own read-only setting does not count."""
    if how == "environment":
        monkeypatch.setenv("PGTARGETSESSIONATTRS", wanted)
    uri = f"{postgres}&target_session_attrs={wanted}" if how == "uri" else postgres
    if message:
        assert str(refused(uri)).endswith(message)
        return
    with connect(uri, "exporter test", lock_seconds=3) as connection:
        assert connection.execute("show transaction_read_only").fetchone() == ("on",)


def test_the_same_server_again(postgres: str) -> None:
    """Of a URI's servers, the one that another connection has reached."""
    port = closed_port()
    directory = socket_directory(postgres)
    uri = f"postgresql://postgres@127.0.0.1:{port},localhost:5432/postgres?host=127.0.0.1,{directory}"
    with connect(uri, "exporter test", lock_seconds=3) as connection:
        server = server_of(connection)
    assert server == Server(directory, "", 5432)
    with connect(uri.replace(directory, "/nowhere"), "exporter test", lock_seconds=3, server=server) as connection:
        assert server_of(connection) == server


@pytest.mark.parametrize("writes", [False, True], ids=["fails", "writes"])
def test_a_login_event_trigger(database: str, writes: bool) -> None:
    """It may write, for the session begins as any other; what it says when it fails may be a value."""
    body = "insert into public.log values (1)" if writes else f"raise exception '{PASSWORD}'"
    quiet = psycopg.connect(database, autocommit=True)
    quiet.execute("create table log (x int)")
    quiet.execute(f"create function note() returns event_trigger language plpgsql as $$ begin {body}; end $$".encode())
    quiet.execute("create event trigger note on login execute function note()")
    try:
        if writes:
            with connect(database, "exporter test", lock_seconds=3):
                assert quiet.execute("select count(*) from log").fetchone() == (1,)
        else:
            error = refused(database)
            assert str(error).endswith(
                ": the session was refused, probably by a login event trigger; the server's log says why"
            )
    finally:
        quiet.execute("drop event trigger note")
        quiet.close()


# Settings ------------------------------------------------------------------------------------------------------------


SETTINGS = {
    "application_name": "exporter test",
    "default_transaction_isolation": "repeatable read",
    "transaction_read_only": "on",
    "row_security": "off",
    "search_path": "pg_catalog",
    "client_encoding": "UTF8",
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "lock_timeout": "3s",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "transaction_timeout": "0",
}
CURRENT = f"select {', '.join(f'current_setting({name!r}) as {name.lower()}' for name in SETTINGS)}"


@pytest.fixture(scope="module")
def misleading(postgres: str) -> Iterator[str]:
    """The URI of a server whose role has other settings for all of these."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        for name, value in {
            **{"DateStyle": "SQL, DMY", "TimeZone": "Asia/Kolkata", "IntervalStyle": "iso_8601", "search_path": "x"},
            **{"extra_float_digits": "-3", "statement_timeout": "1min", "transaction_timeout": "1min"},
            **{"idle_in_transaction_session_timeout": "1min", "lock_timeout": "1min"},
        }.items():
            connection.execute(f"alter role postgres in database postgres set {name} = '{value}'".encode())
        yield postgres
        connection.execute("alter role postgres in database postgres reset all")


def test_the_settings_of_the_leader(misleading: str) -> None:
    """Fixed, whatever role, database and URI say; the URI's other settings stay."""
    with connect(
        f"{misleading}&options=-c%20TimeZone%3DJapan%20-c%20a.b%3Dc", "exporter test", lock_seconds=3
    ) as leader:
        assert leader.execute(CURRENT.encode()).fetchone() == tuple(SETTINGS.values())
        assert leader.execute("select current_setting('a.b')").fetchone() == ("c",)


def test_the_settings_of_a_reader(misleading: str) -> None:
    """The leader's, those of the URI too, under a name of its own."""
    with connect(
        f"{misleading}&options=-c%20TimeZone%3DJapan%20-c%20a.b%3Dc", "exporter test", lock_seconds=3
    ) as leader:
        address = worker_address(leader, "exporter test reader", lock_seconds=3)
    query = CURRENT + ", current_setting('a.b') as own"
    begin = ["begin isolation level repeatable read read only"]
    rows = connectorx.read_sql(
        address.of_reader("00c0ffee"), query, return_type="arrow", protocol="binary", pre_execution_query=begin
    ).to_pylist()
    expected = {name.lower(): value for name, value in SETTINGS.items()}
    assert rows == [expected | {"application_name": "exporter test reader 00c0ffee", "own": "c"}]
