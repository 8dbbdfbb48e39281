"""The stage: where an export becomes a verified store, with its own Neo4j, while the live one keeps serving."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil

from exporter.interrupts import disable_interrupts
from exporter.rebuild.report import RebuildReport
from exporter.rebuild.store import StorePaths
from exporter.sink.publish import remove
from exporter.store.configuration import ample_heap, configure, environment
from exporter.store.deploy import complete_graph
from exporter.store.importer import import_export
from exporter.store.provision import Neo4jHome
from exporter.store.server import serve

STAGE = "stage"
LOGS = "logs"
KILL_SECONDS = 20


@contextmanager
def empty_stage(root: Path) -> Iterator[Path]:
    """An empty stage below `root`, removed when the block ends; after an error, the logs are kept until the next
    run."""
    stage = root / STAGE
    clear(stage, logs=True)
    (stage / LOGS).mkdir(mode=0o700, parents=True)
    try:
        yield stage
    except BaseException:
        disable_interrupts()
        clear(stage, logs=False)
        raise
    clear(stage, logs=True)


def clear(stage: Path, *, logs: bool) -> bool:
    """Ends processes that a killed import.sh or rebuild left working on the stage, and empties it; also removes its
    logs if `logs` is set. Returns whether there was anything to remove."""
    end_leftovers(stage)
    leftovers = [path for path in (stage.iterdir() if stage.exists() else ()) if logs or path.name != LOGS]
    for path in leftovers:
        remove(path)
    if logs:
        remove(stage)
    return bool(leftovers)


def end_leftovers(stage: Path) -> None:
    """Kills the processes that were started with the stage's configuration; no other process has it."""
    leftovers = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.environ().get("NEO4J_CONF") == str(stage.resolve() / "conf"):
                process.kill()
                leftovers.append(process)
    psutil.wait_procs(leftovers, KILL_SECONDS)


def build_store(stage: Path, home: Neo4jHome, export: Path, database: str, report: RebuildReport) -> StorePaths:
    """Builds the store of an export on the stage: import, constraints and indexes, comparison of all counts; returns
    where it is.

    Raises `DifferenceError` if something differs from the manifest, `RunError` if a step fails.
    """
    with report.step("import", f"Importing {export.name} into the stage"):
        conf = configure(stage, database=database)
        # The log of a failed import is kept here.
        variables = environment(home, conf) | {"TMPDIR": str(stage.resolve() / LOGS)}
        import_export(export, variables, report.log.write, database=database)
    with ExitStack() as stack:
        with report.step("private_start", "Starting a private Neo4j on the stage"):
            server = stack.enter_context(serve(home, stage, heap=ample_heap(), database=database))
        complete_graph(export, server, report.step, database=database)
        with report.step("private_stop", "Stopping the private Neo4j"):
            stack.close()
    return StorePaths(stage / "data" / "databases" / database, stage / "data" / "transactions" / database)
