"""The import of an export into a store: import.sh, run as a child, and the errors that its exit codes mean."""

import subprocess
from collections.abc import Callable
from importlib.resources import as_file, files
from pathlib import Path

from exporter.errors import DifferenceError, ExporterError, Interrupted, RunError, UsageError
from exporter.sink.layout import IMPORT_SCRIPT

# Its exit codes (contract.md); every other is a failed import.
_ERRORS: dict[int, type[ExporterError]] = {1: DifferenceError, 2: UsageError, 130: Interrupted}


def import_export(
    export: Path, environment: dict[str, str], on_line: Callable[[str], None], *, database: str = "neo4j"
) -> None:
    """Imports an export into `database` of the Neo4j that `environment` names, in place of what it held; `on_line`
    gets every line that import.sh prints. The script is the one of this program: an export may come from anywhere.

    Raises `DifferenceError` for a damaged export or imported counts that differ, `UsageError`, `Interrupted`, else
    `RunError`, with the script's own reason. An error in `on_line` and an interrupt end the script and all it started;
    a ^C on the terminal is for this process alone.
    """
    lines: list[str] = []
    with as_file(files("exporter.sink").joinpath(IMPORT_SCRIPT)) as path:
        script = subprocess.Popen(
            ["bash", str(path), "--overwrite", "--no-advice", str(export), database],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        with script:
            try:
                assert script.stdout is not None
                for line in script.stdout:
                    lines.append(line.rstrip())
                    on_line(lines[-1])
            except BaseException:
                script.terminate()  # it ends neo4j-admin too, which a kill would leave behind
                script.communicate()  # and prints meanwhile, of which it would die if nobody read
                raise
    if script.returncode:
        reason = _reason(lines) or f"import.sh ended with exit code {script.returncode}"
        raise _ERRORS.get(script.returncode, RunError)(reason)


def _reason(lines: list[str]) -> str:
    """What import.sh said last, from its own name on; that the store is half-written matters to nobody, as it goes."""
    starts = [number for number, line in enumerate(lines) if line.startswith("import.sh: ")]
    reason = lines[starts[-1] :] if starts else []
    return "\n  ".join(line.removeprefix("import.sh: ").strip() for line in reason if "half-written" not in line)
