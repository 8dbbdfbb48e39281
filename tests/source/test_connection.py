"""Connections to the source: malformed and refused ones, and readers that connect no less strictly than the leader."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import connectorx
import psycopg
import pytest

from exporter.errors import ExporterError, SourceError, UsageError
from exporter.source import connection as module
from exporter.source.connection import (
    Connection,
    connect,
    password_in,
    refusal,
    run_error,
    without_password,
    worker_address,
)
from exporter.source.queries import Address
from tests.support.ports import answering, closed_port, dropping_options

PASSWORD = "hunter2"
MALFORMED = "the source URI is malformed; "
ESCAPE = MALFORMED + "write @ : / and % in a password as %40 %3A %2F and %25"
SEE_HELP = MALFORMED + "see `exporter export --help` for its form"
NO_URI = "the source is not a postgresql:// URI; give --source postgresql://USER@HOST/DATABASE"


def refused(uri: str) -> ExporterError:
    """The error of a connection that fails; neither it nor its causes hold a password."""
    with pytest.raises(ExporterError) as error:
        connect(uri, "exporter test", lock_seconds=3)
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__ or error.value.__context__ is None
    return error.value


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        (f"mysql://u:{PASSWORD}@db/source", NO_URI),
        (f"host=db user=u password={PASSWORD}", NO_URI),
        ("", NO_URI),
        (f"postgresql://u:{PASSWORD}%zz@db/source", SEE_HELP),
        (f"postgresql://u:{PASSWORD}@[::1/source", SEE_HELP),
        (f"postgresql://u:{PASSWORD}@db/source?colour=blue", SEE_HELP),
        (f"postgresql://u:pass word {PASSWORD}@db/source", SEE_HELP),
        (f"postgresql://u:p@{PASSWORD}@db/source", ESCAPE),
        (f"postgresql://u:p/{PASSWORD}@db/source", ESCAPE),
        (f"postgresql://u:{PASSWORD}", ESCAPE),
        (f"postgres://u:{PASSWORD}@db:54x/source", ESCAPE),
    ],
)
def test_malformed_uris(uri: str, message: str) -> None:
    """They are the user's mistake; the message has nothing of the URI."""
    error = refused(uri)
    assert (type(error), str(error)) == (UsageError, message)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
@pytest.mark.parametrize("user", ["postgres", "postgres:p%40%2F%3A%25#?"])
def test_accepted_uris(postgres: str, scheme: str, user: str) -> None:
    """Both schemes; a password may hold anything escaped, and some characters unescaped."""
    uri = postgres.replace("postgresql://postgres", f"{scheme}://{user}")
    with connect(uri, "exporter test", lock_seconds=3) as connection:
        assert connection.execute("select current_user").fetchone() == ("postgres",)


def test_a_closed_port() -> None:
    """One attempt, and no server."""
    error = refused(f"postgresql://u:{PASSWORD}@127.0.0.1:{closed_port()}/source")
    assert (type(error), str(error)) \
        == (SourceError, "the source at 127.0.0.1 refused the connection: no server is listening there")  # fmt: skip


def test_a_socket_that_is_not_there() -> None:
    """The message names the directory."""
    error = refused(f"postgresql://u:{PASSWORD}@/source?host=/nowhere")
    assert (type(error), str(error)) \
        == (SourceError, "the source at /nowhere has no socket there: no server is listening")  # fmt: skip


def test_a_database_that_is_not_there(postgres: str) -> None:
    """The message has the SQLSTATE, not the server's text, which names what the user typed."""
    error = refused(postgres.replace("/postgres?", f"/{PASSWORD}?"))
    host = parse_qs(urlsplit(postgres).query)["host"][0]
    assert (type(error), str(error)) \
        == (SourceError, f"the source at {host} has no such database or user")  # fmt: skip


