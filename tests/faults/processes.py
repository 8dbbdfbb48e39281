"""The suite of processes: signals to the leader, a worker or all of them at moments of every stage, limits of the
system, and a worker that stands still."""

import random
import re
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.faults.attempt import Attempt
from tests.faults.frame import KILLED, Fault, Inject, under
from tests.faults.ground import Ground, sample_ground
from tests.faults.records import Suite
from tests.support.export_process import command_of, processes

NAME = "processes"
STALL_SECONDS = 6
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOPPED = 130
# The beginnings of stages as they show from outside, and for how long after one a signal may come.
STAGES = ("handlers", "check", "keys", "tables", "publish", "published")
WITHIN_SECONDS = 0.4
MOMENTS = 20
WAIT_SECONDS = 60


def suite() -> Suite:
    return Suite(NAME, sample_ground, faults)


@dataclass(frozen=True, slots=True)
class Disturbance:
    """Signals to some processes of a run (leader, worker or group), the second one after a while; and the exit codes
    besides 0 that a run may end with."""

    name: str
    whom: str
    signals: tuple[signal.Signals, ...]
    codes: Collection[int]


DISTURBANCES = (
    *(Disturbance(f"{number.name} to the leader", "leader", (number,), (STOPPED,)) for number in STOPS),
    *(Disturbance(f"{number.name} to the group", "group", (number,), (STOPPED,)) for number in STOPS),
    *(Disturbance(f"{number.name} twice", "leader", (number, number), (STOPPED,)) for number in STOPS),
    Disturbance("SIGKILL to the leader", "leader", (signal.SIGKILL,), (KILLED,)),
    Disturbance("SIGKILL to the group", "group", (signal.SIGKILL,), (KILLED,)),
    Disturbance("SIGKILL to a worker", "worker", (signal.SIGKILL,), (4,)),
    Disturbance("SIGTERM to a worker", "worker", (signal.SIGTERM,), (4,)),
    Disturbance("SIGHUP to a worker", "worker", (signal.SIGHUP,), ()),
    Disturbance("SIGSTOP to a worker", "worker", (signal.SIGSTOP,), (4,)),
    Disturbance("SIGSTOP and SIGCONT to a worker", "worker", (signal.SIGSTOP, signal.SIGCONT), ()),
    Disturbance("SIGSTOP and SIGCONT to the leader", "leader", (signal.SIGSTOP, signal.SIGCONT), ()),
    Disturbance("SIGSTOP and SIGCONT to the group", "group", (signal.SIGSTOP, signal.SIGCONT), ()),
)
LIMITS = (
    *(f"ulimit -n {number}" for number in (8, 12, 16, 20, 24, 32, 48)),
    *(f"ulimit -f {kilobytes}" for kilobytes in (0, 1, 2, 4, 8, 16, 32, 64)),
    *(f"ulimit -v {megabytes << 10}" for megabytes in (150, 200, 300, 400, 500, 600, 800, 1000, 1200)),
)


def faults(ground: Ground, seed: int) -> Iterator[Fault]:
    """Every disturbance at moments of every stage, and every limit, in random order."""
    chance = random.Random(seed)
    every: list[tuple[str, Inject, Collection[int]]] = [
        (f"{what.name}, {seconds:.3f} s after {stage}", disturbing(what, stage, seconds), what.codes)
        for what in DISTURBANCES
        for stage in STAGES
        for seconds in (chance.uniform(0, WITHIN_SECONDS) for _ in range(MOMENTS))
    ]
    every += [(limit, limited(limit), (2, 3, 4)) for limit in LIMITS]
    chance.shuffle(every)
    for name, inject, codes in every:
        yield Fault(NAME, name, seed, under(inject, codes=codes, deadline=180))


def targets(attempt: Attempt, whom: str) -> list[psutil.Process]:
    """The processes that a signal is for."""
    assert attempt.process is not None
    alive = processes(attempt.process.pid)
    if whom == "group":
        return alive
    if whom == "leader":
        return [process for process in alive if process.pid == attempt.process.pid]
    return [process for process in alive if "spawn_main" in " ".join(command_of(process))][:1]


Targets = Callable[[Attempt, str], list[psutil.Process]]


def disturbing(what: Disturbance, stage: str, seconds: float, find: Targets = targets) -> Inject:
    """The injection of signals so many seconds after a stage has begun, to the processes that `find` finds."""

    @contextmanager
    def inject(attempt: Attempt) -> Iterator[None]:
        attempt.options += ["--workers", "2", "--stall-timeout", f"{STALL_SECONDS}s"]
        thread = threading.Thread(target=disturb, args=(attempt, what, stage, seconds, find), daemon=True)
        thread.start()
        yield
        thread.join()

    return inject


def disturb(attempt: Attempt, what: Disturbance, stage: str, seconds: float, find: Targets) -> None:
    """Sends the signals, if the run lasts that long."""
    attempt.started.wait()
    assert attempt.process is not None
    deadline = time.monotonic() + WAIT_SECONDS
    while not has_begun(attempt, stage):
        if attempt.process.poll() is not None or time.monotonic() > deadline:
            return
        time.sleep(0.002)
    time.sleep(seconds)
    found = find(attempt, what.whom)
    for number, sent in enumerate(what.signals):
        if number:
            time.sleep(1)
        for process in found:
            with suppress(psutil.Error):
                process.send_signal(sent)
                if attempt.process.poll() is None:
                    attempt.injected.set()


def has_begun(attempt: Attempt, stage: str) -> bool:
    """Whether a stage of the run has begun."""
    assert attempt.process is not None
    looks: dict[str, Callable[[], bool]] = {
        "handlers": lambda: catches(attempt.process.pid if attempt.process else 0, signal.SIGTERM),
        "check": lambda: any(attempt.output.glob(".partial-2*")),
        "keys": lambda: any(attempt.output.glob(".partial-2*/key-index/*/*")),
        "tables": lambda: any(attempt.output.glob(".partial-2*/nodes")),
        "publish": lambda: any(attempt.output.glob(".partial-2*/headers")),
        "published": lambda: any("T0" not in path.name for path in attempt.output.glob("2*Z")),
    }
    return looks[stage]()


def catches(process: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal."""
    with suppress(OSError):
        caught = re.search(r"^SigCgt:\s*([0-9a-f]+)", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
        return bool(caught and int(caught[1], 16) & 1 << (number - 1))
    return False


def limited(limit: str) -> Inject:
    """The injection of a limit of the system, as the shell sets it."""

    @contextmanager
    def inject(attempt: Attempt) -> Iterator[None]:
        attempt.command = ["bash", "-c", f'{limit} && exec "$@"', "bash"]
        attempt.options += ["--workers", "2", "--stall-timeout", f"{STALL_SECONDS}s"]
        attempt.injected.set()
        yield

    return inject
