"""The suite of calls: the n-th call of a kind below the output directory fails, or kills its process, for every n.

All processes of a run count together. What the leader alone does, publishing, is swept in a tenth of the time by
sweeps.py.
"""

import errno
import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.attempt import Attempt
from tests.faults.frame import KILLED, RIGHT, Fault, Inject, Outcome, Verdict, next_run, under
from tests.faults.ground import Ground, sample_ground
from tests.faults.nth_failure import ERRORS, EXIT, JUMP, KILL, SHORT, Failure, compiled, preloaded
from tests.faults.records import Suite
from tests.support.export_process import contents

NAME = "calls"
OPTIONS = ["--workers", "1", "--stall-timeout", "10s"]
JUMPS = (-86_400, -3_600, -1, 1, 3_600, 10 * 365 * 86_400)


def suite() -> Suite:
    return Suite(NAME, sample_ground, faults)


def faults(ground: Ground, seed: int) -> Iterator[Fault]:
    """Every call of an undisturbed run, with everything that can become of it, in random order."""
    chance = random.Random(seed)
    library = compiled(ground.directory)
    calls = counted(ground, library)
    every = failures(calls)
    chance.shuffle(every)
    for failure in every:
        yield Fault(NAME, str(failure), seed, run_of(failure, failing(failure, library)))


def failures(calls: dict[str, int]) -> list[Failure]:
    """Everything that can become of each of so many calls by their kind."""
    every = [
        Failure(kind, number, action)
        for kind, last in calls.items()
        for number in range(1, last + 1)
        for action in (*ERRORS, *([SHORT] if kind == "write" else []))
    ]
    numbers = range(1, sum(calls.values()) + 1)
    every += [Failure("any", number, KILL) for number in numbers]
    every += [Failure("any", number, EXIT, sticky=True) for number in numbers[::3]]
    every += [Failure("any", number, errno.ENOSPC, sticky=True) for number in numbers[::7]]
    every += [Failure("any", number, JUMP, jump=jump) for number, jump in zip(numbers[::7], itertools.cycle(JUMPS))]
    return every


def run_of(failure: Failure, inject: Inject) -> Callable[[Ground, Path], Verdict]:
    """The `run` of a fault."""
    codes = (KILLED, 2, 4) if failure.action == KILL else (2, 4)
    run = under(inject, codes=codes, deadline=180)

    def cleared(ground: Ground, directory: Path) -> Verdict:
        """What of a run could not be removed is left to the next one, which has to be whole."""
        verdict = run(ground, directory)
        left = any(name.startswith(".partial-") for name in contents(directory / "output"))
        if verdict.outcome in RIGHT or verdict.code not in (0, 2, 4) or not left:
            return verdict
        outcome, said = next_run(ground, directory, None)
        return Verdict(outcome, said, verdict.code, verdict.seconds, verdict.injected)

    return cleared


def failing(failure: Failure, library: Path) -> Inject:
    """The injection of a call that fails."""

    @contextmanager
    def inject(attempt: Attempt) -> Iterator[None]:
        with preloaded(library, attempt.directory) as loaded:
            loaded.arm(attempt.output, failure)
            attempt.environment |= loaded.environment
            attempt.options += OPTIONS
            yield
            if loaded.reached:
                attempt.injected.set()

    return inject


def counted(ground: Ground, library: Path) -> dict[str, int]:
    """How many calls of each kind an undisturbed run makes."""
    calls: dict[str, int] = {}

    @contextmanager
    def count(attempt: Attempt) -> Iterator[None]:
        with preloaded(library, attempt.directory) as loaded:
            loaded.arm(attempt.output, Failure())
            attempt.environment |= loaded.environment
            attempt.options += OPTIONS
            yield
            calls.update(loaded.by_kind)

    verdict = under(count)(ground, ground.attempt_directory())
    assert verdict.outcome is Outcome.WHOLE, verdict
    return calls