def test_a_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given up after `CONNECT_SECONDS`."""
    monkeypatch.setattr(module, "CONNECT_SECONDS", 2)
    with answering(None) as port:
        error = refused(f"postgresql://u:{PASSWORD}@127.0.0.1:{port}/source?sslmode=disable")
    assert (type(error), str(error)) == (SourceError, "the source at 127.0.0.1 did not answer within 2 seconds")


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_a_server_without_tls(mode: str, tmp_path: Any) -> None:
    """A URI that asks for TLS does not get a connection without."""
    (tmp_path / "root.crt").touch()
    with answering(b"N") as port:
        error = refused(
            f"postgresql://u:{PASSWORD}@127.0.0.1:{port}/source?sslmode={mode}&sslrootcert={tmp_path}/root.crt"
        )
    assert (type(error), str(error)) \
        == (SourceError, "the source at 127.0.0.1 does not speak TLS, which sslmode asks for")  # fmt: skip


def test_a_pooler_that_drops_the_settings(postgres: str) -> None:
    """Without them rows could be hidden unnoticed."""
    host = parse_qs(urlsplit(postgres).query)["host"][0]
    with dropping_options(f"{host}/.s.PGSQL.5432") as port:
        error = refused(f"postgresql://postgres@127.0.0.1:{port}/postgres?sslmode=disable")
    assert (type(error), str(error)) == (
        SourceError,
        "the source at 127.0.0.1 is a pooler that drops options=; connect to the server itself",
    )


def test_what_a_server_says_is_not_repeated() -> None:
    """A server's text may quote anything, a SQLSTATE cannot."""
    error = psycopg.errors.InvalidPassword(f'password authentication failed for user "u" with {PASSWORD}')
    assert refusal(error, {"host": "db", "password": PASSWORD}) \
        == "the source at db refused the password (set PGPASSWORD or PGPASSFILE) (SQLSTATE 28P01)"  # fmt: skip
    assert refusal(psycopg.OperationalError(f"what is {PASSWORD}?"), {}) \
        == "the source at localhost refused the connection"  # fmt: skip


def test_a_missing_root_certificate() -> None:
    """libpq's own message, which also says that something does not exist."""
    error = psycopg.OperationalError('root certificate file "/home/u/.postgresql/root.crt" does not exist')
    assert refusal(error, {"host": "db"}) \
        == "the source at db cannot be verified: the root certificate file of sslrootcert is missing"  # fmt: skip


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (psycopg.OperationalError(PASSWORD), "the connection to the source was lost"),
        (psycopg.errors.LockNotAvailable(PASSWORD), "a table is locked by a migration"),
        (psycopg.errors.DivisionByZero(PASSWORD), "the source failed"),
    ],
)
def test_a_leader_that_fails_on_the_way(error: psycopg.Error, reason: str) -> None:
    """The message has what it was doing and the SQLSTATE, never the server's text."""
    message = str(run_error(error, "counting guide.skills"))
    assert message.startswith(reason)
    assert ("counting guide.skills" in message, str(error.sqlstate or "none") in message, PASSWORD in message) \
        == (True, True, False)  # fmt: skip


def test_a_password_is_noticed() -> None:
    """In either part of a URI; a malformed one is judged elsewhere."""
    uris = ["postgresql://u:x@db/source", "postgresql://u@db/source?password=x", "postgresql://u@db/source", "p%"]
    assert [password_in(uri) for uri in uris] == [True, True, False, False]


SETTINGS = {
    "application_name": "exporter test",
    "default_transaction_isolation": "repeatable read",
    "default_transaction_read_only": "on",
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
    rows = connectorx.read_sql(address.of_reader(77), query, return_type="arrow", protocol="binary").to_pylist()
    expected = {name.lower(): value for name, value in SETTINGS.items()}
    assert rows == [expected | {"application_name": "exporter test reader 77", "own": "c"}]


def test_a_reader_has_the_leaders_address(database: str) -> None:
    """Server, database and user are the leader's, whatever needs escaping in them."""
    name = 'o\'dd "näme" /?%&='
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f'create role "{name.replace(chr(34), chr(34) * 2)}" login superuser'.encode())
    try:
        uri = psycopg.conninfo.conninfo_to_dict(database)
        escaped = "o'dd%20%22n%C3%A4me%22%20%2F%3F%25%26%3D"
        source = f"postgresql://{escaped}:{escaped}@/{uri['dbname']}?host={uri['host']}"
        with connect(source, "exporter test", lock_seconds=3) as leader:
            reader = worker_address(leader, "exporter test reader", lock_seconds=3).of_reader(1)
        table = connectorx.read_sql(reader, "select current_user::text, current_database()::text", return_type="arrow")
        assert table.to_pylist() == [{"current_user": name, "current_database": uri["dbname"]}]
    finally:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(f'drop role "{name.replace(chr(34), chr(34) * 2)}"'.encode())


