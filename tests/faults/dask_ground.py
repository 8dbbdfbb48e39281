"""A ground with a Dask cluster whose scheduler and workers live for many runs: whoever has died is started again."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from distributed import Client

from tests.faults.change import make_changing
from tests.faults.copies import key_file
from tests.faults.frame import Inject, Outcome, under
from tests.faults.ground import Ground, reference_of
from tests.faults.nth_failure import Preloaded, compiled
from tests.faults.server import server_ground
from tests.faults.wire import Wire, wire
from tests.support.cluster_runs import DASK_S_OWN
from tests.support.dask_cluster import DaskCluster
from tests.support.export_process import eventually

NAMES = ("one", "two")
SCHEDULER = "scheduler"
SETTING = "EXPORTER_CLUSTER"


class LivingCluster:
    """The cluster of a ground. Its workers reach the source by a proxy of their own, `readers`, and have a library
    preloaded, `loaded`, that makes calls fail; `doomed` are those that a fault may end."""

    def __init__(self, ground: Ground, readers: Wire) -> None:
        self.ground, self.readers = ground, readers
        (ground.directory / "cluster").mkdir()
        self.dask = DaskCluster(ground.directory / "cluster", readers.uri)
        self.loaded = Preloaded(compiled(ground.directory), ground.directory / "state")
        self.doomed: set[str] = set()
        self.heard: dict[str, int] = {}

    def heal(self) -> None:
        """Has scheduler and workers be there, and runs use them."""
        self.doomed = set()
        self.loaded.disarm()
        if not self.lives(SCHEDULER):
            self.begin()
        for name in NAMES:
            if not self.lives(name):
                self.start(name)
        try:
            self.dask.wait_for(*NAMES)
        except (AssertionError, OSError):
            self.begin()
            for name in NAMES:
                self.start(name)
            self.dask.wait_for(*NAMES)
        self.ground.environment[SETTING] = self.dask.address

    def begin(self) -> None:
        """Starts a scheduler anew, whose log begins anew, too: it tells the address."""
        self.end()
        (self.dask.directory / f"{SCHEDULER}.log").unlink(missing_ok=True)
        self.heard[SCHEDULER] = 0
        self.dask.start_scheduler()

    def start(self, name: str) -> None:
        """Starts a worker anew."""
        if name in self.dask.processes:
            self.dask.end(name)
        of_the_source = {name: value for name, value in self.ground.environment.items() if name != SETTING}
        variables = {"EXPORTER_REDACT_KEY_FILE": str(key_file(self.ground)), **of_the_source, **self.loaded.environment}
        self.dask.start_worker(name, **variables)

    def lives(self, name: str) -> bool:
        """Whether a process of the cluster runs."""
        return name in self.dask.processes and self.dask.processes[name].poll() is None

    def end(self) -> None:
        """Ends all of its processes."""
        for name in list(self.dask.processes):
            self.dask.end(name)

    def sessions(self) -> dict[int, bool]:
        """The sessions of its processes; workers know how to reach the source."""
        return {process.pid: name != SCHEDULER for name, process in self.dask.processes.items()}

    def printed(self) -> dict[str, str]:
        """What its processes have said since this was last asked."""
        said = {}
        for name in (SCHEDULER, *NAMES):
            text = self.dask.log(name)
            said[f"the log of {name}"] = text[self.heard.get(name, 0) :]
            self.heard[name] = len(text)
        return said

    def complaint(self) -> str:
        """What is wrong with the cluster after a run; nothing if it is ready for the next one: nothing of any run is
        left, and whoever no fault has ended is there and answers."""
        alive = [name for name in NAMES if self.lives(name)]
        if SCHEDULER in self.doomed:  # without it, workers end, as they should
            return ""
        if lost := [name for name in (SCHEDULER, *NAMES) if not self.lives(name) and name not in self.doomed]:
            return f"ended: {', '.join(lost)}"
        try:
            eventually(lambda: not any(self.dask.children(name) for name in alive), "the end of all children")
            eventually(lambda: not self.dask.remains(), "a scheduler without tasks and plug-ins")
            with Client(self.dask.address, set_as_default=False) as client:
                eventually(lambda: len(client.run(os.getpid)) >= len(alive), "an answer of every worker")
        except Exception as error:
            return f"the cluster: {type(error).__name__}: {error}"
        left = [path.name for name in alive for path in (self.dask.directory / name).iterdir()]
        return f"in a worker's directory: {left}" if set(left) - DASK_S_OWN else ""


# By the directories of their grounds.
CLUSTERS: dict[Path, LivingCluster] = {}


@contextmanager
def dask_ground() -> Iterator[Ground]:
    """A ground whose exports are done by a cluster; the reference is that of an export by this machine."""
    with server_ground(make_changing) as ground:
        ground.reference = reference_of(ground)
        with living_cluster(ground):
            yield ground


@contextmanager
def living_cluster(ground: Ground) -> Iterator[None]:
    """While the block runs, exports of this ground are done by a cluster."""
    with wire(ground.uri) as readers:
        cluster = CLUSTERS[ground.directory] = LivingCluster(ground, readers)
        ground.workers, ground.printed = cluster.sessions, cluster.printed
        try:
            cluster.heal()
            yield
        finally:
            cluster.end()
            del CLUSTERS[ground.directory]


def whole(ground: Ground, inject: Inject) -> None:
    """An undisturbed run by the cluster, to be recorded."""
    CLUSTERS[ground.directory].heal()
    verdict = under(inject)(ground, ground.attempt_directory())
    assert verdict.outcome is Outcome.WHOLE, verdict
