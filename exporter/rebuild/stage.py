"""The stage: where an export becomes a proved store, by a Neo4j of its own, while the live one serves."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.resources import as_file, files
from pathlib import Path

import psutil

from exporter.errors import Interrupted, LimitError, RunError, UsageError
from exporter.interrupts import disable_interrupts
from exporter.rebuild.report import Report
from exporter.rebuild.stores import Place
from exporter.sink.layout import IMPORT_SCRIPT, SCHEMA
from exporter.sink.publish import remove
from exporter.store.provision import Neo4jHome
from exporter.store.server import ample_heap, apply_schema, configure, environment, serve
from exporter.store.verify import verify_bolt

STAGE = "stage"
LOGS = "logs"
SHOWN_DIFFERENCES = 10
KILL_SECONDS = 20


@contextmanager
def empty_stage(root: Path) -> Iterator[Path]:
    """An empty stage below `root`, which is gone when the block ends; after an error the logs stay, until the next."""
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


def clear(stage: Path, *, logs: bool) -> None:
    """Ends what still works on the stage, which a killed import.sh or a killed rebuild has left, and empties it."""
    end_leftovers(stage)
    for path in stage.iterdir() if stage.exists() else ():
        if logs or path.name != LOGS:
            remove(path)
    if logs:
        remove(stage)


def end_leftovers(stage: Path) -> None:
    """Kills the processes that were started with the stage's configuration; nobody else is."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.environ().get("NEO4J_CONF") == str(stage.resolve() / "conf"):
                process.kill()
                found.append(process)
    psutil.wait_procs(found, KILL_SECONDS)


def fill(stage: Path, home: Neo4jHome, export: Path, database: str, report: Report) -> Place:
    """Makes the store of an export: import, constraints and indexes, and every count compared with the manifest.

    Raises `LimitError` where something differs, `RunError` where a step fails.
    """
    with report.step("import", f"Importing {export.name} into the stage"):
        conf = configure(stage, database=database)
        # Where the log of an import that failed stays.
        variables = environment(home, conf) | {"TMPDIR": str(stage.resolve() / LOGS)}
        import_export(export, database, variables, report.log.say)
    with ExitStack() as stack:
        with report.step("private_start", "Starting a private Neo4j on the stage"):
            bolt = stack.enter_context(serve(home, stage, heap=ample_heap(), database=database)).bolt_uri
        with report.step("schema", "Making constraints and indexes, and waiting for them"):
            apply_schema(bolt, (export / SCHEMA).read_text(encoding="utf-8"))
        with report.step("verify", "Comparing the graph on the stage with the manifest"):
            prove(export, bolt, database)
        with report.step("private_stop", "Stopping the private Neo4j"):
            stack.close()
    return Place(stage / "data" / "databases" / database, stage / "data" / "transactions" / database)


def import_export(export: Path, database: str, variables: dict[str, str], say: Callable[[str], None]) -> None:
    """Runs import.sh on an export, line by line: the script of this program, since the export may come from anywhere.

    Raises an error of its exit code's kind, with what it said of it; an interrupt ends it with all that it started.
    """
    with as_file(files("exporter.sink").joinpath(IMPORT_SCRIPT)) as path:
        script = subprocess.Popen(
            ["bash", str(path), "--overwrite", "--no-advice", str(export), database],
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        lines: list[str] = []
        with script:
            try:
                assert script.stdout is not None
                for line in script.stdout:
                    lines.append(line.rstrip())
                    say(lines[-1])
            except BaseException:
                script.terminate()  # it takes neo4j-admin with it
                raise
    if script.returncode:
        why = "\n  ".join(reason(lines)) or f"import.sh ended with {script.returncode}"
        raise {1: LimitError, 2: UsageError, 130: Interrupted}.get(script.returncode, RunError)(why)


def reason(lines: list[str]) -> list[str]:
    """What import.sh said last, from the line on that begins with its name; a half-written stage is of no interest."""
    begins = [number for number, line in enumerate(lines) if line.startswith("import.sh: ")]
    said = lines[begins[-1] :] if begins else []
    return [line.removeprefix("import.sh: ").strip() for line in said if "half-written" not in line]


def prove(export: Path, bolt: str, database: str) -> None:
    """Raises `LimitError` where the graph differs from the manifest."""
    if found := verify_bolt(export, bolt, database=database):
        shown = found[:SHOWN_DIFFERENCES]
        more = [f"and {len(found) - len(shown)} more"] if len(found) > len(shown) else []
        raise LimitError("\n  ".join(["the imported graph differs from the manifest:", *shown, *more]))
