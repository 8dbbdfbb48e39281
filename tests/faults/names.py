"""The suite of names: files and directories whose names command terminals, hide letters, are no text, or look like
messages of ours. Messages show them so that they do nothing; stdout has them as they are."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from tests.faults import calls, network, processes
from tests.faults.attempt import Attempt
from tests.faults.frame import Fault, Inject, Verdict, under
from tests.faults.ground import Ground, sample_ground
from tests.faults.records import Suite

NAME = "names"
SUITES: tuple[ModuleType, ...] = (calls, network, processes)
HOSTILE = (
    "clear\x1b[2J\x1b[31m", "bell\x07", "c1\x9b31m", "x\u202egpj", "-rf", "%s {0} $(id)", "[red]rich[/red]", "a b'\"",
    "i\u0302",
)  # fmt: skip
# Nobody could take these from the last line on stdout.
REFUSED = ("one\nexporter: all is well", "return\rexporter: all is well", "\udce9\udcff")
# What options say of a file that is not there, or is no such file; {} is its name.
OPTIONS = (
    ("--redact", "analyst", "--redact-key", "{}"),
    ("--redact", "analyst", "--redact-key", "nowhere/{}"),
    ("--config", "{}"),
    ("--root", "@{}"),
    ("--profile", "nowhere/{}"),
    ("--output", "nowhere/{}/output"),
    ("--group", "{}"),
    ("--timezone", "{}"),
    ("--since", "{}"),
    ("--without", "{}"),
    ("--root", "{}:id=1"),
    ("--encrypt-to", "{}", "--archive"),
    ("--push", "s3://{}/"),
    ("--cluster", "tcp://{}:1"),
)


def suite() -> Suite:
    return Suite(NAME, sample_ground, faults)


def faults(ground: Ground, seed: int) -> Iterator[Fault]:
    """The faults of some suites with output directories of all names, and what each option says of each, in random
    order."""
    chance = random.Random(seed)
    every = {suite.NAME: suite.faults(ground, seed) for suite in SUITES} | {"options": of_options(chance, seed)}
    while every:
        suite = chance.choice(list(every))
        if (fault := next(every[suite], None)) is None:
            del every[suite]
            continue
        name = "output" if suite == "options" else chance.choice(HOSTILE)
        yield Fault(NAME, f"{name!a}: {suite}: {fault.name}", seed, below(fault, name))


def below(fault: Fault, name: str) -> Callable[[Ground, Path], Verdict]:
    """The `run` of a fault for an output directory of a name."""

    def run(ground: Ground, directory: Path) -> Verdict:
        return fault.run(replace(ground, output_name=name), directory)

    return run


def of_options(chance: random.Random, seed: int) -> Iterator[Fault]:
    """Options with all names, none of which can be."""
    every = [(options, name) for options in OPTIONS for name in (*HOSTILE, *REFUSED)]
    every += [(("--output", "{}"), name) for name in REFUSED]
    chance.shuffle(every)
    for options, name in every:
        given = [word.replace("{}", name) for word in options]
        yield Fault(NAME, f"{given!a}", seed, under(asking(given), codes=(2, 4), deadline=network.DEADLINE))


def asking(options: list[str]) -> Inject:
    """A run with options."""

    @contextmanager
    def inject(attempt: Attempt) -> Iterator[None]:
        attempt.options += options
        attempt.injected.set()
        yield

    return inject
