"""The readers' address: the leader's server, connected no less strictly, wherever its strictness comes from."""

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import connectorx
import psycopg
import pytest

from exporter.errors import SourceError
from exporter.source.connection import Connection, connect
from exporter.source.queries import Address
from exporter.source.reader_address import security, worker_address

PASSWORD = "hunter2"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's home, without certificates."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


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
            reader = worker_address(leader, "exporter test reader", lock_seconds=3).of_reader("00c0ffee")
        table = connectorx.read_sql(reader, "select current_user::text, current_database()::text", return_type="arrow")
        assert table.to_pylist() == [{"current_user": name, "current_database": uri["dbname"]}]
    finally:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(f'drop role "{name.replace(chr(34), chr(34) * 2)}"'.encode())


def connected(hostaddr: str) -> Connection:
    """A leader's connection as libpq describes it."""
    info = SimpleNamespace(
        host="db.example", hostaddr=hostaddr, port=5432, user="u", password=PASSWORD, dbname="source"
    )
    described = [SimpleNamespace(keyword=b"options", val=b"-c a.b=c")]
    rows = SimpleNamespace(fetchall=list, fetchone=lambda: ("mark",))
    pgconn = SimpleNamespace(ssl_in_use=False, used_password=True, info=described)
    return cast(Connection, SimpleNamespace(info=info, pgconn=pgconn, execute=lambda *_: rows))


@pytest.mark.parametrize(
    ("hostaddr", "host"), [("10.0.0.7", "10.0.0.7"), ("2001:db8::7", "[2001:db8::7]"), ("", "db.example")]
)
def test_readers_go_to_the_very_server(hostaddr: str, host: str) -> None:
    """Of the several addresses that a name may have, the one the leader has reached; without TLS as the leader is."""
    address = worker_address(connected(hostaddr), "exporter test reader", lock_seconds=3)
    assert (address.server, address.mark) == (f"postgresql://u:{PASSWORD}@{host}:5432/source", "mark")
    assert {name: value for name, value in address.query.items() if name != "options"} == {"sslmode": "disable"}


def test_an_address_does_not_show_itself() -> None:
    """It holds a password and may be in tracebacks."""
    assert f"{Address('postgresql://u:x@db/source', {}, 'exporter', 'mark')!r}" == "Address(…)"


@pytest.mark.parametrize(
    ("leader", "expected"),
    [
        ({}, {"sslmode": "require"}),
        ({"sslmode": "require"}, {"sslmode": "require"}),
        ({"sslmode": "require", "sslrootcert": "/ca"}, {"sslmode": "require", "sslrootcert": "/ca"}),
        ({"sslmode": "verify-ca", "sslrootcert": "/ca"}, {"sslmode": "require", "sslrootcert": "/ca"}),
        (
            {"sslmode": "verify-full", "sslrootcert": "/ca"},
            {"sslmode": "require", "sslrootcert": "/ca", "channel_binding": "require"},
        ),
        ({"channel_binding": "require"}, {"sslmode": "require", "channel_binding": "require"}),
        ({"require_auth": "scram-sha-256"}, {"sslmode": "require", "channel_binding": "require"}),
    ],
)
def test_readers_are_as_strict_as_an_encrypted_leader(leader: dict[str, str], expected: dict[str, str]) -> None:
    """connectorx does not have verify-full: a root certificate verifies the CA, channel binding the host, and the way
    of authentication."""
    assert security(leader, encrypted=True, used_password=True) == expected


def test_the_files_of_the_home(home: Path) -> None:
    """libpq takes certificates from there, and so do the readers, unless told not to."""
    directory = home / ".postgresql"
    directory.mkdir()
    for name in ("root.crt", "postgresql.crt", "postgresql.key"):
        (directory / name).write_text("")
    files = {"sslcert": f"{directory}/postgresql.crt", "sslkey": f"{directory}/postgresql.key"}
    root = {"sslrootcert": f"{directory}/root.crt"}
    required = {"sslmode": "require"}
    assert security({"sslmode": "prefer"}, encrypted=True, used_password=True) == required | files
    assert security({"sslmode": "require"}, encrypted=True, used_password=True) == required | root | files
    assert security({"sslmode": "verify-ca"}, encrypted=True, used_password=True) == required | root | files
    assert security({"sslcertmode": "disable"}, encrypted=True, used_password=True) == required
    assert security({"sslcert": "/nowhere"}, encrypted=True, used_password=True) == required


CA_FILE = " needs sslrootcert=FILE in the source URI for the readers to verify"
SCRAM = " needs a SCRAM password: channel binding verifies the host"


@pytest.mark.parametrize(
    ("leader", "encrypted", "used_password", "message"),
    [
        ({"sslmode": "verify-ca"}, True, True, "sslmode=verify-ca" + CA_FILE),
        ({"sslmode": "verify-full"}, True, True, "sslmode=verify-full" + CA_FILE),
        ({"sslmode": "verify-full", "sslrootcert": "system"}, True, True, "sslmode=verify-full" + CA_FILE),
        ({"sslmode": "verify-full", "sslrootcert": "/ca"}, True, False, "sslmode=verify-full" + SCRAM),
        ({"sslcrl": "/crl"}, True, True, "sslcrl is not supported: the readers cannot verify it"),
        ({"sslcrldir": "/crl"}, True, True, "sslcrldir is not supported: the readers cannot verify it"),
        ({"requirepeer": "postgres"}, False, False, "requirepeer is not supported: the readers cannot verify it"),
        (
            {"require_auth": "scram-sha-256"}, False, True,
            "require_auth is not supported without TLS: the readers cannot verify it",
        ),
        (
            {"ssl_min_protocol_version": "TLSv1.3"}, True, True,
            "ssl_min_protocol_version=TLSv1.3 is not supported: the readers accept TLS 1.2",
        ),
    ],
)  # fmt: skip
def test_what_readers_cannot_hold_is_refused(
    leader: dict[str, str], encrypted: bool, used_password: bool, message: str
) -> None:
    """Nothing is weakened silently."""
    with pytest.raises(SourceError) as error:
        security(leader, encrypted=encrypted, used_password=used_password)
    assert str(error.value) == message


def test_an_encrypted_key(home: Path) -> None:
    """libpq opens it by sslpassword; connectorx would ask on the terminal."""
    key = home / "client.key"
    command = ["openssl", "genpkey", "-algorithm", "ed25519", "-aes256", "-pass", f"pass:{PASSWORD}", "-out", key]
    subprocess.run(command, check=True, capture_output=True)
    (home / "client.crt").write_text("")
    leader = {"sslcert": f"{home}/client.crt", "sslkey": str(key), "sslpassword": PASSWORD}
    with pytest.raises(SourceError) as error:
        security(leader, encrypted=True, used_password=True)
    assert str(error.value) == (
        f"{key} is encrypted, which the readers cannot open; give a key without a password (openssl pkey -in KEY -out"
        " NEW), readable by this user alone"
    )


def test_a_user_without_an_entry(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor a home, as in containers: there are no files of libpq then."""
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os, "geteuid", lambda: 2**31 - 7)
    assert security({"sslmode": "prefer"}, encrypted=True, used_password=True) == {"sslmode": "require"}
    with connect(postgres, "exporter test", lock_seconds=3) as leader:
        assert worker_address(leader, "exporter test reader", lock_seconds=3).query["sslmode"] == "disable"
