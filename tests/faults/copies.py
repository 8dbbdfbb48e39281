"""The suite of copies: the faults of other suites, met by exports that are windows, masked, or both."""

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import LiteralString

import psycopg

from exporter.sink.layout import LATEST_COPY
from tests.faults import calls, change, network, processes, server
from tests.faults.change import make_changing
from tests.faults.frame import Fault, Verdict
from tests.faults.ground import KEY, Ground, reference_of
from tests.faults.leaks import PATH_CANARY
from tests.faults.records import Suite, mixed
from tests.faults.server import server_ground

NAME = "copies"
SUITES: tuple[ModuleType, ...] = (network, server, change, calls, processes)
DAYS = ("--since", "2026-11-19", "--until", "2026-11-21T12:00Z")
SAMPLE = ("--sample", "20%", "--sample-seed", "3", "--without", "Notification")
WINDOWS = ("days", "sample", "roots", "root of a file")
MASKED = "masked"
KINDS = (*WINDOWS, MASKED, *(f"{MASKED} {window}" for window in WINDOWS))
CUSTOMERS = "select customer_id from customers.customer order by customer_id offset 3 limit 2"
CODE = "select referral_code from guide.guide_profile where referral_code like 'Cnry%'"


def suite() -> Suite:
    return Suite(NAME, copies_ground, faults)


def copies_ground() -> AbstractContextManager[Ground]:
    """A ground on a server of its own, whose source may change."""
    return server_ground(make_changing)


def options_of(ground: Ground, kind: str) -> tuple[str, ...]:
    """The options of a kind of copy."""
    masking = ("--redact", "analyst", "--redact-key", str(key_file(ground))) if kind.startswith(MASKED) else ()
    match kind.removeprefix(MASKED).strip():
        case "days":
            return (*DAYS, *masking)
        case "sample":
            return (*SAMPLE, *masking)
        case "roots":
            customers = (str(number) for number in asked(ground, CUSTOMERS))
            return (*(word for number in customers for word in ("--root", f"Customer:customer_id={number}")), *masking)
        case "root of a file":  # whose value is a secret of the source
            file = ground.directory / f"{PATH_CANARY} roots"
            file.write_text(f"Guide:referral_code={asked(ground, CODE)[0]}\n", encoding="utf-8")
            return ("--root", f"@{file}", *masking)
    return masking


def asked(ground: Ground, query: LiteralString) -> list[object]:
    """The values of a query's only column."""
    with psycopg.connect(ground.admin, autocommit=True) as connection:
        return [value for (value,) in connection.execute(query).fetchall()]


def key_file(ground: Ground) -> Path:
    """The file of the redaction key."""
    path = ground.directory / f"{PATH_CANARY} key"
    path.touch(mode=0o600)
    path.write_text(KEY.hex(), encoding="ascii")
    return path


def copy_of(ground: Ground, kind: str) -> Ground:
    """The ground on which exports are copies of a kind; made once."""
    if kind not in ground.copies:
        copy = replace(ground, masked=kind.startswith(MASKED), latest=LATEST_COPY)
        copy.options = (*ground.options, *options_of(ground, kind))
        copy.reference = reference_of(copy)
        assert copy.reference, f"the sample has no copy: {kind}"
        ground.copies[kind] = copy
    return ground.copies[kind]


def faults(ground: Ground, seed: int) -> Iterator[Fault]:
    """The faults of every suite for every kind of copy, in random order."""
    every = {(kind, suite.NAME): met_by(ground, kind, suite, seed) for kind in KINDS for suite in SUITES}
    yield from (fault for _, fault in mixed(every, random.Random(seed)))


def met_by(ground: Ground, kind: str, suite: ModuleType, seed: int) -> Iterator[Fault]:
    """The faults of a suite for a kind of copy; recorded when the first is asked for."""
    for fault in suite.faults(copy_of(ground, kind), seed):
        yield Fault(NAME, f"{kind}: {suite.NAME}: {fault.name}", seed, on_copy(fault, kind, restored=suite is change))


def on_copy(fault: Fault, kind: str, *, restored: bool) -> Callable[[Ground, Path], Verdict]:
    """The `run` of a fault for a kind of copy, on whichever ground; the source is `restored` if others changed it."""

    def run(ground: Ground, directory: Path) -> Verdict:
        copy = copy_of(ground, kind)
        try:
            return fault.run(copy, directory)
        finally:
            if restored:
                ground.restore()

    return run
