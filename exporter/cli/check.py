"""`exporter check`: whether a source can be exported."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from exporter.cli.options import (
    Config,
    Json,
    Output,
    Source,
    SourceName,
    Timezone,
    print_json,
    result_console,
    settings_from,
    warn_of_secrets,
)

if TYPE_CHECKING:
    from exporter.preflight.check import Preflight


def check(
    context: typer.Context,
    source: Source = None,
    source_name: SourceName = None,
    output: Output = None,
    config: Config = None,
    timezone: Timezone = None,
    notes: Annotated[
        bool, typer.Option("--notes", help="Also list notes (casts, views), and the estimate by table.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check whether the source can be exported (exit code 0) or not (3), and list all problems.

    Also estimates an export's rows, size and time, and whether the disk has space. Reads no table, only one row of each
    mapped view; writes nothing.
    """
    from exporter.cli.tables import findings_summary
    from exporter.errors import SourceError, UsageError
    from exporter.invocation import command
    from exporter.preflight.check import check as check_source
    from exporter.preflight.check import unreachable

    settings = settings_from(context, config)
    warn_of_secrets(context)
    try:
        preflight = check_source(settings)
    except SourceError as error:
        if as_json:
            print_json(unreachable(settings, error).as_object())
        raise
    if as_json:
        print_json(preflight.as_object())
    else:
        print_findings(preflight, notes=notes)
    sys.stdout.flush()  # before the error, also where both are one file
    summary = findings_summary(preflight.findings)
    if not preflight.fits:
        known = f"; `{command()} init` writes a settings file with the similar names" if preflight.guessed else ""
        raise SourceError(f"the source cannot be exported: {summary}{known}")
    if not preflight.exportable:
        raise UsageError(f"the source can be exported, but not to {preflight.output}: {summary}")
    if not as_json:
        print(f"The source can be exported: {summary}{' (see --notes)' if not notes else ''}.")


def print_findings(preflight: "Preflight", *, notes: bool) -> None:
    """Prints findings and estimate: on a terminal as a table, else one finding a line."""
    from exporter.cli.tables import estimate_text, estimates_table, findings_table
    from exporter.source.compatibility import Severity

    terminal, console = sys.stdout.isatty(), result_console()
    listed = [finding for finding in preflight.findings if notes or finding.severity is not Severity.NOTE]
    if terminal and listed:
        console.print(findings_table(listed), "")
    else:
        for finding in listed:
            print(f"{finding.severity}: {finding}")
    if preflight.estimate and notes:
        console.print(estimates_table(preflight.estimate), "")
    if preflight.estimate:
        text = estimate_text(preflight.estimate, preflight.output, preflight.free_bytes)
        console.print(text, markup=False, emoji=False, soft_wrap=not terminal)
        if terminal:
            console.print()
