"""A hot standby as a source: the same files as from its primary, and one sentence when recovery cancels a query."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from benchmarks.database import psql_directory
from exporter.errors import RunError
from exporter.pipeline.cluster_source import find_faults, proof_of
from exporter.sample.postgres import create_database, embedded_postgres
from exporter.sample.source import fill_sample
from exporter.sink.layout import entities
from exporter.source.connection import server_of, session
from exporter.source.identity import source_identity
from exporter.source.queries import OwnAddress
from exporter.source.reader_address import worker_address
from exporter.source.watchdog import Watchdog
from tests.support.export_process import eventually, running
from tests.support.stalling_source import STALLED, STALLING, STALLS, execute
from tests.support.standby import base_backup

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def primary() -> Iterator[str]:
    """The URI of a sample source on a server of its own."""
    with embedded_postgres() as uri:
        source = create_database(uri, "source")
        fill_sample(source, scale=0.05)
        execute(source, STALLING)
        yield source


@pytest.fixture(scope="module")
def standby(primary: str) -> Iterator[str]:
    """The URI of the same source on a hot standby that cancels queries at once when they conflict with recovery."""
    original = Path(parse_qs(urlsplit(primary).query)["host"][0])
    with TemporaryDirectory(dir=original.parent, prefix="standby-") as name:
        directory = Path(name)
        base_backup(primary, directory, original.stat().st_uid)
        with embedded_postgres(directory) as uri:
            execute(uri, "alter system set max_standby_streaming_delay = 0", "select pg_reload_conf()")
            yield urlsplit(uri)._replace(path=urlsplit(primary).path).geturl()


def replicated(primary: str, standby: str, *statements: str) -> None:
    """Runs statements on the primary and waits until the standby has them."""
    execute(primary, *statements)
    with psycopg.connect(primary) as writer, psycopg.connect(standby, autocommit=True) as reader:
        (end,) = writer.execute("select pg_current_wal_lsn()").fetchone() or ("",)
        replayed = "select from (select pg_last_wal_replay_lsn() as lsn) replay where lsn >= %s"
        eventually(lambda: reader.execute(replayed, [end]).fetchone() is not None, "the standby")


@contextmanager
def held(uri: str) -> Iterator[None]:
    """Stalls what was made to stall while the block runs."""
    with psycopg.connect(uri, autocommit=True) as holder:
        holder.execute("select pg_advisory_lock(1)")
        yield


def exported(uri: str, output: Path) -> dict[str, bytes]:
    """The data files of an export, by their paths."""
    with running(uri, output) as run:
        assert run.end() == 0, run.lines
        directory = Path(run.result.splitlines()[-1])
    files = [*directory.glob("nodes/*/*"), *directory.glob("relationships/*/*")]
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


def test_a_standby_is_no_worker_s_source(primary: str, standby: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker of a cluster whose source is a standby of the leader's server says so, though the identity is the same;
    and the leader's server itself is none of its faults."""
    with session(primary, "exporter test", lock_seconds=5) as leader:
        leader.execute("begin isolation level repeatable read read only")
        [(snapshot,)] = leader.execute("select pg_export_snapshot()")
        proof = proof_of(leader, "postgresql:unknown", snapshot)
        found = []
        for uri in (primary, standby):
            monkeypatch.setenv("EXPORTER_SOURCE", uri)
            found.append(find_faults(OwnAddress("exporter test reader", 5), proof))
    [own, [of_standby]] = found
    assert own == []
    assert of_standby.startswith("its source is another server than the leader's (a standby, ")


def test_the_same_identity(primary: str, standby: str) -> None:
    """It is the same source, whichever server is asked."""
    identities = []
    for uri in (primary, standby):
        with session(uri, "exporter", lock_seconds=5) as leader:
            identities.append(source_identity(leader))
    assert identities[0] == identities[1]


def test_the_same_files(primary: str, standby: str, tmp_path: Path) -> None:
    """Byte for byte, as from the primary."""
    files = exported(standby, tmp_path / "standby")
    assert len(files) >= len(entities())
    assert files == exported(primary, tmp_path / "primary")


@pytest.mark.parametrize(
    ("wanted", "host"),
    [("any", 0), ("read-write", 0), ("primary", 0), ("read-only", 1), ("standby", 1), ("prefer-standby", 1)],
)
def test_the_kind_of_server(primary: str, standby: str, wanted: str, host: int) -> None:
    """target_session_attrs chooses the server that psql would choose; readers and watchdog follow."""
    hosts = [parse_qs(urlsplit(uri).query)["host"][0] for uri in (primary, standby)]
    options = f"host={','.join(hosts)}&port=5432,5432&target_session_attrs={wanted}"
    uri = urlsplit(primary)._replace(netloc="postgres@", query=options).geturl()
    psql = [psql_directory() / "psql", "-XAtc", "select pg_is_in_recovery()", uri]
    answer = subprocess.run(psql, check=True, capture_output=True, text=True).stdout
    with session(uri, "exporter", lock_seconds=5) as leader:
        address = worker_address(leader, "exporter reader", lock_seconds=5)
        assert (leader.info.host, answer) == (hosts[host], "ft"[host] + "\n")
        assert address.query["host"] == hosts[host]
        with session(uri, "exporter watchdog", lock_seconds=5, server=server_of(leader)) as other:
            assert other.info.host == hosts[host]


# What conflicts with recovery: a snapshot that sees rows that the primary vacuumed, a lock on a table that it locked.
CONFLICTS = {
    "rows": ("update marketing.leads set status = status", "vacuum marketing.leads"),
    "table": ("begin; lock table marketing.leads in access exclusive mode; commit",),
}


@pytest.mark.parametrize(
    ("stage", "conflict"), [("lock", "rows"), ("keys", "rows"), ("tables", "rows"), ("tables", "table")]
)
def test_a_recovery_conflict(primary: str, standby: str, tmp_path: Path, stage: str, conflict: str) -> None:
    """While the leader counts, its statement is cancelled; later its idle session and the reader's statement are."""
    database = urlsplit(primary).path.lstrip("/")
    replicated(primary, standby, f"alter database {database} set test.stall = '{STALLS[stage]}'")
    with held(standby), running(standby, tmp_path) as run:
        run.wait_for_session(STALLED, reader=stage != "lock")
        execute(primary, *CONFLICTS[conflict])
        run.check_failed(4, r"a hot standby cancelled .* \(recovery conflict\??\).*")


def test_a_recovery_conflict_of_the_leader_alone(primary: str, standby: str, tmp_path: Path) -> None:
    """While no reader reads: its next poll says so, not that a connection was lost."""
    alive = "select 1 from pg_stat_activity where pid = %s"
    with session(standby, "exporter", lock_seconds=5) as leader, psycopg.connect(standby, autocommit=True) as other:
        leader.execute("begin isolation level repeatable read read only")
        leader.execute("select pg_export_snapshot()")
        execute(primary, *CONFLICTS["rows"])
        eventually(lambda: not other.execute(alive, [leader.info.backend_pid]).fetchone(), "the conflict")
        with pytest.raises(RunError, match=r"a hot standby cancelled .* \(recovery conflict\).*"):
            Watchdog(leader, "exporter reader", tmp_path, 60).poll()
