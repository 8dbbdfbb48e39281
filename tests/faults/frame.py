"""An injected fault, the run under it, and the oracle: one function that says what became of it.

A suite yields faults; each is run on a ground (ground.py) and gives a verdict, which records.py writes down.
"""

import os
import re
import time
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil
import psycopg

from exporter.errors import ExporterError
from exporter.published.verify import verify_files
from exporter.sink.layout import LATEST_COPY
from tests.faults.attempt import EARLIER, Attempt
from tests.faults.ground import Ground, fingerprint
from tests.faults.leaks import leaks
from tests.support.export_process import DATE, PROGRESS, command_of, contents, processes

WHOLE_NAME = re.compile(r"\d{8}T\d{6}Z")
# What may be left of a run for a moment: a session that the server is ending, a worker that has been killed.
LINGERING_SECONDS = 20
SENTENCE = re.compile(rf"({DATE})?exporter: \S.*\n(  .*\n)*")
WARNING = re.compile(rf"({DATE})?exporter: warning: .*")
BUG = re.compile(r"Traceback \(most recent call last\)|a bug, please report|\b[A-Z]\w+(Error|Exception|Warning): ")
KILLED = -9


class Outcome(StrEnum):
    """What became of a run: the first two are right, the others kinds of faults of the exporter."""

    WHOLE = "whole"
    REFUSED = "refused"
    SILENT = "silent"
    HUNG = "hung"
    LEAKED = "leaked"
    LEFT_BEHIND = "left behind"
    TRACEBACK = "traceback"
    WRONG_CODE = "wrong code"


