"""Who does the tasks of a run: the processes of this machine, or those of a cluster. Both are used in the same way."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

from exporter.errors import UsageError

if TYPE_CHECKING:  # so that the processes of this machine are started before any of these is loaded
    from exporter.settings import Settings
    from exporter.sink.manifest import ClusterEntry
    from exporter.source.connection import Connection
    from exporter.source.leader import Snapshot
    from exporter.source.masking_key import RedactionKey
    from exporter.source.queries import Address, OwnAddress

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Run:
    """What those who do the tasks of a run need to know of it: the leader's connection and snapshot, the directory of
    the partial export, the prefix of the readers' application names, how long they wait for a lock, the key of a
    masked copy, and the seconds after which workers that do nothing are given up."""

    connection: "Connection"
    snapshot: "Snapshot"
    directory: Path
    readers: str
    lock_seconds: int
    key: "RedactionKey | None" = None
    idle_seconds: float = float("inf")


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Those who do the tasks of a run: how they reach the source, the run's directory as they know it, their number,
    and how many of them, at most, share one machine's memory.

    Of a cluster also what the manifest says of it, and which of its workers are not used, in a sentence.
    """

    address: "Address | OwnAddress"
    directory: Path
    workers: int
    sharing: int
    cluster: "ClusterEntry | None" = None
    note: str = ""


class Workers(Protocol):
    """What does the tasks of one run."""

    def enroll(self, run: Run) -> Enrolled:
        """Makes everything ready for the tasks of a run. Raises `UsageError`, `SourceError` or `RunError` if a worker
        cannot do them."""

    def submit(
        self, task: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Future[Result]:
        """Submits a task: a function of tasks.py with its arguments. Raises `RunError` if a worker was killed."""

    def finished(self, futures: Sequence[Future[Result]], tick: Callable[[], None]) -> Iterator[Result]:
        """The results of tasks as they finish; `tick` is called about four times a second meanwhile. Raises a task's
        `ExporterError`, or `RunError` if the tasks can no longer be done."""

    def lost(self) -> frozenset[str]:
        """The names of readers whose workers are gone, so that nothing more is heard of them."""

    def shutdown(self) -> None:
        """Lets the workers, whose tasks are all done, go while the caller continues."""

    def kill(self) -> None:
        """Ends every task at once. From now on, no signal interrupts the cleanup."""


def workers_of(settings: "Settings") -> AbstractContextManager[Workers]:
    """The workers that the settings ask for, for one run. When the block ends in an error, they are killed.

    Raises `UsageError` if a cluster is asked for and Dask is not installed.
    """
    if settings.cluster is None:
        from exporter.pipeline.pool import worker_pool

        return worker_pool(settings.workers)
    try:
        from exporter.pipeline.cluster import cluster  # loads Dask, which few need
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("dask", "distributed"):
            raise
        raise UsageError(
            "a cluster needs Dask, which is not installed: run pip install '.[cluster]' in a clone of the exporter"
        ) from None
    return cluster(settings)
