"""A program that carries out rebuilds, rollbacks and repairs, each in a process forked from it: all of a rebuild but
what Neo4j does on the stage, in some tenths of a second.

`python -m tests.faults.swapping` reads orders on stdin, JSON objects on a line each, and answers each with a line: the
exit code, negative for a signal. What a run says is in the files `stdout` and `stderr` beside its directory.
"""

import json
import os
import shutil
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from exporter.cli.rebuild import reported
from exporter.errors import DifferenceError
from exporter.interrupts import disable_interrupts, interruptible
from exporter.rebuild import run
from exporter.rebuild.report import Action, RebuildReport
from exporter.rebuild.store import StorePaths, read_store
from exporter.settings import RebuildSettings, Settings
from exporter.store.provision import Neo4jHome
from tests.faults.stand_in import DATABASE, WHOLE, parts

UNEXPECTED = 99


@dataclass(frozen=True, slots=True)
class Order:
    """What to do in a directory with `neo4j` (a home), `output` and, if a real Neo4j is to be asked, `prepared`: a data
    directory with the imported store of every export. `export` is what `rebuild` is made from."""

    site: str
    action: str
    bolt: str
    stop: str
    start: str
    export: str | None = None
    timeout: int = 60

    @property
    def line(self) -> str:
        return json.dumps(asdict(self)) + "\n"


def write_part(part: Path, generation: str) -> None:
    """One of the two directories of a store that stands in for a real one."""
    (part / "files").mkdir(parents=True)
    (part / WHOLE).write_text(generation)
    (part / "files" / "records").write_text(generation * 50)


def generation_of(part: Path) -> str:
    """Of which export a directory of a store is; empty if it is not whole."""
    try:
        generation = (part / WHOLE).read_text()
        records = (part / "files" / "records").read_text() if generation != "empty" else ""
    except OSError:
        return ""
    return generation if generation == "empty" or records == generation * 50 else ""


def generation(data: Path) -> str:
    """Of which export the live store is; empty if it is not whole, or a mixture."""
    found = {generation_of(part) for part in parts(data)}
    return found.pop() if len(found) == 1 else ""


def stage_store(stage: Path, _: Neo4jHome, export: Path, database: str, __: RebuildReport) -> StorePaths:
    """What an import leaves on the stage."""
    paths = StorePaths(stage / "data" / "databases" / database, stage / "data" / "transactions" / database)
    for path in paths.both:
        write_part(path, export.name)
    return paths


def copy_store(stage: Path, _: Neo4jHome, export: Path, database: str, __: RebuildReport) -> StorePaths:
    """The same for a real Neo4j: a store that was imported before."""
    shutil.copytree(stage.parents[3] / "prepared" / export.name, stage / "data")
    return StorePaths(stage / "data" / "databases" / database, stage / "data" / "transactions" / database)


def check_store(directory: Path, *_: object, **__: object) -> None:
    """What the comparison of all counts finds: whether the live store is of the export it should be."""
    data = directory.parents[2]
    if generation(data) != read_store(directory).export:
        raise DifferenceError(f"the live store is of {generation(data) or 'no export'}")


def carry_out(order: Order) -> int:
    """The exit code of what was ordered."""
    site = Path(order.site)
    options = RebuildSettings(
        neo4j_home=site / "neo4j", bolt=order.bolt, stop=order.stop, start=order.start,
        neo4j_timeout=order.timeout, database=DATABASE,
    )  # fmt: skip
    if (site / "prepared").exists():
        run.build_store = copy_store
    else:
        run.build_store, run.check_graph = stage_store, check_store
    report = RebuildReport(Action(order.action))
    with interruptible("the live graph is unchanged"), reported(report):
        settings = Settings(output=site / "output")
        run.run_rebuild(settings, options, report, export=order.export)
    disable_interrupts()
    if report.message:
        report.log.fail(report.message)
    return report.exit_code


def forked(order: Order) -> int:
    """The exit code, or the negative number of a signal."""
    child = os.fork()
    if not child:
        os.setsid()
        signal.alarm(4 * order.timeout)
        for name, descriptor in (("stdout", 1), ("stderr", 2)):
            os.dup2(os.open(Path(order.site).with_name(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), descriptor)
        code = UNEXPECTED
        try:
            code = carry_out(order)
        except typer.Exit as ended:
            code = ended.exit_code
        except BaseException:
            sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main() -> None:
    """Answers line by line."""
    for line in sys.stdin:
        print(forked(Order(**json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
