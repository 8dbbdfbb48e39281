"""The suite of clusters: the faults of other suites, met by exports that the workers of a Dask cluster do, and those
that only a cluster has."""

import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import psutil

from tests.faults import change, network, server
from tests.faults.attempt import Attempt
from tests.faults.calls import failures, run_of
from tests.faults.cluster_network import of_readers, of_the_scheduler
from tests.faults.dask_ground import CLUSTERS, NAMES, SCHEDULER, dask_ground, whole
from tests.faults.frame import RIGHT, Fault, Inject, Outcome, Verdict, under
from tests.faults.ground import Ground
from tests.faults.network import DEADLINE
from tests.faults.nth_failure import JUMP, KILL, Failure
from tests.faults.processes import DISTURBANCES, MOMENTS, STAGES, WITHIN_SECONDS, Disturbance, disturbing, targets
from tests.faults.records import Suite, mixed

NAME = "cluster"
WORKER, CHILD = "a worker", "a worker's process"
# The worker that meets what only one does.
ONE = NAMES[0]
OTHERS = (
    Disturbance("SIGKILL to a worker", WORKER, (signal.SIGKILL,), (4,)),
    Disturbance("SIGTERM to a worker", WORKER, (signal.SIGTERM,), (4,)),
    Disturbance("SIGSTOP to a worker", WORKER, (signal.SIGSTOP,), (4,)),
    Disturbance("SIGSTOP and SIGCONT to a worker", WORKER, (signal.SIGSTOP, signal.SIGCONT), (4,)),
    Disturbance("SIGKILL to a worker's process", CHILD, (signal.SIGKILL,), (4,)),
    Disturbance("SIGSTOP to a worker's process", CHILD, (signal.SIGSTOP,), (4,)),
    Disturbance("SIGSTOP and SIGCONT to a worker's process", CHILD, (signal.SIGSTOP, signal.SIGCONT), ()),
    Disturbance("SIGKILL to the scheduler", SCHEDULER, (signal.SIGKILL,), (4,)),
    Disturbance("SIGTERM to the scheduler", SCHEDULER, (signal.SIGTERM,), (4,)),
    Disturbance("SIGSTOP and SIGCONT to the scheduler", SCHEDULER, (signal.SIGSTOP, signal.SIGCONT), ()),
)


def suite() -> Suite:
    return Suite(NAME, dask_ground, faults)


def faults(ground: Ground, seed: int) -> Iterator[Fault]:
    """Faults of the leader's connection, of readers', of the scheduler's, of the server, of calls and processes, and
    concurrent changes, in random order."""
    every = {
        "leader": network.faults(ground, seed),
        "readers": of_readers(NAME, ground, seed),
        "scheduler": of_the_scheduler(NAME, ground, seed),
        "server": server.faults(ground, seed),
        "change": change.faults(ground, seed),
        "calls": of_calls(ground, seed),
        "processes": of_processes(seed),
    }
    for name, fault in mixed(every, random.Random(seed)):
        yield Fault(NAME, f"{name}: {fault.name}", seed, by_the_cluster(fault, restored=name == "change"))


def by_the_cluster(fault: Fault, *, restored: bool) -> Callable[[Ground, Path], Verdict]:
    """The `run` of a fault by the ground's cluster, which has to be ready for the next run; the source is `restored` if
    others changed it."""

    def run(ground: Ground, directory: Path) -> Verdict:
        cluster = CLUSTERS[ground.directory]
        cluster.heal()
        verdict = fault.run(ground, directory)
        complaint = cluster.complaint()
        if restored:
            ground.restore()
        if verdict.outcome in RIGHT and complaint:
            return Verdict(Outcome.LEFT_BEHIND, complaint, verdict.code, verdict.seconds, verdict.injected)
        return verdict

    return run


def of_calls(ground: Ground, seed: int) -> Iterator[Fault]:
    """Calls of leader and workers below the output that fail, or kill their process."""
    calls: dict[str, int] = {}

    @contextmanager
    def count(attempt: Attempt) -> Iterator[None]:
        with armed(attempt, Failure()):
            yield
            calls.update(CLUSTERS[attempt.ground.directory].loaded.by_kind)

    whole(ground, count)
    every = [failure for failure in failures(calls) if failure.action != JUMP]
    random.Random(seed).shuffle(every)
    for failure in every:
        yield Fault(NAME, str(failure), seed, run_of(failure, failing(failure)))


def failing(failure: Failure) -> Inject:
    """The injection of a call that fails in whichever process of leader and workers."""
    return lambda attempt: armed(attempt, failure)


@contextmanager
def armed(attempt: Attempt, failure: Failure) -> Iterator[None]:
    """While the block runs, a call below the output of a run fails."""
    cluster = CLUSTERS[attempt.ground.directory]
    cluster.loaded.arm(attempt.output, failure)
    cluster.doomed |= set(NAMES) if failure.action == KILL else set()
    attempt.environment |= cluster.loaded.environment
    attempt.options += ["--stall-timeout", "10s"]
    yield
    if cluster.loaded.reached:
        attempt.injected.set()
    cluster.loaded.disarm()


def of_processes(seed: int) -> Iterator[Fault]:
    """Signals to the leader, the scheduler, a worker, or its process that does the tasks, at moments of every stage."""
    chance = random.Random(seed)
    leaders = (what for what in DISTURBANCES if what.whom == "leader")
    every = [
        (what, stage, chance.uniform(0, WITHIN_SECONDS))
        for what in (*leaders, *OTHERS)
        for stage in STAGES
        for _ in range(MOMENTS)
    ]
    chance.shuffle(every)
    for what, stage, seconds in every:
        run = under(signalling(what, stage, seconds), codes=what.codes, deadline=DEADLINE)
        yield Fault(NAME, f"{what.name}, {seconds:.3f} s after {stage}", seed, run)


def signalling(what: Disturbance, stage: str, seconds: float) -> Inject:
    """The injection of signals; whoever is stopped for good goes on after the run."""

    def find(attempt: Attempt, whom: str) -> list[psutil.Process]:
        cluster = CLUSTERS[attempt.ground.directory]
        if whom == "leader":
            return targets(attempt, whom)
        if {signal.SIGKILL, signal.SIGTERM} & set(what.signals) and whom != CHILD:
            cluster.doomed.add(SCHEDULER if whom == SCHEDULER else ONE)
        found = list[psutil.Process]()
        with suppress(psutil.Error):
            one = cluster.dask.worker(SCHEDULER if whom == SCHEDULER else ONE)
            found += cluster.dask.children(ONE) if whom == CHILD else [one]
        if signal.SIGSTOP in what.signals:
            attempt.at_end += [partial(go_on, process) for process in found]
        return found

    return disturbing(what, stage, seconds, find)


def go_on(process: psutil.Process) -> None:
    """Lets a process go on that was stopped, if it is still there."""
    with suppress(psutil.Error):
        process.resume()
