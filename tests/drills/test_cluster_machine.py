"""A drill: a machine with six workers is lost, in every way in which a cluster may notice that.

`DRILL_CLUSTER=all` in the environment adds the longer cases.
"""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from exporter.settings import Settings
from tests.support.cluster_runs import check_idle, check_published, data, stalled_sessions, with_password
from tests.support.dask_cluster import DaskCluster, dask_cluster
from tests.support.export_process import Run, contents, eventually, running
from tests.support.exporting import export
from tests.support.stalling_source import MANY, STALLED, STALLING, copied, execute, stall, viewed

MACHINE = tuple(f"lost{number}" for number in range(6))
OTHER = "other"
# As the recipes of docs/cluster.md have it.
FORGIVING = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "16"}
READER = r"^exporter \S+ reader \w+$"
longer = pytest.mark.skipif(os.environ.get("DRILL_CLUSTER") != "all", reason="only with DRILL_CLUSTER=all")


@pytest.fixture(scope="module")
def source(sample_database: str) -> Iterator[str]:
    """The URI of a sample source in which one table, or six at once, can be made to stall."""
    with copied(sample_database, "stalling_machine") as uri:
        execute(uri, STALLING + viewed(*MANY))
        yield uri


@pytest.fixture(scope="module")
def local(source: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The export of seven workers of this machine."""
    return export(Settings(source=source, output=tmp_path_factory.mktemp("local"), workers=7)).directory


@contextmanager
def machine(
    source: str, directory: Path, variables: Mapping[str, str], *others: str, lost: int = len(MACHINE)
) -> Iterator[DaskCluster]:
    """A scheduler, and the workers of a machine that will be lost beside others."""
    directory.mkdir()
    workers: dict[str, dict[str, str]] = {name: {} for name in (*MACHINE[:lost], *others)}
    with dask_cluster(directory, with_password(source), workers, variables=variables) as cluster:
        yield cluster


@contextmanager
def busy_machine(
    cluster: DaskCluster, source: str, output: Path, *options: str
) -> Iterator[tuple[Run, psycopg.Connection]]:
    """A run of which six readers stand still in the middle of their tables, and what unlocks them."""
    with stall(source, "many tables") as holder, running(source, output, "--cluster", cluster.address, *options) as run:
        six = "six readers that stand still"
        eventually(lambda: run.ended_or(stalled_sessions(source, READER) == len(MANY)), six)
        yield run, holder


def lose(cluster: DaskCluster) -> None:
    """All processes of the machine are gone in the same moment."""
    for name in MACHINE:
        os.killpg(cluster.processes[name].pid, signal.SIGKILL)


@contextmanager
def standing_still(cluster: DaskCluster) -> Iterator[None]:
    """The machine does not answer, as one whose network is cut, while the block runs; then it goes on."""
    for name in MACHINE:
        os.killpg(cluster.processes[name].pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for name in MACHINE:
            with suppress(ProcessLookupError):
                os.killpg(cluster.processes[name].pid, signal.SIGCONT)


@pytest.mark.parametrize(
    "others", [pytest.param((OTHER,), id="one is left"), pytest.param((), id="none is left", marks=longer)]
)
def test_a_machine_lost(source: str, local: Path, tmp_path: Path, others: tuple[str, ...]) -> None:
    """Whoever is left does the work of all in the same snapshot; if nobody is, the run ends."""
    output = tmp_path / "output"
    with machine(source, tmp_path / "cluster", FORGIVING, *others) as cluster:
        with busy_machine(cluster, source, output) as (run, holder):
            ending = [child for name in cluster.names() for child in cluster.children(name)]
            lose(cluster)
            holder.execute("select pg_advisory_unlock_all()")
            if others:
                check_published(run, local)
            else:
                run.check_failed(4, r"every worker of the cluster is gone; .*")
        check_idle(cluster, ending)


@longer
@pytest.mark.parametrize(("forgives", "code"), [("3", 4), ("5", 4), ("6", 0)])
def test_a_task_that_loses_one_worker_after_the_other(
    source: str, local: Path, tmp_path: Path, forgives: str, code: int
) -> None:
    """As when the scheduler learns of each only when it has given it the task. It forgives as many as it is told."""
    variables = FORGIVING | dict.fromkeys(FORGIVING, forgives)
    output, lost = tmp_path / "output", min(int(forgives) + 1, len(MACHINE))
    with machine(source, tmp_path / "cluster", variables, OTHER, lost=lost) as cluster:
        with stall(source, "tables") as holder, running(source, output, "--cluster", cluster.address) as run:
            for _ in range(lost):
                run.wait_for_session(STALLED, reader=True)
                name = cluster.busy()
                cluster.end(name)
                cluster.wait_for(lost=name)
            if code:
                run.check_failed(code, r"the same task lost several workers: .*")
            else:
                holder.execute("select pg_advisory_unlock_all()")
                check_published(run, local)
        check_idle(cluster, [])


@longer
@pytest.mark.parametrize("ends", ["goes on", "stays away"])
def test_a_machine_cut_off(source: str, local: Path, tmp_path: Path, ends: str) -> None:
    """Its workers are given up when they have been silent for as long as the scheduler waits. What they then write is
    not in the export, and not beside it."""
    output, variables = tmp_path / "output", FORGIVING | {"DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "12s"}
    with machine(source, tmp_path / "cluster", variables, OTHER) as cluster:
        with busy_machine(cluster, source, output) as (run, holder):
            ending = [child for name in MACHINE for child in cluster.children(name)]
            with standing_still(cluster):
                holder.execute("select pg_advisory_unlock_all()")
                directory = check_published(run, local)
                before = contents(output)
                if ends == "stays away":
                    lose(cluster)
        check_idle(cluster, ending)
        assert contents(output) == before
        assert data(directory) == data(local)
