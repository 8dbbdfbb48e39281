"""TLS with a real server: readers connect wherever the leader does, and with what the leader has from its home."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from exporter.errors import SourceError
from exporter.source.connection import session
from exporter.source.probe import probe_reader
from tests.support.installed_postgres import programs, tls_server

pytestmark = pytest.mark.slow

PASSWORD = "hunter2"


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[int, Path]]:
    """Its port and the directory with the certificates; the role `certified` needs the client's, `plain` does not."""
    installed = programs()
    if installed is None:
        pytest.skip("no PostgreSQL server of the system's packages is installed here")
    with tls_server(installed) as (port, directory):
        with psycopg.connect(host=str(directory), port=port, user="postgres", autocommit=True) as connection:
            for role in ("certified", "plain"):
                connection.execute(f"create role {role} login password '{PASSWORD}'".encode())
        yield port, directory


@pytest.fixture
def home(server: tuple[int, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with libpq's files in it."""
    (tmp_path / ".postgresql").mkdir()
    for name, file in (("root.crt", "ca.crt"), ("postgresql.crt", "client.crt"), ("postgresql.key", "client.key")):
        shutil.copy2(server[1] / file, tmp_path / ".postgresql" / name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def probe(uri: str) -> None:
    """Connects as an export does: the leader, then a reader."""
    with session(uri, "exporter test", lock_seconds=1) as leader:
        probe_reader(leader, "exporter test", lock_seconds=1)


@pytest.mark.parametrize("mode", ["prefer", "require", "verify-ca", "verify-full"])
@pytest.mark.parametrize("role", ["certified", "plain"])
@pytest.mark.parametrize("how", ["uri", "environment"])
def test_every_mode(
    server: tuple[int, Path], home: Path, mode: str, role: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root and client certificate are in the home; the mode is in the URI or the environment."""
    if how == "environment":
        monkeypatch.setenv("PGSSLMODE", mode)
    query = f"?sslmode={mode}" if how == "uri" else ""
    probe(f"postgresql://{role}:{PASSWORD}@localhost:{server[0]}/postgres{query}")


def test_the_wrong_host(server: tuple[int, Path], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """verify-full from the environment is not weakened."""
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    place = f"plain@127.0.0.1:{server[0]}/postgres"
    with pytest.raises(SourceError) as error:
        probe(f"postgresql://plain:{PASSWORD}@127.0.0.1:{server[0]}/postgres")
    assert str(error.value) \
        == f'the source {place}: server certificate for "localhost" does not match host name "127.0.0.1"'  # fmt: skip


def test_a_wrong_password(server: tuple[int, Path], home: Path) -> None:
    """In the server's words."""
    with pytest.raises(SourceError) as error:
        probe(f"postgresql://plain:wrong@localhost:{server[0]}/postgres?sslmode=require")
    place = f"plain@localhost:{server[0]}/postgres"
    assert str(error.value) \
        == f'the source {place}: FATAL: password authentication failed for user "plain"'  # fmt: skip


def test_no_password(server: tuple[int, Path], home: Path) -> None:
    """The message says how to give one."""
    with pytest.raises(SourceError) as error:
        probe(f"postgresql://plain@localhost:{server[0]}/postgres?sslmode=require")
    assert str(error.value).endswith("; set PGPASSWORD or PGPASSFILE")


def test_required_authentication(server: tuple[int, Path], home: Path) -> None:
    """The readers hold it by channel binding."""
    probe(f"postgresql://plain:{PASSWORD}@localhost:{server[0]}/postgres?sslmode=require&require_auth=scram-sha-256")
