"""The suite of the swap: a rebuild or a rollback is killed, interrupted, or met by a failure at every call that it
makes below Neo4j's data and the output, and around the commands that stop and start Neo4j; or the host loses power. The
next `--repair` brings back a graph that answers: the old or the new one, whole.

Neo4j itself is stood in for (stand_in.py); swap_server.py has real servers, and agrees.
"""

import errno
import itertools
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults import swap_power
from tests.faults.frame import KILLED, Fault, Outcome, Verdict
from tests.faults.ground import Ground
from tests.faults.nth_failure import ERRORS, KILL, SHORT, SIGNALS, Failure, compiled, preloaded
from tests.faults.records import Suite
from tests.faults.swap_site import KINDS, Site, Swapping, swapping
from tests.faults.swap_verdicts import STALE, after_failure, after_repair, said_wrongly
from tests.faults.swapping import Order

NAME = "swap"
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# The exit codes of the contract: what fails before the swap, in it, and for good.
FAILED = (0, 1, 2, 4, 7, 8)
INTERRUPTED = (0, 130)
# What a stop or start command does to the run that waits for it, before, after or in place of its own work.
MOMENTS = ("{signal}; {work}", "{work} {signal}", "{signal}")
# What takes room on a disk.
ROOM = ("write", "mkdir", "link")
OUTCOMES = {"traceback": Outcome.TRACEBACK, "wrong code": Outcome.WRONG_CODE, "left behind": Outcome.LEFT_BEHIND}
TIMED_OUT = -signal.SIGALRM

# Of each ground, by its directory.
programs: dict[Path, Swapping] = {}


def suite() -> Suite:
    return Suite(NAME, swap_ground, faults)


@contextmanager
def swap_ground() -> Iterator[Ground]:
    """A ground without a source: a program that swaps."""
    with TemporaryDirectory(prefix="faults-") as name:
        directory = Path(name)
        with preloaded(compiled(directory), directory) as library, swapping(library, directory) as program:
            programs[directory] = program
            yield Ground("", "", directory, {})


def faults(ground: Ground, seed: int) -> Iterator[Fault]:
    """Every one, in random order."""
    chance = random.Random(seed)
    every: list[tuple[str, Callable[[Ground, Path], Verdict]]] = []
    for kind in KINDS:
        found = failures(programs[ground.directory], kind)
        every += [(f"{kind}: {failure}", partial(failing, kind, failure)) for failure in found]
        every += [(f"{kind}: {name}", partial(commanded, kind, change, name)) for name, change in commands().items()]
    losses = swap_power.losses(programs[ground.directory], seed)
    every += [(name, partial(judged, partial(lost, loss))) for name, loss in losses]
    chance.shuffle(every)
    for name, run in every:
        yield Fault(NAME, name, seed, run)


def failures(program: Swapping, kind: str) -> Iterator[Failure]:
    """Every call of an undisturbed run, with everything that can become of it."""
    calls = counted(program, kind)
    numbers = range(1, sum(calls.values()) + 1)
    yield from (Failure("any", number, KILL) for number in numbers)
    for call, last in calls.items():
        for number, action in itertools.product(range(1, last + 1), (*ERRORS, *([SHORT] if call == "write" else []))):
            yield Failure(call, number, action)
    yield from (Failure("any", number, errno.EIO, sticky=True) for number in numbers)
    for call in ROOM:
        yield from (Failure(call, number, errno.ENOSPC, sticky=True) for number in range(1, calls[call] + 1))
    yield from (Failure("any", number, SIGNALS - stop) for number, stop in zip(numbers, itertools.cycle(STOPS)))


def counted(program: Swapping, kind: str) -> dict[str, int]:
    """The calls of an undisturbed run, by their kind."""
    site = begun(program, kind)
    program.library.arm(site.directory, Failure())
    code = program.carry_out(site.order)
    assert (code, after_failure(site, code, lasting=False)) == (0, ""), site.text("stderr")
    return program.library.by_kind


