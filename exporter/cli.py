"""The command line: arguments in, sentences out. The only place that prints results or catches our own errors.

Commands import what they need themselves: `--help` and completion answer without loading Polars or a driver.
"""

import json
import logging
import os
import sys
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from exporter.errors import ExporterError, LimitError, UsageError
from exporter.options import (
    Config,
    Export,
    Keep,
    LockTimeout,
    MaxDuration,
    MaxRejects,
    Memory,
    Output,
    ProfileFile,
    Source,
    StallTimeout,
    Timezone,
    Workers,
)
from exporter.signals import ignore_signals, stopped_by_signals

DISTRIBUTION = "astrokiran-graph-exporter"

app = typer.Typer(
    name="exporter",
    help="AstroKiran's PostgreSQL services as one Neo4j graph: one snapshot, CSVs for neo4j-admin, and proof of both.",
    epilog="Exit codes: 0 done; 1 a limit was broken or a difference found; 2 usage; 3 the source cannot be exported; "
    "4 failed on the way, nothing was published; 5 another export is running; 130 stopped by a signal.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


class ModelFormat(StrEnum):
    TABLE = "table"
    MERMAID = "mermaid"
    JSON = "json"


def main() -> None:
    """The `exporter` command: runs it, and turns every `ExporterError` into its sentence and exit code."""
    # What libraries log is not for the user, and may quote the source.
    logging.lastResort = None
    try:
        with stopped_by_signals():
            app()
    except ExporterError as error:
        from exporter.progress import tell

        tell(f"exporter: {error}")
        sys.exit(error.exit_code)
    finally:
        ignore_signals()


def settings_from(config: Path | None, **flags: Any) -> Any:
    """The settings of a command; warns about a password that the command line showed to everybody."""
    from exporter.progress import tell
    from exporter.settings import load
    from exporter.source.connection import password_in

    if flags.get("source") and password_in(flags["source"]):
        tell("exporter: warning: a password on the command line is seen by other users; use PGPASSWORD")
    return load(config, **flags)


def print_version(wanted: bool) -> None:
    if wanted:
        print(version(DISTRIBUTION))
        raise typer.Exit


@app.callback()
def options(
    _: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=print_version, is_eager=True)
    ] = False,
) -> None:
    """Options of the command itself."""


@app.command()
def check(
    source: Source = None,
    config: Config = None,
    notes: Annotated[
        bool, typer.Option("--notes", help="Also list the notes: columns that are read through a cast, and views.")
    ] = False,
) -> None:
    """Say whether the source can be exported (exit code 0) or not (3), and all that is wrong at once; write nothing."""
    from rich.console import Console

    from exporter.errors import SourceError
    from exporter.run import check as check_source
    from exporter.screen import findings_summary, findings_table
    from exporter.source.check import Severity

    findings = check_source(settings_from(config, source=source))
    listed = [finding for finding in findings if notes or finding.severity is not Severity.NOTE]
    if sys.stdout.isatty() and listed:
        Console().print(findings_table(listed), "")
    else:
        for finding in listed:
            print(f"{finding.severity}: {finding}")
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise SourceError(f"the source cannot be exported: {findings_summary(findings)}")
    print(f"The source can be exported: {findings_summary(findings)}{' (see --notes)' if not notes else ''}.")


@app.command()
def export(
    source: Source = None,
    output: Output = None,
    config: Config = None,
    workers: Workers = None,
    memory: Memory = None,
    timezone: Timezone = None,
    max_rejects: MaxRejects = None,
    max_duration: MaxDuration = None,
    lock_timeout: LockTimeout = None,
    stall_timeout: StallTimeout = None,
    profile: ProfileFile = None,
) -> None:
    """Export the source into a new directory; the last line on stdout is that directory."""
    from exporter.progress import tell, watcher
    from exporter.run import export as export_source
    from exporter.screen import cost_lines, totals_line

    settings = settings_from(
        config, source=source, output=output, workers=workers, memory=memory, timezone=timezone,
        max_rejects=max_rejects, max_duration=max_duration, lock_timeout=lock_timeout, stall_timeout=stall_timeout,
    )  # fmt: skip
    if profile:
        write_profile(profile, {})  # whether it can be written is known before anything is done
    with watcher() as view:
        outcome = export_source(settings, view)
    tell(f"{totals_line(outcome.manifest['totals'], outcome.profile)}\n{cost_lines(outcome.profile)}")
    if profile:
        write_profile(profile, outcome.profile.as_object() | {"peak_memory": outcome.peak_memory})
    print(outcome.directory)


def write_profile(path: Path, content: dict[str, Any]) -> None:
    """Writes a profile. Raises `UsageError` where that cannot be."""
    try:
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"the profile {path} cannot be written: {error.strerror}") from None


