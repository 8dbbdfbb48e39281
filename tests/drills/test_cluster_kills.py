"""A drill: each part of a cluster is killed in each stage of a run. The run either ends as the local one does, to the
byte, or with one sentence, and nothing of it is left.

`DRILL_CLUSTER=all` in the environment adds the longer cases.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import psutil
import pytest

from exporter.settings import Settings
from tests.support.cluster_runs import check_idle, check_published, is_alive, stalled_sessions, with_password
from tests.support.dask_cluster import ALONE, DaskCluster
from tests.support.export_process import Run, eventually, running
from tests.support.exporting import export
from tests.support.stalling_source import LOGINS, STALLED, STALLING, copied, execute, stall

NAMES = ("one", "two", "three")
STAGES = ("preflight", "lock", "keys", "tables", "publish")
READING = ("keys", "tables")
NANNIED = ("--nthreads", "1")
# In a stage that is too short for every run to be suspended in it, so many runs are tried.
ATTEMPTS = 5
# In its preflight, a worker has no process of ours yet.
CASES = [*product(STAGES, ("worker", "child", "scheduler", "leader")), *product(STAGES, ("nanny's worker", "nanny"))]
CASES.remove(("preflight", "child"))
# A test run has others of these in tests/pipeline/test_cluster.py, and takes workers with nannies here.
ALWAYS = [("preflight", "nanny's worker"), ("tables", "child"), ("publish", "leader")]
LONGER = os.environ.get("DRILL_CLUSTER") == "all"
longer = pytest.mark.skipif(not LONGER, reason="only with DRILL_CLUSTER=all")


@dataclass
class Site:
    """A source that can be made to stall, and a cluster that is made whole again before each run."""

    uri: str
    directory: Callable[[], Path]
    options: tuple[str, ...]
    cluster: DaskCluster = field(init=False)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """A new scheduler."""
        self.cluster = DaskCluster(self.directory(), with_password(self.uri))
        self.cluster.start_scheduler()

    def mend(self) -> None:
        """Everybody is there, and nothing of earlier runs."""
        if "scheduler" not in self.cluster.processes:
            self.end()
            self.begin()
        for name in NAMES:
            process = self.cluster.processes.get(name)
            if process and process.poll() is not None:
                self.cluster.end(name)
            if not process or process.poll() is not None:
                self.cluster.start_worker(name, self.options, DASK_DISTRIBUTED__WORKER__DAEMON="False")
        self.cluster.wait_for(*NAMES)

    def end(self) -> None:
        for name in list(self.cluster.processes):
            self.cluster.end(name)


@pytest.fixture(scope="module")
def stalling(sample_database: str) -> Iterator[str]:
    """The URI of a sample source in which tables and logins can be made to stall."""
    with copied(sample_database, "stalling_kills") as uri:
        execute(uri, STALLING, LOGINS)
        yield uri


@pytest.fixture(scope="module")
def local(stalling: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The export of three workers of this machine."""
    return export(Settings(source=stalling, output=tmp_path_factory.mktemp("local"), workers=3)).directory


@contextmanager
def site_of(uri: str, factory: pytest.TempPathFactory, options: tuple[str, ...]) -> Iterator[Site]:
    site = Site(uri, lambda: factory.mktemp("cluster"), options)
    try:
        yield site
    finally:
        site.end()


