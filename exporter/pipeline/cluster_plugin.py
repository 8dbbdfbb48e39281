"""What runs in a worker of a cluster while a run lasts: one process of ours beside Dask's, which does the tasks."""

import multiprocessing
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

from distributed import WorkerPlugin

from exporter.pipeline.standstill import cpu_seconds
from exporter.pipeline.tasks import start_worker, warm_up


class Child(WorkerPlugin):  # Dask takes nothing else
    """The process that does a run's tasks in a worker, as `worker.executors[name]`. `readers` has the name of each
    worker's readers and how far its clock is ahead, by the worker's address; others get no process.

    A process of its own, since a panic of connectorx must not reach the worker's log, Polars reads its number of
    threads as it is loaded, and nothing but killing ends a stalled read.
    """

    def __init__(self, name: str, readers: Mapping[str, tuple[str, float]]) -> None:
        self.name = name
        self.readers = dict(readers)

    def setup(self, worker: Any) -> None:
        """Starts the process. Raises an error, which reaches the leader, if that is impossible."""
        if worker.address not in self.readers:
            return
        spawn = multiprocessing.get_context("spawn")
        start = partial(start_worker, *self.readers[worker.address])
        executor = ProcessPoolExecutor(1, mp_context=spawn, initializer=start)
        worker.executors[self.name] = executor
        # Told to the scheduler with each of the worker's heartbeats, which the leader asks for.
        worker.metrics[self.name] = lambda _: cpu_seconds(list((executor._processes or {}).values()))
        executor.submit(warm_up)

    def teardown(self, worker: Any) -> None:
        """Kills the process, whatever it is doing."""
        worker.metrics.pop(self.name, None)
        executor = worker.executors.pop(self.name, None)
        if executor is None:
            return
        for process in list((executor._processes or {}).values()):
            process.kill()
        executor.shutdown(wait=False, cancel_futures=True)
