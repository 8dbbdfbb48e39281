"""What tells one source from another, as the documented role sees it."""

from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from exporter.source.connection import connect
from exporter.source.identity import host_name, source_identity

ROLE = Path(__file__).parents[2] / "docs" / "source-role.sql"
WITHOUT = "revoke execute on function pg_control_system() from public"
WITH = "grant execute on function pg_control_system() to public"


def identity(uri: str) -> str:
    with connect(uri, "exporter test", lock_seconds=1) as connection:
        return source_identity(connection)


def as_the_role(uri: str) -> str:
    """The URI with which the role of docs/source-role.sql logs in."""
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(ROLE.read_text(encoding="utf-8").encode())
    parts = urlsplit(uri)
    return parts._replace(netloc=f"exporter@{parts.netloc.rpartition('@')[2]}").geturl()


def test_the_server_tells_it(source: str) -> None:
    """The documented role too: the system identifier and the database."""
    with psycopg.connect(source) as connection:
        row = connection.execute("select system_identifier, current_database() from pg_control_system()").fetchone()
    assert row
    assert identity(as_the_role(source)) == identity(source) == "postgresql:{}/{}".format(*row)


def test_where_the_server_does_not_tell_it(source: str) -> None:
    """Host, port and database, a socket as localhost; the connection goes on."""
    role = as_the_role(source)
    with psycopg.connect(source, autocommit=True) as administrator:
        administrator.execute(WITHOUT)
        try:
            with connect(role, "exporter test", lock_seconds=1) as connection:
                found = source_identity(connection)
                assert connection.execute("select current_user").fetchone() == ("exporter",)
                assert found == f"postgresql:localhost:{connection.info.port}/{connection.info.dbname}"
        finally:
            administrator.execute(WITH)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("", "localhost"),
        ("/var/run/postgresql", "localhost"),
        ("@abstract", "localhost"),
        ("127.0.0.1", "localhost"),
        ("127.8.0.1", "localhost"),
        ("::1", "localhost"),
        ("localhost", "localhost"),
        ("DB.Example.org", "db.example.org"),
        ("192.0.2.7", "192.0.2.7"),
    ],
)
def test_one_host_has_one_name(host: str, name: str) -> None:
    """By whatever way it is reached from itself, and however it is written."""
    assert host_name(host) == name
