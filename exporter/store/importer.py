"""The import of an export into a store: import.sh as a child process, and the errors for its exit codes."""

import subprocess
import time
from collections.abc import Callable
from importlib.resources import as_file, files
from io import TextIOWrapper
from pathlib import Path

from exporter.errors import DifferenceError, ExporterError, Interrupted, RunError, UsageError
from exporter.sink.layout import IMPORT_SCRIPT

_LOG_SECONDS = 30
# Its exit codes (contract.md); any other means a failed import.
_ERRORS: dict[int, type[ExporterError]] = {1: DifferenceError, 2: UsageError, 130: Interrupted}


def import_export(
    export: Path,
    environment: dict[str, str],
    on_line: Callable[[str], None],
    *,
    database: str = "neo4j",
    on_progress: Callable[[str], None] | None = None,
) -> None:
    """Imports an export into `database` of the Neo4j that `environment` names, replacing what it held. `on_line` gets
    every line that import.sh prints; `on_progress` gets once a second how far it is, otherwise `on_line` does now and
    then. The script is this program's own: an export may come from anywhere.

    Raises `DifferenceError` for a damaged export or imported counts that differ, `UsageError`, `Interrupted`, else
    `RunError`, with the script's own reason. An error in a callback and an interrupt end the script and everything it
    started; a ^C on the terminal reaches only this process.
    """
    lines: list[str] = []

    def keep(line: str) -> None:
        lines.append(line)
        on_line(line)

    with as_file(files("exporter.sink").joinpath(IMPORT_SCRIPT)) as path:
        script = subprocess.Popen(
            ["bash", str(path), "--overwrite", "--accept-copy", "--no-advice", "--in-place", str(export), database],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        with script:
            follow(script, keep, on_progress or now_and_then(on_line))
    if script.returncode:
        reason = _reason(lines) or f"import.sh ended with exit code {script.returncode}"
        raise _ERRORS.get(script.returncode, RunError)(reason)


def follow(script: subprocess.Popen[bytes], on_line: Callable[[str], None], on_progress: Callable[[str], None]) -> None:
    """Passes on what a script prints until it ends: lines, and those of progress, which end with a carriage return. An
    error ends the script."""
    assert script.stdout is not None
    output = TextIOWrapper(script.stdout, encoding="utf-8", errors="replace", newline="")
    try:
        for line in output:
            (on_progress if line.endswith("\r") else on_line)(line.rstrip())
    except BaseException:
        script.terminate()  # also ends neo4j-admin, which a kill would leave behind
        script.communicate()  # reads on, or the script would die printing to a broken pipe
        raise


def now_and_then(on_line: Callable[[str], None]) -> Callable[[str], None]:
    """A function that passes on the first text it gets after every half minute."""
    passed = time.monotonic()

    def pass_on(text: str) -> None:
        nonlocal passed
        if time.monotonic() - passed >= _LOG_SECONDS:
            passed = time.monotonic()
            on_line(text)

    return pass_on


def _reason(lines: list[str]) -> str:
    """import.sh's last message, from its own name on."""
    starts = [number for number, line in enumerate(lines) if line.startswith("import.sh: ")]
    reason = lines[starts[-1] :] if starts else []
    return "\n  ".join(line.removeprefix("import.sh: ").strip() for line in reason)
