"""The worker processes: spawned, given tasks, and always ended, whatever happens."""

import multiprocessing
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress

from exporter.errors import RunError, UsageError
from exporter.interrupts import abandon_threads, disable_interrupts, signals_blocked, start_thread
from exporter.pipeline.standstill import Standstill, own_cpu_seconds
from exporter.pipeline.tasks import start_worker, warm_up
from exporter.pipeline.workers import Arguments, Enrolled, Result, Run
from exporter.secrecy import secrets_hidden
from exporter.sink.layout import HEARTBEATS

TICK_SECONDS = 0.25
KILL_SECONDS = 10
# For all processes below: the one that keeps account of semaphores outlives a leader that is killed, and would tell of
# those that it then removes.
QUIET_TRACKER = "ignore:resource_tracker"
# Measured: the leader has up to 15 open files and two for each worker, a worker up to 23.
OPEN_FILES, OPEN_FILES_OF_A_WORKER = 64, 4
# How long the workers may take to end when there is nothing left to do; they take a tenth of a second.
END_SECONDS = 5


class Pool:
    """Worker processes of this machine behind an `Executor`."""

    def __init__(self, executor: ProcessPoolExecutor, workers: int) -> None:
        self.executor = executor
        self.workers = workers
        self.standstill: Standstill | None = None
        self.ending: threading.Thread | None = None

    def enroll(self, run: Run) -> Enrolled:
        """The address for the workers, who need nothing more. Raises `SourceError` if connectorx cannot be as strict as
        the leader."""
        from exporter.source.reader_address import worker_address  # psycopg is loaded while the workers start

        self.standstill = Standstill(run.directory / HEARTBEATS, run.idle_seconds, own_cpu_seconds)
        settings = run.key.settings() if run.key else None
        address = worker_address(run.connection, run.readers, lock_seconds=run.lock_seconds, settings=settings)
        return Enrolled(address, run.directory, self.workers, self.workers)

    def submit(
        self, task: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Future[Result]:
        """Submits a task: a function of tasks.py with its arguments. Raises `RunError` if a worker was killed."""
        try:
            with signals_blocked():  # it may spawn a worker
                return self.executor.submit(task, *args, **kwargs)
        except BrokenProcessPool:
            raise worker_killed() from None

    def finished(self, futures: Sequence[Future[Result]], tick: Callable[[], None]) -> Iterator[Result]:
        """The results of tasks as they finish; `tick` is called about four times a second meanwhile. Raises a task's
        `ExporterError`, or `RunError` if a worker was killed, or if none has done anything for too long."""
        unfinished = set(futures)
        while unfinished:
            done, unfinished = wait(unfinished, timeout=TICK_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                try:
                    yield future.result()
                except BrokenProcessPool:
                    raise worker_killed() from None
            tick()
            if unfinished and self.standstill:
                self.standstill.look()

    def lost(self) -> frozenset[str]:
        """No reader is lost here: the run ends with the first worker that is killed."""
        return frozenset()

    def shutdown(self) -> None:
        """Lets the workers, whose tasks are all done, exit while the caller continues.

        Measured: they take 0.1 s, 4 % of an export of a million rows.
        """
        self.ending = start_thread(self.shut_down)

    def join(self) -> None:
        """Waits until the workers and the executor's thread have ended: at exit, the interpreter would wake that thread
        through a pipe that may be closed by then. A worker that does not end, such as one that is suspended, is
        killed: its tasks are done. One that not even that ends is left to the system."""
        ending = self.ending or start_thread(self.shut_down)
        ending.join(END_SECONDS)
        if ending.is_alive():
            kill_workers()
            ending.join(KILL_SECONDS)
        if ending.is_alive():
            abandon_threads()

    def shut_down(self) -> None:
        """Waits until the workers have ended; no task that is left begins."""
        with suppress(RuntimeError):  # the system allowed the executor no thread of its own to wait for
            self.executor.shutdown(cancel_futures=True)

    def kill(self) -> None:
        """Kills every worker at once, since a worker in a stalled read reacts to nothing else. From now on, no signal
        interrupts the cleanup."""
        disable_interrupts()
        kill_workers()
        self.join()


@contextmanager
def worker_pool(workers: int) -> Iterator[Pool]:
    """Spawned workers (fork hangs Polars and connectorx), which start loading at once.

    When the block ends in an error, the workers are killed. Raises `UsageError` if the system allows too few open
    files.
    """
    allow_open_files(OPEN_FILES + OPEN_FILES_OF_A_WORKER * workers)
    spawn = multiprocessing.get_context("spawn")
    if QUIET_TRACKER not in sys.warnoptions:
        sys.warnoptions.append(QUIET_TRACKER)
    # It starts the process that keeps account, which a closed terminal would kill.
    with signals_blocked(), secrets_hidden():
        executor = ProcessPoolExecutor(workers, mp_context=spawn, initializer=start_worker)
    pool = Pool(executor, workers)
    try:
        with secrets_hidden():  # the workers are told the address through a pipe
            for _ in range(workers):
                pool.submit(warm_up)
        yield pool
    except BaseException:
        pool.kill()
        raise
    pool.join()


def allow_open_files(wanted: int) -> None:
    """Has this process and its workers open so many files, of which the system may allow more than it did so far. With
    too few, libraries fail somewhere and say that of the network. Raises `UsageError` if it does not allow as many."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY in (allowed, most) or allowed >= wanted:
        return
    if most < wanted:
        raise UsageError(
            f"the system allows {most} open files here, and an export may need {wanted}: allow more (ulimit -n), or "
            "use fewer --workers"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def worker_killed() -> RunError:
    return RunError("a worker process was killed (out of memory?); lower --memory or --workers and run it again")


def kill_workers() -> None:
    """Kills every worker and waits until it has ended."""
    deadline = time.monotonic() + KILL_SECONDS
    children = multiprocessing.active_children()
    for child in children:
        child.kill()
    for child in children:
        child.join(max(0.0, deadline - time.monotonic()))
