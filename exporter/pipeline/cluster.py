"""The workers of a Dask cluster instead of this machine's: beside pool.py, with the same methods.

Dask schedules, gives a lost worker's tasks to others, and shows its dashboard. Ours is the edge: who takes part
(cluster_preflight.py), where a task runs (cluster_plugin.py), and that every end is one of the contract's.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import dask
import psycopg
from distributed import Client, KilledWorker

from exporter.errors import ExporterError, RunError, UsageError
from exporter.interrupts import disable_interrupts, start_thread
from exporter.pipeline.cluster_client import GONE, LOST, answer, answers, connected_client, present_workers
from exporter.pipeline.cluster_facts import portable_leftovers
from exporter.pipeline.cluster_plugin import Child
from exporter.pipeline.cluster_preflight import Member, Preflight, note_of
from exporter.pipeline.cluster_source import proof_of
from exporter.pipeline.pool import TICK_SECONDS, worker_killed
from exporter.pipeline.standstill import Standstill
from exporter.pipeline.workers import Arguments, Enrolled, Result, Run
from exporter.settings import Settings
from exporter.sink.layout import HEARTBEATS
from exporter.sink.manifest import ClusterEntry
from exporter.source.queries import OwnAddress
from exporter.source.refusals import run_error
from exporter.source.slots import free_sessions
from exporter.text import quantity

logger = logging.getLogger(__name__)

# How often the scheduler is asked who is there, how long it may stay silent, and how long an end may take.
ROLL_SECONDS, SILENT_SECONDS, END_SECONDS = 1.0, 60.0, 15.0
# What workers have spent arrives with their heartbeats, of which each of many sends few: of 200 one in 2 seconds.
LEAST_IDLE_SECONDS, WORKERS_A_SECOND = 5.0, 50
PREFIX = "exporter-"
CAUSES = "one is suspended, the disk of the output directory hangs, or messages to the scheduler or from it are lost"
KILLED = (
    "the same task lost several workers: if their memory ran out, lower --memory; if a machine of several workers was"
    " lost, set DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES of the scheduler to as many; look at the workers' logs"
)


@dataclass(slots=True)
class Cluster:
    """The workers of a scheduler. `limit` is how many of them may be used; `members` are those that are, `present` the
    addresses that the scheduler knew when it last answered, at `answered`, and `spent` the CPU seconds of all; that was
    last looked at at `rolled`."""

    client: Client
    limit: int | None
    members: list[Member] = field(default_factory=list)
    present: frozenset[str] = frozenset()
    spent: float = 0.0
    answered: float = 0.0
    rolled: float = 0.0
    standstill: Standstill | None = None
    registering: threading.Event | None = None
    ended: threading.Event = field(default_factory=threading.Event)
    ending: threading.Thread | None = None
    awaited: bool = False

    @property
    def name(self) -> str:
        """That of the plug-in and of its executor: of this run alone, since others may use the same workers."""
        return f"{PREFIX}{self.client.id}"

    def enroll(self, run: Run) -> Enrolled:
        """Examines every worker, and starts a process in each that is used. Raises `UsageError` with all that is wrong
        with any, `SourceError` if the source has no free session, `RunError` if the source or the cluster fails."""
        own = OwnAddress(run.readers, run.lock_seconds, run.key.id if run.key else None)
        directory, free = run.directory.resolve(), free_sessions(run.connection)
        try:
            proof = proof_of(run.connection, run.snapshot.identity, run.snapshot.identifier)
        except psycopg.Error as error:
            raise run_error(error, "asking which server it is") from None
        self.asked(self.remove_leftovers)
        found = self.asked(Preflight(self.client, directory, own, proof, free).members)
        self.members = found[: min(len(found), free, self.limit or free)]
        self.present = frozenset(member.address for member in self.members)
        self.answered = self.rolled = time.monotonic()
        self.registering = threading.Event()
        self.asked(self.register)
        start_thread(self.call_the_roll)
        machines = [member.machine for member in self.members]
        used, hosts = len(machines), len(set(machines))
        idle = max(run.idle_seconds, LEAST_IDLE_SECONDS + used / WORKERS_A_SECOND)
        self.standstill = Standstill(run.directory / HEARTBEATS, idle, self.cpu_seconds, CAUSES)
        sharing, note = max(map(machines.count, machines)), note_of(used, len(found), limited=used == self.limit)
        logger.debug("%s on %s do the tasks. %s", quantity(used, "worker"), quantity(hosts, "machine"), note)
        return Enrolled(own, directory, used, sharing, ClusterEntry(used, hosts), note)

    def remove_leftovers(self) -> None:
        """Ends the processes of runs whose leaders were killed."""
        for name in self.client.run_on_scheduler(portable_leftovers(), PREFIX):
            self.client.unregister_worker_plugin(name)

    def register(self) -> None:
        """Starts a process in each worker that is used."""
        assert self.registering is not None
        try:
            readers = {member.address: (member.reader, member.ahead) for member in self.members}
            self.client.register_plugin(Child(self.name, readers), name=self.name)
        finally:
            self.registering.set()

    def asked(self, ask: Callable[[], Result]) -> Result:
        """What the cluster answers. Raises an `ExporterError`, whatever goes wrong."""
        try:
            return answer(ask)
        except ExporterError:
            raise
        except Exception as error:
            if not answers(self.client):
                raise RunError(LOST) from None
            raise RunError(f"the cluster refused the run ({type(error).__name__}); look at its workers' logs") from None

    def submit(
        self, task: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Future[Result]:
        """Submits a task: a function of tasks.py with its arguments. Raises `RunError` if the scheduler is gone."""
        where = [member.address for member in self.members]
        try:
            executor = self.client.get_executor(pure=False, workers=where, allow_other_workers=False, retries=0)
            with dask.annotate(executor=self.name):
                future: Future[Result] = executor.submit(task, *args, **kwargs)
        except ExporterError:
            raise
        except Exception:  # a client that found no scheduler again has closed itself
            raise RunError(LOST) from None
        return future

    def finished(self, futures: Sequence[Future[Result]], tick: Callable[[], None]) -> Iterator[Result]:
        """The results of tasks as they finish; `tick` is called about four times a second meanwhile. Raises a task's
        `ExporterError`, or `RunError` if the tasks can no longer be done."""
        unfinished = set(futures)
        while unfinished:
            done, unfinished = wait(unfinished, timeout=TICK_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                yield self.result(future)
            self.check_roll()
            tick()
            if unfinished and self.standstill:
                self.standstill.look()

    def result(self, future: Future[Result]) -> Result:
        """The result of a task that has ended. Raises an `ExporterError`, whatever went wrong."""
        try:
            return future.result()
        except ExporterError:
            raise
        except BrokenProcessPool:
            raise worker_killed() from None
        except KilledWorker:
            raise RunError(KILLED) from None
        except CancelledError:
            raise RunError(LOST) from None
        except Exception as error:
            raise RunError(f"the cluster failed ({type(error).__name__}); look at its workers' logs") from None

    def call_the_roll(self) -> None:
        """Asks the scheduler who is there, again and again until the run ends."""
        while not self.ended.wait(ROLL_SECONDS):
            with suppress(Exception):  # check_roll sees that the scheduler is silent
                found = present_workers(self.client)
                self.spent = sum(known["metrics"].get(self.name, 0.0) for known in found.values())
                self.present, self.answered = frozenset(found), time.monotonic()

    def cpu_seconds(self) -> float:
        """What the workers have spent so far; as long as the scheduler is silent, nothing is known of that."""
        silent = time.monotonic() - self.answered
        return self.spent + (silent if silent > 3 * ROLL_SECONDS else 0.0)

    def check_roll(self) -> None:
        """Raises `RunError` if the scheduler is gone, or every worker."""
        now = time.monotonic()
        if now - self.rolled > SILENT_SECONDS:  # this process stood still, or was busy: the silence was its own
            self.answered = now
        self.rolled = now
        if self.client.status != "running" or now - self.answered > SILENT_SECONDS:
            raise RunError(LOST)
        if self.members and not any(member.address in self.present for member in self.members):
            raise RunError(GONE)

    def lost(self) -> frozenset[str]:
        """The names of readers whose workers are gone, so that nothing more is heard of them."""
        return frozenset(member.reader for member in self.members if member.address not in self.present)

    def shutdown(self) -> None:
        """Lets the workers, whose tasks are all done, go while the caller continues. Tells of those that are lost."""
        if lost := [member.name for member in self.members if member.address not in self.present]:
            logger.warning("the cluster lost %s, whose tasks others did: look at its log", ", ".join(lost))
        self.ending = start_thread(self.leave)

    def kill(self) -> None:
        """Cancels every task and kills the processes that do them, at once. From now on, no signal interrupts the
        cleanup."""
        disable_interrupts()
        self.join()

    def join(self) -> None:
        """Waits until the workers have been let go, if the scheduler answers; only once, since one may never."""
        if self.ending is None:
            self.ending = start_thread(self.leave)
        if not self.awaited:
            self.awaited = True
            self.ending.join(END_SECONDS)

    def leave(self) -> None:
        """Removes the plug-in, whose processes end, and closes the connection, which ends all tasks."""
        self.ended.set()
        if self.registering is not None:  # what is removed before it is there would come to stay
            self.registering.wait(END_SECONDS / 3)
        with suppress(Exception):  # the scheduler may be gone, and with it every task
            if self.members and self.client.status == "running":
                self.client.unregister_worker_plugin(self.name)
        with suppress(Exception):
            self.client.close(timeout=END_SECONDS / 3)


@contextmanager
def cluster(settings: Settings) -> Iterator[Cluster]:
    """The workers of the scheduler that the settings name. When the block ends in an error, their tasks end.

    Raises as `connected_client` does, and `UsageError` for a masked copy with a key of one run.
    """
    assert settings.cluster is not None
    if settings.redaction and settings.redaction.key_file is None:
        raise UsageError(
            "a masked copy by a cluster needs a key that every machine has: give --redact-key here, and set"
            " EXPORTER_REDACT_KEY_FILE for every worker"
        )
    # Only a number that somebody chose is a limit: the default is that of one machine.
    limit = settings.workers if "workers" in settings.model_fields_set else None
    workers = Cluster(connected_client(settings.cluster), limit)
    try:
        yield workers
    except BaseException:
        workers.kill()
        raise
    workers.join()
