"""The suite of tampering: a finished export with which somebody tampered, and what `exporter verify` says of it."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.damage import Exports
from tests.faults.frame import Fault, Outcome, Verdict
from tests.faults.ground import Ground
from tests.faults.publishing import publish
from tests.faults.records import Suite
from tests.faults.verdicts import TAMPERS, Tamper, complaint, name_of
from tests.support import tiny_export

NAME = "tampering"
FAULTS = 10_000
KINDS = ("by hand", "window", "own")


def suite() -> Suite:
    return Suite(NAME, exports_ground, faults)


def faults(_: Ground, seed: int) -> Iterator[Fault]:
    """Every way to tamper, with every kind of export, again and again."""
    for number in islice(count(seed), FAULTS):
        kind, tamper = KINDS[number % len(KINDS)], TAMPERS[number // len(KINDS) % len(TAMPERS)]
        yield Fault(NAME, f"{name_of(tamper)} ({kind})", number, partial(tampered_run, kind, tamper, number))


def tampered_run(kind: str, tamper: Tamper, seed: int, ground: Ground, directory: Path) -> Verdict:
    """What is said of an export with which somebody tampered."""
    began = time.monotonic()
    found = complaint(exports_of(ground.directory, kind), tamper, seed, directory)
    seconds = round(time.monotonic() - began, 1)
    if not found:
        return Verdict(Outcome.REFUSED, "", seconds=seconds, injected=found is not None)
    outcome = (
        Outcome.HUNG if "it took longer" in found else Outcome.SILENT if "for whole" in found else Outcome.TRACEBACK
    )
    return Verdict(outcome, found, seconds=seconds)


@contextmanager
def exports_ground() -> Iterator[Ground]:
    """A ground without a source: finished exports."""
    with TemporaryDirectory(prefix="faults-") as name:
        write_exports(Path(name))
        yield Ground("", "", Path(name), {})


def write_exports(directory: Path) -> None:
    """Exports of every kind, each with another one of its shape: written by hand, a window, and one of this program's
    own version and model."""
    for kind in KINDS[:2]:
        tiny_export.write(directory / kind / "export")
        write_other(directory / kind / "other")
    tiny_export.make_copy(directory / "window" / "export", redaction=None)
    for name in ("published", "own"):
        (directory / name).mkdir()
    for name in ("export", "other"):
        publish(directory / "published" / name)
        (directory / "published" / name / "latest").resolve().rename(directory / "own" / name)
    (directory / "own/other/nodes/Skill/part-0001.csv").write_bytes(b'1,"Palmistry",\n')
    shutil.rmtree(directory / "published")


def write_other(export: Path) -> Path:
    """An export with other data, headers and instructions than the one written by hand."""
    tiny_export.write(export)
    (export / "nodes/Customer/part-0001.csv").write_bytes(b'7,"+92"\n8,\n')
    for path in ("headers/Customer.csv", "import.args", "schema.cypher"):
        (export / path).write_bytes(b"x\n")
    tiny_export.write_checksums(export)
    return export


def exports_of(directory: Path, kind: str) -> Exports:
    """The exports of a kind that `write_exports` made."""
    return Exports(directory / kind / "export", directory / kind / "other")
