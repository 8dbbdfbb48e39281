"""What became of faults: run side by side, written down as lines of JSON, and counted in a table."""

import json
import queue
import random
import shutil
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

from tests.faults.frame import RIGHT, Fault, Outcome, Verdict
from tests.faults.ground import Ground

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite: the ground that its faults need, of which there is one for each run at the same time, and all its
    faults, from a ground (to record an undisturbed run on) and a seed; any first part of them is a fair choice."""

    name: str
    ground: Callable[[], AbstractContextManager[Ground]]
    faults: Callable[[Ground, int], Iterator[Fault]]


def mixed(every: Mapping[Key, Iterator[Fault]], chance: random.Random) -> Iterator[tuple[Key, Fault]]:
    """The faults of several kinds, each in its order, in a random one among each other; with their kinds."""
    left = dict(every)
    while left:
        kind = chance.choice(list(left))
        if (fault := next(left[kind], None)) is None:
            del left[kind]
        else:
            yield kind, fault


def run_suite(
    suite: Suite, n: int | None, seed: int, *, side_by_side: int = 1, results: Path | None = None
) -> list[tuple[Fault, Verdict]]:
    """Has the first `n` faults of a suite happen, or all, up to `side_by_side` at a time; returns them with their
    verdicts. Each is appended to `results` as a line of JSON, and said on stderr if the exporter is at fault."""
    free: queue.SimpleQueue[Ground] = queue.SimpleQueue()
    writing = threading.Lock()

    def run(fault: Fault) -> tuple[Fault, Verdict]:
        ground = free.get()
        directory = ground.attempt_directory()
        try:
            verdict = fault.run(ground, directory)
        finally:
            shutil.rmtree(directory, ignore_errors=True)
            free.put(ground)
        with writing:
            if results is not None:
                with results.open("a", encoding="utf-8") as file:
                    file.write(as_line(fault, verdict) + "\n")
            if verdict.outcome not in RIGHT:
                print(f"{fault.name} (seed {fault.seed}): {verdict.outcome}: {verdict.said}", file=sys.stderr)
        return fault, verdict

    with ExitStack() as stack, ThreadPoolExecutor(side_by_side) as threads:
        grounds = [stack.enter_context(suite.ground()) for _ in range(side_by_side)]
        chosen = list(islice(suite.faults(grounds[0], seed), n))
        for ground in grounds:
            free.put(ground)
        return list(threads.map(run, chosen))


def as_line(fault: Fault, verdict: Verdict) -> str:
    """A verdict as a line of JSON."""
    return json.dumps(
        {
            "suite": fault.suite,
            "name": fault.name,
            "seed": fault.seed,
            "outcome": verdict.outcome.value,
            "injected": verdict.injected,
            "code": verdict.code,
            "seconds": verdict.seconds,
            "said": verdict.said,
            "times": verdict.times,
        }
    )


def table(results: Sequence[tuple[Fault, Verdict]]) -> str:
    """The counts of a suite after the other: how many faults were injected, and what became of the runs. Those whose
    fault did not happen are counted apart."""
    counts: dict[str, Counter[str]] = {}
    for fault, verdict in results:
        of_suite = counts.setdefault(fault.suite, Counter())
        of_suite["injected" if verdict.injected else "not reached"] += verdict.times
        # A fault of the exporter is one, whether ours was there or not.
        if verdict.injected or verdict.outcome not in RIGHT:
            of_suite[verdict.outcome.value] += verdict.times
    columns = ["injected", *(outcome.value for outcome in Outcome), "not reached"]
    lines = ["| Suite | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for suite, of_suite in counts.items():
        lines.append(f"| {suite} | " + " | ".join(f"{of_suite[column]:,}" for column in columns) + " |")
    return "\n".join(lines)