@app.command()
def verify(
    export: Export,
    bolt: Annotated[
        str | None,
        typer.Option("--bolt", metavar="URI", help="Also compare a running Neo4j, such as bolt://127.0.0.1:7687."),
    ] = None,
    database: Annotated[str, typer.Option("--database", metavar="NAME", help="The database to compare.")] = "neo4j",
    user: Annotated[
        str | None, typer.Option("--user", help="Neo4j user; the password is NEO4J_PASSWORD.", show_default=False)
    ] = None,
) -> None:
    """Compare an export's files, and with --bolt a running Neo4j, with its manifest. Exit code 1 when they differ."""
    from exporter.progress import comparing
    from exporter.screen import counted
    from exporter.target.bolt import verify_bolt
    from exporter.target.verification import verify_files

    with comparing("Comparing the files with the manifest") as on_progress:
        differences = verify_files(export, on_progress)
    if bolt and not differences:
        password = os.environ.get("NEO4J_PASSWORD")
        if user and password is None:
            raise UsageError("--user needs its password in NEO4J_PASSWORD")
        with comparing("Comparing Neo4j with the manifest"):
            differences = verify_bolt(export, bolt, user=user, password=password, database=database)
    for difference in differences:
        print(difference)
    if differences:
        raise LimitError(f"{counted(len(differences), 'difference')} from the manifest of {export}")
    print(f"{export}: as its manifest says" + (f", and so is {bolt}" if bolt else ""))


@app.command()
def runs(
    output: Output = None,
    config: Config = None,
    diff: Annotated[
        tuple[str, str] | None,
        typer.Option("--diff", metavar="A B", help="Compare two exports, by name or directory.", show_default=False),
    ] = None,
) -> None:
    """List the exports below the output directory, or compare two of them label by label and pattern by pattern."""
    from rich.console import Console

    from exporter.history import changes, exports, find
    from exporter.screen import changes_table, runs_table

    output = settings_from(config, output=output).output
    console = Console(width=None if sys.stdout.isatty() else 160)
    if diff:
        before, after = (find(output, name) for name in diff)
        differing = [each for each in changes(before, after) if each.changed]
        console.print(changes_table(differing) if differing else "Every label and pattern has the same numbers.")
    elif found := exports(output):
        console.print(runs_table(found))
    else:
        console.print(f"There is no export in {output}.")


@app.command()
def prune(keep: Keep, output: Output = None, config: Config = None) -> None:
    """Remove old exports, never the one that is latest, and rejects that were kept before the oldest that stays."""
    from exporter.history import prune as prune_exports

    for directory in prune_exports(settings_from(config, output=output).output, keep):
        print(f"removed {directory}")


@app.command()
def headers(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where the headers are.")] = Path("headers"),
    check: Annotated[bool, typer.Option("--check", help="Only compare; exit 1 when they differ.")] = False,
) -> None:
    """Write the headers from the model, one a label and one a pattern."""
    from exporter.screen import counted
    from exporter.target.headers import compare_headers, write_headers

    if not check:
        print(f"{len(write_headers(directory))} headers in {directory}")
        return
    differences = compare_headers(directory)
    for difference in differences:
        print(difference)
    if differences:
        raise LimitError(f"{counted(len(differences), 'difference')} from the model; run `exporter headers`")
    print(f"{directory}: as the model says")


@app.command()
def model(
    format: Annotated[ModelFormat, typer.Option("--format", help="How to print it.")] = ModelFormat.TABLE,
) -> None:
    """Print the graph model."""
    from exporter.model.render import mermaid, model_json

    if format is ModelFormat.JSON:
        # No line end, so that the SHA-256 of what is printed is the manifest's.
        sys.stdout.write(model_json())
    elif format is ModelFormat.MERMAID:
        print(mermaid())
    else:
        from rich.console import Console

        from exporter.screen import model_tables

        Console(width=None if sys.stdout.isatty() else 160).print(model_tables())


@app.command()
def demo(
    scale: Annotated[
        float, typer.Option("--scale", metavar="N", help="How large the sample is; 1 is about 100,000 rows.")
    ] = 1.0,
    keep: Annotated[bool, typer.Option("--keep", help="Leave Neo4j running and print its address.")] = False,
    output: Annotated[Path, typer.Option("--output", metavar="DIR", help="Where the export is made.")] = Path("output"),
    cache: Annotated[
        Path | None,
        typer.Option("--cache", metavar="DIR", help="Where Neo4j's jars are kept.", show_default="the XDG cache"),
    ] = None,
) -> None:
    """Make a sample source, export it, import it into a real Neo4j, verify it, and ask the five sample queries."""
    from rich.console import Console

    from exporter.demo.demo import run_demo

    run_demo(scale=scale, keep=keep, output=output, cache=cache, console=Console())
