"""A real scheduler and real `dask worker` processes, each with a home, a working directory and an environment of its
own."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

import psutil
from distributed import Client, Scheduler

from exporter.pipeline.cluster_client import present_workers
from tests.support.export_process import command_of, eventually

DASK = Path(sys.executable).with_name("dask")
ALONE = ("--nthreads", "1", "--no-nanny")


@dataclass
class DaskCluster:
    """A scheduler at an address, and its workers by their names; logs are in the directory."""

    directory: Path
    source: str
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    address: str = ""

    def start(
        self, name: str, command: Sequence[str | Path], before: Sequence[str | Path] = (), **variables: str | None
    ) -> None:
        """Starts a process. What the test's environment says of a source does not reach it, nor do variables that are
        None here."""
        home = self.directory / name
        home.mkdir(exist_ok=True)
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("EXPORTER_", "PG"))}
        environment = inherited | {"HOME": str(home), "TMPDIR": str(home)} | variables
        with (self.directory / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [*before, DASK, *command],
                cwd=home,
                env={key: value for key, value in environment.items() if value is not None},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start_scheduler(self, protocol: str = "tcp", **variables: str) -> None:
        here = ("--protocol", protocol, "--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0")
        self.start("scheduler", ["scheduler", *here], **variables)
        at = re.compile(r"Scheduler at:\s+(\w+://\S+)")
        found = eventually(lambda: at.search(self.log("scheduler")), "a scheduler")
        assert found is not None
        self.address = found[1]

    def start_worker(
        self,
        name: str,
        options: Sequence[str] = ALONE,
        before: Sequence[str | Path] = (),
        **variables: str | None,
    ) -> None:
        """Starts a worker that reads the cluster's source unless it is told otherwise."""
        command = ["worker", self.address, "--name", name, *options]
        self.start(name, command, before, **{"EXPORTER_SOURCE": self.source} | variables)

    def wait_for(self, *names: str, lost: str = "") -> None:
        """Waits until the scheduler knows these workers, or no longer knows one."""

        def found() -> bool:
            present = {str(known["name"]) for known in present_workers(client).values()}
            return set(names) <= present and lost not in present

        with Client(self.address, set_as_default=False) as client:
            eventually(found, f"the workers {names} without {lost}")

    def log(self, name: str) -> str:
        path = self.directory / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def busy(self) -> str:
        """The name of the worker that has tasks, as soon as it is the only one."""
        with Client(self.address, set_as_default=False) as client:
            names = {address: known["name"] for address, known in present_workers(client).items()}

            def found() -> list[str]:
                return [names[address] for address, keys in client.processing().items() if keys]

            eventually(lambda: len(found()) == 1, "one busy worker")
            [name] = found()
            return name

    def names(self) -> list[str]:
        """The names of all workers."""
        return [name for name in self.processes if name != "scheduler"]

    def worker(self, name: str) -> psutil.Process:
        """The process of a worker: under a nanny, the nanny's child."""
        process = psutil.Process(self.processes[name].pid)
        if "scheduler" in command_of(process) or "--no-nanny" in command_of(process):
            return process
        [worker] = spawned(process)
        return worker

    def children(self, name: str) -> list[psutil.Process]:
        """The processes that do tasks in a worker: one, or none."""
        return spawned(self.worker(name))

    def family(self) -> list[psutil.Process]:
        """All processes of the cluster."""
        found = [psutil.Process(process.pid) for process in self.processes.values()]
        return [*found, *(child for process in found for child in process.children(recursive=True))]

    def pages(self) -> dict[str, bytes]:
        """What the scheduler's pages tell of workers and tasks, by their paths."""
        at = re.search(r"dashboard at:\s+(http://[^/\s]+)/", self.log("scheduler"))
        assert at is not None
        with Client(self.address, set_as_default=False) as client:
            workers = [quote(address, safe="") for address in present_workers(client)]
        paths = [
            "/info/main/workers.html",
            "/info/main/logs.html",
            "/json/counts.json",
            "/json/identity.json",
            "/metrics",
        ]
        paths += [f"/info/{page}/{worker}.html" for page in ("worker", "logs", "call-stacks") for worker in workers]
        found = {}
        for path in paths:
            try:
                with urlopen(f"{at[1]}{path}", timeout=30) as answer:
                    found[path] = answer.read()
            except HTTPError as error:  # Dask's own, as of the stack of a task that has just ended
                found[path] = error.read()
        return found

    def dump(self, path: Path) -> bytes:
        """Dask's dump of the state of scheduler and workers."""
        with Client(self.address, set_as_default=False) as client:
            client.dump_cluster_state(str(path), format="yaml")
        return path.with_suffix(".yaml").read_bytes()

    def remains(self) -> list[str]:
        """What the scheduler still has of runs: tasks, plug-ins."""

        def found(dask_scheduler: Scheduler) -> list[str]:
            ours = (name for name in dask_scheduler.worker_plugins if name.startswith("exporter-"))
            return [*map(str, dask_scheduler.tasks), *ours]

        with Client(self.address, set_as_default=False) as client:
            return list(client.run_on_scheduler(found))

    def end(self, name: str) -> None:
        """Kills a process with all that it has started."""
        process = self.processes.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def spawned(process: psutil.Process) -> list[psutil.Process]:
    """The processes that Python's multiprocessing started directly below one."""
    return [child for child in process.children() if "spawn_main" in " ".join(command_of(child))]


@contextmanager
def dask_cluster(
    directory: Path,
    source: str,
    workers: Mapping[str, Mapping[str, str]],
    protocol: str = "tcp",
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[DaskCluster]:
    """A scheduler with its variables, and its workers by their names with theirs, while the block runs."""
    cluster = DaskCluster(directory, source)
    try:
        cluster.start_scheduler(protocol, **variables)
        for name, of_worker in workers.items():
            cluster.start_worker(name, **of_worker)
        if workers:
            cluster.wait_for(*workers)
        yield cluster
    finally:
        for name in list(cluster.processes):
            cluster.end(name)
