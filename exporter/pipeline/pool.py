"""The worker processes: spawned, fed with tasks, and ended whole, whatever happens."""

import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from exporter.errors import RunError
from exporter.interrupts import disable_interrupts, signals_blocked

TICK_SECONDS = 0.25


class Pool:
    """Worker processes behind an `Executor`."""

    def __init__(self, executor: ProcessPoolExecutor) -> None:
        self.executor = executor
        self.ending: threading.Thread | None = None

    def shutdown(self) -> None:
        """Lets the workers end, all tasks being done; that takes them 0.1 s, and nobody waits for them here."""
        self.ending = threading.Thread(target=self.executor.shutdown)
        self.ending.start()

    def kill(self) -> None:
        """Ends every worker at once: a stalled read hears nothing else. From now on no signal disturbs the end."""
        disable_interrupts()
        kill_workers()
        self.end()

    def end(self) -> None:
        """Waits for the end of the workers, and for that of the executor's thread: at its own end the interpreter would
        wake it, by a pipe that it may have closed."""
        if self.ending:
            self.ending.join()
        else:
            self.executor.shutdown(cancel_futures=True)

    def submit(self, work: str, *arguments: Any) -> Future[Any]:
        """Gives the workers a task: a function of worker.py by its name, and its arguments."""
        try:
            with signals_blocked():  # it may start a worker
                return self.executor.submit(perform, work, *arguments)
        except BrokenProcessPool:
            raise killed() from None

    def finished(self, futures: list[Future[Any]], tick: Callable[[], None]) -> Iterator[Any]:
        """The results of tasks as they finish; `tick` is called about four times a second meanwhile. Raises a task's
        `ExporterError`, or `RunError` for a killed worker."""
        open_futures = set(futures)
        while open_futures:
            done, open_futures = wait(open_futures, timeout=TICK_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                try:
                    yield future.result()
                except BrokenProcessPool:
                    raise killed() from None
            tick()


def perform(work: str, *arguments: Any) -> Any:
    """Calls a function of worker.py. By its name, since its module loads Polars, which costs the leader half a second
    and 60 MB that it has no use for."""
    # The workers are the parallelism; and a backtrace of connectorx could quote rows.
    os.environ |= {"POLARS_MAX_THREADS": "1", "RUST_BACKTRACE": "0"}
    return getattr(import_module("exporter.pipeline.worker"), work)(*arguments)


def killed() -> RunError:
    return RunError("a worker process was killed (out of memory?); lower --memory or --workers and run it again")


@contextmanager
def worker_pool(workers: int) -> Iterator[Pool]:
    """Spawned workers (fork hangs Polars and connectorx), which begin to load at once.

    When the block ends in an error, the workers are killed.
    """
    spawn = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(workers, mp_context=spawn, initializer=perform, initargs=("start",))
    pool = Pool(executor)
    try:
        with main_module_hidden():
            for _ in range(workers):
                pool.submit("warm_up")
        yield pool
    except BaseException:
        pool.kill()
        raise
    pool.end()


@contextmanager
def main_module_hidden() -> Iterator[None]:
    """Keeps a spawned process from running the command's script again: it would load the command line for nothing."""
    main = sys.modules["__main__"]
    file = main.__dict__.pop("__file__", None)
    try:
        yield
    finally:
        if file is not None:
            main.__dict__["__file__"] = file


def kill_workers() -> None:
    """Kills every worker and waits until it is gone."""
    deadline = time.monotonic() + 10
    children = multiprocessing.active_children()
    for child in children:
        child.kill()
    for child in children:
        child.join(max(0.0, deadline - time.monotonic()))