def connected(*, tls: bool, used_password: bool = True, hostaddr: str = "10.0.0.7", **parameters: str) -> Connection:
    """A leader's connection as libpq describes it: the embedded server does not have TLS."""
    info = SimpleNamespace(
        host="db.example", hostaddr=hostaddr, port=5432, user="u", password=PASSWORD, dbname="source",
        get_parameters=lambda: {"options": "-c a.b=c", **parameters},
    )  # fmt: skip
    return cast(
        Connection,
        SimpleNamespace(
            info=info,
            pgconn=SimpleNamespace(ssl_in_use=tls, used_password=used_password),
            execute=lambda *_: SimpleNamespace(fetchall=lambda: []),
        ),
    )


def encryption(connection: Connection) -> dict[str, str]:
    """A reader's URI parameters besides the options."""
    address = worker_address(connection, "exporter test reader", lock_seconds=3)
    return {name: value for name, value in address.query.items() if name != "options"}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, {"sslmode": "require"}),
        ({"sslmode": "require"}, {"sslmode": "require"}),
        ({"sslmode": "require", "sslrootcert": "/ca"}, {"sslmode": "require", "sslrootcert": "/ca"}),
        ({"sslmode": "verify-ca", "sslrootcert": "/ca"}, {"sslmode": "require", "sslrootcert": "/ca"}),
        (
            {"sslmode": "verify-full", "sslrootcert": "/ca"},
            {"sslmode": "require", "sslrootcert": "/ca", "channel_binding": "require"},
        ),
        (
            {"sslcert": "/crt", "sslkey": "/key"},
            {"sslmode": "require", "sslcert": "/crt", "sslkey": "/key"},
        ),
    ],
)
def test_readers_are_as_strict_as_an_encrypted_leader(parameters: dict[str, str], expected: dict[str, str]) -> None:
    """connectorx does not have verify-full: a root certificate verifies the CA, channel binding the host."""
    assert encryption(connected(tls=True, **cast(Any, parameters))) == expected


CA_FILE = " needs sslrootcert=FILE in the source URI for the readers to verify"
SCRAM = " needs a SCRAM password: channel binding verifies the host"


@pytest.mark.parametrize(
    ("mode", "root", "used_password", "message"),
    [
        ("verify-ca", "", True, "sslmode=verify-ca" + CA_FILE),
        ("verify-full", "", True, "sslmode=verify-full" + CA_FILE),
        ("verify-full", "system", True, "sslmode=verify-full" + CA_FILE),
        ("verify-full", "/ca", False, "sslmode=verify-full" + SCRAM),
    ],
)
def test_what_readers_cannot_hold_is_refused(mode: str, root: str, used_password: bool, message: str) -> None:
    """verify-full and verify-ca are never weakened silently."""
    with pytest.raises(SourceError) as error:
        encryption(connected(tls=True, used_password=used_password, sslmode=mode, sslrootcert=root))
    assert str(error.value) == message


def test_readers_of_an_unencrypted_leader() -> None:
    """They do not ask for what the server did not offer to the leader."""
    assert encryption(connected(tls=False)) == {"sslmode": "disable"}


@pytest.mark.parametrize(
    ("hostaddr", "host"), [("10.0.0.7", "10.0.0.7"), ("2001:db8::7", "[2001:db8::7]"), ("", "db.example")]
)
def test_readers_go_to_the_very_server(hostaddr: str, host: str) -> None:
    """Of the several addresses that a name may have, the one the leader has reached."""
    address = worker_address(connected(tls=False, hostaddr=hostaddr), "exporter test reader", lock_seconds=3)
    assert address.server == f"postgresql://u:{PASSWORD}@{host}:5432/source"


def test_an_address_does_not_show_itself() -> None:
    """It holds a password and may be in tracebacks."""
    assert f"{Address('postgresql://u:x@db/source', {}, 'exporter')!r}" == "Address(…)"


@pytest.mark.parametrize(
    ("uri", "left"),
    [
        (f"postgresql://u:{PASSWORD}@db:5433/source?sslmode=require", "postgresql://u@db:5433/source?sslmode=require"),
        (f"postgres://u@db/source?pass%77ord={PASSWORD}&sslmode=require", "postgres://u@db/source?sslmode=require"),
        (f"postgresql://:{PASSWORD}@/source?sslpassword={PASSWORD}", "postgresql:///source"),
        (f"postgresql://u%3A1:{PASSWORD}%40%3A@[::1]:5432,b:5433/s", "postgresql://u%3A1@[::1]:5432,b:5433/s"),
        ("postgresql:///source?host=/run/pg&user=u", "postgresql:///source?host=/run/pg&user=u"),
    ],
)
def test_a_uri_without_its_password(uri: str, left: str) -> None:
    """Wherever it is; everything else stays as it was written."""
    assert (without_password(uri), password_in(left)) == (left, False)