@pytest.fixture(scope="module")
def alone(stalling: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Workers without nannies."""
    with site_of(stalling, tmp_path_factory, ALONE) as site:
        yield site


@pytest.fixture(scope="module")
def nannied(stalling: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Workers with nannies that let them start processes."""
    with site_of(stalling, tmp_path_factory, NANNIED) as site:
        yield site


@contextmanager
def held(site: Site, output: Path, stage: str) -> Iterator[tuple[Run, Callable[[], object]]]:
    """A run that stands still in a stage, and what lets it go on."""
    asked = ("--cluster", site.cluster.address, "--workers", "3")
    if stage == "publish":
        with suspended_while_publishing(site, output, asked) as (run, leader):
            yield run, leader.resume
        return
    with stall(site.uri, stage) as holder, running(site.uri, output, *asked) as run:
        if stage == "preflight":
            stalled = r"^exporter \S+ worker$"
            eventually(lambda: run.ended_or(stalled_sessions(site.uri, stalled) == len(NAMES)), "every worker's login")
        else:
            run.wait_for_session(STALLED, reader=stage in READING)
        yield run, lambda: holder.execute("select pg_advisory_unlock_all()")


@contextmanager
def suspended_while_publishing(
    site: Site, output: Path, asked: tuple[str, ...]
) -> Iterator[tuple[Run, psutil.Process]]:
    """A run whose leader stands still between its first small file and the export's name; a run that was too fast for
    that is followed by another."""
    for _ in range(ATTEMPTS):
        with ExitStack() as stack:
            run = stack.enter_context(running(site.uri, output, *asked))
            leader = psutil.Process(run.process.pid)
            eventually(lambda: run.ended_or([*output.glob(".partial-*/headers")]), "the headers")  # noqa: B023
            leader.suspend()
            eventually(lambda: leader.status() in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE), "it")  # noqa: B023
            if [*output.glob(".partial-*/headers")]:
                yield run, leader
                return
            leader.resume()
            assert run.end() == 0, run.lines
    pytest.fail(f"none of {ATTEMPTS} runs was suspended in time")


def kill(site: Site, run: Run, stage: str, victim: str) -> list[psutil.Process]:
    """Kills one process: of the workers' the one that reads, if one does. Returns those that have to end by
    themselves."""
    cluster = site.cluster
    name = cluster.busy() if stage in READING else NAMES[0]
    worker, children = cluster.worker(name), [child for each in NAMES for child in cluster.children(each)]
    if victim == "scheduler":
        children += [cluster.worker(each) for each in NAMES]
        cluster.end("scheduler")
    elif victim == "leader":
        run.process.kill()
    elif victim == "child":
        found = cluster.children(name)
        assert found or stage == "publish"  # the leader may have ended it
        for child in found:
            child.kill()
    elif victim == "nanny":
        psutil.Process(cluster.processes[name].pid).kill()
        eventually(lambda: not is_alive(worker), "the end of its worker")
    else:
        worker.kill()
    return children


SENTENCES = {
    "child": r"a worker process was killed .*",
    "scheduler": r"the connection to the scheduler was lost; .*",
}


@pytest.mark.parametrize(
    ("stage", "victim"),
    [case if case in ALWAYS else pytest.param(*case, marks=longer) for case in CASES],
    ids=lambda part: part.replace(" ", "_"),
)
def test_killed(stage: str, victim: str, request: pytest.FixtureRequest, local: Path, tmp_path: Path) -> None:
    """A lost worker's work is done by others. Without its scheduler or a process of its own a run fails, unless all is
    read. What a killed leader leaves, the next run removes."""
    site: Site = request.getfixturevalue("alone" if LONGER and "nanny" not in victim else "nannied")
    site.mend()
    output = tmp_path / "output"
    output.mkdir()
    with held(site, output, stage) as (run, go_on):
        ending = kill(site, run, stage, victim)
        if stage in ("lock", "publish") or victim not in SENTENCES:
            go_on()
        if victim == "leader":
            run.end()
            assert [*output.glob(".partial-*")]
        elif victim in SENTENCES and stage != "publish":
            if run.end() and stage == "preflight":
                go_on()  # nobody ends a login that a server does not grant
            run.check_failed(4, SENTENCES[victim])
        else:
            check_published(run, local)
    if victim == "leader":
        run.check_gone()
        with running(site.uri, output, "--cluster", site.cluster.address) as again:
            check_published(again, local)
    assert [path.name for path in output.iterdir() if path.name.startswith(".partial")] == []
    check_idle(site.cluster, ending)