RIGHT = (Outcome.WHOLE, Outcome.REFUSED)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a run under a fault, and what it said or what is wrong. `injected` is false if the run ended
    before the fault could happen, which is no proof of anything. `times` is how many faults of a kind it stands for,
    if they are tried together."""

    outcome: Outcome
    said: str
    code: int | None = None
    seconds: float = 0.0
    injected: bool = True
    times: int = 1


@dataclass(frozen=True, slots=True)
class Fault:
    """An injected fault: `run` has it happen on a ground, in a new directory, and judges. Its name and seed say all
    that is needed to have it happen again."""

    suite: str
    name: str
    seed: int
    run: Callable[[Ground, Path], Verdict]


Inject = Callable[[Attempt], AbstractContextManager[object]]
# What is wrong with an export of a ground that was published; nothing if it is right.
JudgeWhole = Callable[[Ground, Path], str]


def under(
    inject: Inject,
    *,
    codes: Collection[int] = (3, 4),
    deadline: float = 180,
    judge_whole: JudgeWhole | None = None,
) -> Callable[[Ground, Path], Verdict]:
    """The `run` of a fault that a run of the exporter meets. The block of `inject` lasts from before the start of the
    process until the verdict.

    `codes` are those of the contract for this fault. With -9 among them, the leader may be killed: the next run,
    without the fault, has to be whole and to clear up. By default an export that is published has to equal
    the ground's reference.
    """

    def run(ground: Ground, directory: Path) -> Verdict:
        attempt = Attempt(ground, directory, ground.uri)
        attempt.prepare()
        before, began = contents(attempt.output), time.monotonic()
        with inject(attempt):
            code = attempt.run(deadline)
            seconds = time.monotonic() - began
            outcome, said = judge(attempt, code, before, codes, judge_whole or differences)
        if outcome is Outcome.REFUSED and code == KILLED:
            outcome, said = next_run(ground, directory, judge_whole)
        return Verdict(outcome, said, code, round(seconds, 1), attempt.injected.is_set())

    return run


def judge(
    attempt: Attempt,
    code: int | None,
    before: dict[str, str],
    codes: Collection[int],
    judge_whole: JudgeWhole,
) -> tuple[Outcome, str]:
    """The oracle. A run is complete and equal, or it ends with a code of the contract and one sentence; then nothing is
    published. Either way nothing is left behind, no secret is told, and it ends within the deadline.

    Returns the outcome, and what the run said or what is wrong.
    """
    left = lingering(attempt)  # also ends what is left
    out, err = attempt.text("stdout"), attempt.text("stderr")
    now = {name: to for name, to in contents(attempt.output).items() if name != ".lock"}
    if code is None:
        return Outcome.HUNG, f"{' '.join(left)} {err[-200:]}"
    if told := leaks(attempt):
        return Outcome.LEAKED, ", ".join(told)
    if found := BUG.search(err):
        return Outcome.TRACEBACK, err[found.start() :][:2000]
    if code == 0:
        new = [name for name in now if name not in (*before, LATEST_COPY)]
        links = {name: to for name, to in before.items() if to} | {attempt.ground.latest: new[0] if new else ""}
        if len(new) != 1 or not WHOLE_NAME.fullmatch(new[0]) or links != {name: to for name, to in now.items() if to}:
            return Outcome.SILENT, f"exit code 0, but in the output there is {now}"
        if attempt.last_line() != os.fsencode(attempt.output / new[0]):
            return Outcome.SILENT, f"the last line is not the directory: {out!r}"
        if wrong := judge_whole(attempt.ground, attempt.output / new[0]):
            return Outcome.SILENT, wrong
        return (Outcome.LEFT_BEHIND, "; ".join(left)) if left else (Outcome.WHOLE, "")
    if code == KILLED and KILLED in codes:
        published = {name for name in now.keys() - before.keys() if not name.startswith(".partial-")}
        return (Outcome.LEFT_BEHIND, "; ".join(left)) if left and not published else (Outcome.REFUSED, "killed")
    if now != before:
        return Outcome.LEFT_BEHIND, f"exit code {code}, and in the output there is {now}"
    if left:
        return Outcome.LEFT_BEHIND, "; ".join(left)
    lines = [line for line in err.split("\n") if not (PROGRESS.match(line) or WARNING.match(line))]
    said = "\n".join(lines)
    if code not in codes or out or not SENTENCE.fullmatch(said) or not all(map(str.isprintable, lines)):
        return Outcome.WRONG_CODE, f"exit code {code}: {said}{out}"
    return Outcome.REFUSED, said.strip()


def lingering(attempt: Attempt) -> list[str]:
    """What is left of a run after a while: processes, which are killed, sessions with the source, and files outside of
    the output."""
    assert attempt.process is not None
    deadline = time.monotonic() + (0 if attempt.process.poll() is None else LINGERING_SECONDS)
    while (left := remains(attempt)) and time.monotonic() < deadline:
        time.sleep(0.1)
    for process in processes(attempt.process.pid):
        with suppress(psutil.Error):
            process.kill()
    attempt.process.wait()
    return left


def remains(attempt: Attempt) -> list[str]:
    """What there is of a run outside of its output."""
    assert attempt.process is not None
    found = [f"a process: {' '.join(command_of(process))[:80]}" for process in processes(attempt.process.pid)]
    for name in ("work", "tmp"):
        found += [f"in {name}: {path.name}" for path in (attempt.directory / name).iterdir()]
    with suppress(psycopg.OperationalError):  # a server that is down has no sessions
        found += [f"a session: {name}" for name in attempt.ground.sessions()]
    return found


def differences(ground: Ground, export: Path) -> str:
    """What differs between an export and the ground's reference, in one line; nothing if they are equal and `exporter
    verify` agrees."""
    found = fingerprint(export)
    names = sorted(
        name for name in found.keys() | ground.reference.keys() if found.get(name) != ground.reference.get(name)
    )
    if names:
        return f"not as in the reference: {', '.join(names)}"
    against = unverified(export)
    return f"verify says: {'; '.join(against)}" if against else ""


def unverified(export: Path) -> list[str]:
    """What `exporter verify` says against an export; nothing if it is content."""
    try:
        return verify_files(export)
    except ExporterError as error:
        return [str(error)]


def next_run(ground: Ground, directory: Path, judge_whole: JudgeWhole | None) -> tuple[Outcome, str]:
    """What becomes of the run after one whose leader was killed, on the same output: it is whole, and nothing is left
    of the first one, unless that was published."""
    attempt = Attempt(ground, directory, ground.uri)
    before = {name: to for name, to in contents(attempt.output).items() if not name.startswith(".partial-")}
    published = [attempt.output / name for name in before.keys() - {EARLIER, ".lock", "latest", LATEST_COPY}]
    for export in published:
        if wrong := (judge_whole or differences)(ground, export):
            return Outcome.SILENT, f"published by a run that was killed: {wrong}"
    before.pop(".lock", None)
    outcome, said = judge(attempt, attempt.run(120), before, (), judge_whole or differences)
    return (
        (Outcome.REFUSED, "killed; the next run is whole") if outcome is Outcome.WHOLE else (outcome, f"then: {said}")
    )
