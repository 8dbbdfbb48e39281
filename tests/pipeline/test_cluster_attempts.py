"""A worker of a cluster that was given up and goes on: what it then writes reaches nobody."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from distributed import Client, Scheduler

from exporter.pipeline.cluster_client import present_workers
from exporter.settings import Settings
from tests.support.dask_cluster import DaskCluster, dask_cluster
from tests.support.export_process import Run, contents, eventually, running
from tests.support.exporting import export
from tests.support.stalling_source import STALLED, STALLING, copied, execute, stall

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def source(sample_database: str) -> Iterator[str]:
    """The URI of a sample source in which tables can be made to stall."""
    with copied(sample_database, "stalling_attempts") as uri:
        execute(uri, STALLING)
        yield uri


@pytest.fixture
def cluster(source: str, tmp_path: Path) -> Iterator[DaskCluster]:
    """A scheduler and two workers."""
    (tmp_path / "cluster").mkdir()
    with dask_cluster(tmp_path / "cluster", source, {"one": {}, "two": {}}) as cluster:
        yield cluster


@contextmanager
def stopped(cluster: DaskCluster, name: str, *, child: bool) -> Iterator[None]:
    """A worker, and perhaps the process that does its tasks, stands still while the block runs."""
    family = [psutil.Process(cluster.processes[name].pid), *(cluster.children(name) if child else ())]
    for process in family:
        process.suspend()
    try:
        yield
    finally:
        for process in family:
            process.resume()


def give_up(cluster: DaskCluster, name: str) -> None:
    """The scheduler takes a worker for lost, as it does when that has given no sign of life for five minutes."""
    with Client(cluster.address, set_as_default=False) as client:
        [lost] = [at for at, known in present_workers(client).items() if known["name"] == name]

        async def remove(dask_scheduler: Scheduler) -> None:
            await dask_scheduler.remove_worker(lost, stimulus_id="given-up")

        client.run_on_scheduler(remove)


def data(export: Path) -> dict[str, bytes]:
    """The data and reject files of an export."""
    files = (path for folder in ("nodes", "relationships", "rejects") for path in (export / folder).rglob("*.csv"))
    return {path.relative_to(export).as_posix(): path.read_bytes() for path in files}


def check_calm(cluster: DaskCluster, name: str, run: Run) -> None:
    """Asserts that a worker that goes on ends its process, and makes nothing in the output directory."""
    before = contents(run.output)
    eventually(lambda: cluster.children(name) == [], "the end of its process")
    assert contents(run.output) == before
    assert not any(left.startswith(".partial") for left in before)
    run.check_gone()


@pytest.mark.parametrize("child", [False, True], ids=["the worker", "its process too"])
def test_a_task_that_is_done_elsewhere(cluster: DaskCluster, source: str, tmp_path: Path, child: bool) -> None:
    """While the one that was given up reads and writes on, or stands still until the export is published."""
    expected = data(export(Settings(source=source, output=tmp_path / "local", workers=2)).directory)
    output = tmp_path / "output"
    with stall(source, "tables") as holder, running(source, output, "--cluster", cluster.address) as run:
        run.wait_for_session(STALLED, reader=True)
        name = cluster.busy()
        with stopped(cluster, name, child=child):
            give_up(cluster, name)
            holder.execute("select pg_advisory_unlock_all()")
            assert run.end() == 0, run.lines
        directory = Path(run.result.strip())
        assert sorted(path.name for path in output.iterdir()) == [".lock", directory.name, "latest"]
        assert data(directory) == expected
        check_calm(cluster, name, run)
        assert data(directory) == expected


def test_a_read_that_stalls(cluster: DaskCluster, source: str, tmp_path: Path) -> None:
    """The run ends before the scheduler gives the worker up; what that then writes goes nowhere."""
    output = tmp_path / "output"
    options = ("--cluster", cluster.address, "--stall-timeout", "5s")
    with stall(source, "tables") as holder, running(source, output, *options) as run:
        run.wait_for_session(STALLED, reader=True)
        name = cluster.busy()
        with stopped(cluster, name, child=True):
            holder.execute("select pg_advisory_unlock_all()")
            run.check_failed(4, r"the read of \S+ made no progress for \d+ seconds: .*")
        check_calm(cluster, name, run)


def test_processes_that_stand_still(cluster: DaskCluster, source: str, tmp_path: Path) -> None:
    """Before they read anything: Dask goes on, and the scheduler would wait for ever."""
    options = ("--cluster", cluster.address, "--stall-timeout", "5s")
    with running(source, tmp_path / "output", *options) as run:
        children = [eventually(lambda: cluster.children(name), "its process")[0] for name in cluster.names()]  # noqa: B023
        for child in children:
            child.suspend()
        run.check_failed(4, r"(the worker processes did nothing for 5 seconds|the read of .* made no progress).*")
    eventually(lambda: not any(map(cluster.children, cluster.names())), "the end of all children")
