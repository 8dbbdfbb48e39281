"""Exports by a real Dask cluster: the same bytes as on one machine, and of every failure one sentence and nothing
left."""

import hashlib
import json
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from exporter.pipeline.cluster import ROLL_SECONDS
from exporter.settings import Settings
from exporter.sink.manifest import ClusterEntry, read_manifest
from tests.support.canaries import secrets_of
from tests.support.cluster_runs import check_no_child, check_published, with_password
from tests.support.dask_cluster import DaskCluster, dask_cluster
from tests.support.export_process import PASSWORD, Run, command_of, eventually, running
from tests.support.exporting import export
from tests.support.ports import recorded
from tests.support.stalling_source import STALLED, STALLING, copied, execute, stall

pytestmark = pytest.mark.slow

NAMES = ("one", "two", "three")
FORGIVES_NONE = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}


@pytest.fixture(scope="module")
def stalling(sample_database: str) -> Iterator[str]:
    """The URI of a sample source in which tables can be made to stall."""
    with copied(sample_database, "stalling_cluster") as uri:
        execute(uri, STALLING)
        yield uri


@pytest.fixture(scope="module")
def local(stalling: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The export of three workers of this machine."""
    return export(Settings(source=stalling, output=tmp_path_factory.mktemp("local"), workers=3)).directory


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a redaction key."""
    path = tmp_path_factory.mktemp("key") / "redact.key"
    path.touch(mode=0o600)
    path.write_text(hashlib.sha256(b"a key").hexdigest())
    return path


@pytest.fixture(scope="module")
def workers(stalling: str, key: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """A scheduler and three workers, which a test may kill if it starts others."""
    variables = {"EXPORTER_REDACT_KEY_FILE": str(key)}
    with dask_cluster(
        tmp_path_factory.mktemp("cluster"), with_password(stalling), dict.fromkeys(NAMES, variables)
    ) as cluster:
        yield cluster


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "output"


def test_the_same_bytes_as_on_one_machine(workers: DaskCluster, stalling: str, local: Path, output: Path) -> None:
    """All three take part; the manifest says how many they are on how many machines, and nothing else of them."""
    with running(stalling, output, "--cluster", workers.address, "--profile", str(output.parent / "profile")) as run:
        directory = check_published(run, local)
    manifest = read_manifest(directory)
    assert manifest.options.cluster == ClusterEntry(workers=3, hosts=1)
    assert "cluster" not in json.loads((local / "manifest.json").read_text())["options"]
    profile = json.loads((output.parent / "profile").read_text())
    assert len([worker for worker in profile["workers"] if worker["read"]]) == 3
    address = workers.address.rpartition(":")[2]
    assert address not in (directory / "manifest.json").read_text() + (directory / "report.html").read_text()


def test_a_worker_killed(workers: DaskCluster, stalling: str, key: Path, local: Path, output: Path) -> None:
    """Its task is done again by another one, in the same snapshot; the run tells of it."""
    with stalled_on(workers, stalling, output, "tables") as (run, holder, name):
        workers.end(name)
        workers.wait_for(lost=name)
        time.sleep(2 * ROLL_SECONDS)  # the leader has heard of it
        holder.execute("select pg_advisory_unlock_all()")
        check_published(run, local)
        assert any(line.startswith(f"exporter: warning: the cluster lost {name} (") for line in run.lines), run.lines
        workers.start_worker(name, EXPORTER_REDACT_KEY_FILE=str(key))
        workers.wait_for(*NAMES)


def test_the_leader_interrupted(workers: DaskCluster, stalling: str, output: Path) -> None:
    """As ^C does."""
    with stalled_on(workers, stalling, output, "tables") as (run, _, _name):
        run.signal_group(signal.SIGINT)
        run.check_failed(130, r"stopped by SIGINT(; nothing was published)?")
    check_no_child(workers)


def test_the_leader_killed(workers: DaskCluster, stalling: str, local: Path, output: Path) -> None:
    """The next run removes what was left of it, on the workers too; it uses no more of these than it is told."""
    with stalled_on(workers, stalling, output, "tables") as (run, _, _name):
        run.process.kill()
        run.end()
    assert list(output.glob(".partial-*"))
    with running(stalling, output, "--cluster", workers.address, "--workers", "2") as run:
        directory = check_published(run, local)
    assert read_manifest(directory).options.cluster == ClusterEntry(workers=2, hosts=1)
    assert "exporter: warning: 2 of the cluster's 3 workers were used, as --workers says\n" in run.lines
    check_no_child(workers)


def test_the_scheduler_killed(stalling: str, output: Path, tmp_path: Path) -> None:
    """Nobody then does the tasks. Before, it forgives a task no worker that it loses."""
    pair: dict[str, dict[str, str]] = {"one": {}, "two": {}}
    with dask_cluster(tmp_path, with_password(stalling), pair, variables=FORGIVES_NONE) as cluster:
        with stalled_on(cluster, stalling, output, "tables") as (run, _, name):
            cluster.end(name)
            run.check_failed(4, r"the same task lost several workers: .*")
        with stalled_on(cluster, stalling, output, "tables") as (run, _, _name):
            cluster.end("scheduler")
            run.check_failed(4, r"the connection to the scheduler was lost; .*")


def test_nothing_is_told_on_the_way(workers: DaskCluster, stalling: str, key: Path, output: Path) -> None:
    """Neither password nor key, nor whom a window asks for, is in what passes the scheduler, in a log, on a command
    line, on the dashboard, or in Dask's dump of its state."""
    execute(
        stalling,
        "insert into auth.auth_users (id, phone_number, created_at) values (931735551, '+91 93173 55512', now())",
    )
    masked = ("--redact", "analyst", "--redact-key", str(key), "--root", "AuthUser:id=931735551")
    with recorded(int(workers.address.rpartition(":")[2])) as (port, passed):
        with running(stalling, output, "--cluster", f"tcp://127.0.0.1:{port}", *masked) as run:
            assert run.end() == 0, run.lines
            [user] = (Path(run.result.strip()) / "nodes" / "AuthUser").glob("*.csv")
            assert user.read_bytes().startswith(b"931735551,")
            run.check_gone()
        told = {"the wire": b"".join(passed)}
    told |= told_in_the_middle(workers, stalling, output, masked)
    execute(stalling, "delete from auth.auth_users where id = 931735551")
    told |= {name: workers.log(name).encode() for name in workers.processes}
    secrets = secrets_of(bytes.fromhex(key.read_text()))
    needles = {PASSWORD.encode(), b"931735551", b"9317355512", *secrets, *(secret.hex().encode() for secret in secrets)}
    needles |= {(931735551).to_bytes(4, order) for order in ("little", "big")}
    assert "exporter" in told["scheduler"].decode()  # there is something to search
    assert len(told["the wire"]) > 100_000
    assert [(place, needle) for place, text in told.items() for needle in needles if needle in text] == []


def told_in_the_middle(cluster: DaskCluster, uri: str, output: Path, masked: Sequence[str]) -> dict[str, bytes]:
    """What pages, dump and command lines have while a task runs, which then fails."""
    names = cluster.names()
    with stall(uri, "keys") as holder, running(uri, output, "--cluster", cluster.address, *masked) as run:
        reader = run.wait_for_session(STALLED, reader=True)
        told = cluster.pages() | {"the dump": cluster.dump(output.parent / "dump")}
        told |= {f"process {process.pid}": " ".join(command_of(process)).encode() for process in cluster.family()}
        assert all(cluster.children(name) for name in names)
        holder.execute("select pg_terminate_backend(%s)", [reader])
        assert run.end() == 4, run.lines
        run.check_gone()
    eventually(lambda: any("Compute Failed" in cluster.log(name) for name in names), "the failed task in a log")
    return told


@contextmanager
def stalled_on(
    cluster: DaskCluster, uri: str, output: Path, stage: str
) -> Iterator[tuple[Run, psycopg.Connection, str]]:
    """A run that is stalled in a stage, the connection that unlocks it, and the name of the worker that reads."""
    with stall(uri, stage) as holder, running(uri, output, "--cluster", cluster.address) as run:
        run.wait_for_session(STALLED, reader=True)
        yield run, holder, cluster.busy()