def commands() -> dict[str, tuple[str, str]]:
    """Which command, `stop` or `start`, does what in place of its own work, by a name."""
    return {
        f"{number.name} by the {verb} command: {moment.format(signal='it', work='its work')}": (
            verb,
            moment.replace("{signal}", f"kill -{number.value} $PPID"),
        )
        for verb, moment, number in itertools.product(("stop", "start"), MOMENTS, (*STOPS, signal.SIGKILL))
    }


def begun(program: Swapping, kind: str) -> Site:
    """The site before what is tried, with its server running, if it has one."""
    site = program.prepare(kind)
    if kind != "nothing":
        site.start()
    return site


def judged(run: Callable[[Ground, Path], str | None], ground: Ground, directory: Path) -> Verdict:
    """The verdict on what a run of a fault says is wrong; None if the fault did not happen."""
    began = time.monotonic()
    wrong = run(ground, directory)
    seconds = round(time.monotonic() - began, 1)
    if not wrong:
        return Verdict(Outcome.REFUSED, "", seconds=seconds, injected=wrong is not None)
    outcome = next((outcome for word, outcome in OUTCOMES.items() if word in wrong), Outcome.SILENT)
    return Verdict(Outcome.HUNG if "hung" in wrong else outcome, wrong, seconds=seconds)


def lost(loss: swap_power.Loss, ground: Ground, _: Path) -> str:
    """The host loses power."""
    return loss(programs[ground.directory])


def failing(kind: str, failure: Failure, ground: Ground, _: Path) -> Verdict:
    """A call fails, or kills or interrupts the run."""
    program = programs[ground.directory]

    def run(*_: object) -> str | None:
        site = begun(program, kind)
        program.library.arm(site.directory, failure)
        code = program.carry_out(site.order)
        reached, where = program.library.reached, program.library.where
        program.library.disarm()
        if not reached:
            return None
        wrong = consequence(
            program, site, code, codes_of(failure), lasting=failure.sticky and failure.action == errno.EIO
        )
        return f"{wrong} ({where})" if wrong else ""

    return judged(run, ground, ground.directory)


def codes_of(failure: Failure) -> tuple[int, ...]:
    """The exit codes that a run may end with."""
    if failure.action == KILL:
        return (0, KILLED)
    return INTERRUPTED if failure.action < SIGNALS else FAILED


def commanded(kind: str, change: tuple[str, str], name: str, ground: Ground, _: Path) -> Verdict:
    """A stop or start command disturbs the run that has begun it."""
    program = programs[ground.directory]

    def run(*_: object) -> str:
        site = begun(program, kind)
        code = program.carry_out(disturbed(site, change))
        # A command that does nothing, and fails nobody, costs the run its limit.
        return consequence(program, site, code, (0, KILLED) if "SIGKILL" in name else (0, 7, 130), lasting=False)

    return judged(run, ground, ground.directory)


def disturbed(site: Site, change: tuple[str, str]) -> Order:
    """An order in which the first stop or start command does something else."""
    verb, moment = change
    once = site.directory / "once"
    work = site.stop_command if verb == "stop" else site.start_command
    instead = moment.replace("{work}", work if work.endswith("&") else f"{work};")
    command = f"if mkdir {once} 2>/dev/null; then {instead}\nelse {work}\nfi"
    return replace(site.order, stop=command) if verb == "stop" else replace(site.order, start=command)


def consequence(program: Swapping, site: Site, code: int, codes: tuple[int, ...], *, lasting: bool) -> str:
    """What is wrong after a run that ended with this code, and after the repair that follows."""
    if code == TIMED_OUT:
        return "hung"
    if wrong := said_wrongly(site, code, codes):
        return wrong
    if code >= 0 and (wrong := after_failure(site, code, lasting=lasting)):
        return wrong
    warned = "latest was not moved" in site.text("stderr")
    swapped = site.stores.under_way() is not None
    repair = program.carry_out(site.repair)
    wrong = after_repair(site, repair, served=swapped or site.kind != "nothing")
    return "" if warned and STALE in wrong else wrong
