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
    warn_of_weak_masking,
)

if TYPE_CHECKING:
    from exporter.preflight.check import Preflight


# Programs look for a column's name in the table of what is masked, so it is in one piece, whatever its value's length.
LONGEST_ROW = 10_000


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
    preview: Annotated[
        bool,
        typer.Option("--preview", help="With --redact: one masked value of each property, beside its origin's shape."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Check whether the source can be exported (exit code 0) or not (3), and list all problems.

    Also estimates an export's rows, size and time, and whether the disk has space; for a copy, says what would be in
    and what would be masked. Reads no table, only one row of each mapped view, and some rows for --preview; writes
    nothing.
    """
    from exporter.cli.tables import findings_summary
    from exporter.errors import SourceError, UsageError
    from exporter.invocation import command
    from exporter.preflight.check import check as check_source
    from exporter.preflight.check import unreachable

    settings = settings_from(context, config)
    if preview and not settings.redact:
        raise UsageError("--preview shows what is masked; give --redact analyst too")
    warn_of_secrets(context)
    warn_of_weak_masking(settings)
    try:
        preflight = check_source(settings, preview=preview)
    except SourceError as error:
        if as_json:
            print_json(unreachable(settings, error).as_object())
        raise
    if as_json:
        print_json(preflight.as_object())
    else:
        print_findings(preflight, notes=notes)
        print_copy(preflight, notes=notes, preview=preview)
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
    if preflight.estimate and not preflight.window:
        text = estimate_text(preflight.estimate, preflight.output, preflight.free_bytes)
        console.print(text, markup=False, emoji=False, soft_wrap=not terminal)
        if terminal:
            console.print()


def print_copy(preflight: "Preflight", *, notes: bool, preview: bool) -> None:
    """Prints what a copy would hold: the rows of its window, and what is masked."""
    from exporter.cli.privacy_tables import masking_table, masking_text
    from exporter.cli.tables import window_table, window_text

    terminal, console = sys.stdout.isatty(), result_console(LONGEST_ROW)
    if preflight.window:
        if notes:
            console.print(window_table(preflight.window), "")
        console.print(window_text(preflight.window), markup=False, emoji=False, soft_wrap=not terminal)
    if masking := preflight.masking:
        properties = [prop for prop in masking.properties if notes or not prop.is_kept]
        console.print("", masking_table(properties, preview=preview), "", soft_wrap=not terminal)
        text = masking_text(masking, len(properties))
        console.print(text, markup=False, emoji=False, soft_wrap=not terminal)
