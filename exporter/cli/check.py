"""`exporter check`: whether a source can be exported."""

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from exporter.cli.options import (
    Config,
    Output,
    Source,
    settings_from,
    warn_of_password,
)

if TYPE_CHECKING:
    from exporter.preflight.check import Checkup


def check(
    source: Source = None,
    output: Output = None,
    config: Config = None,
    notes: Annotated[
        bool,
        typer.Option("--notes", help="Also list what is worth knowing (casts, views), and the estimate by table."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object on stdout instead, with everything; for CI.")
    ] = False,
) -> None:
    """Say whether the source can be exported (exit code 0) or not (3), and all that is wrong at once; write nothing.

    Also estimates rows, bytes and time of an export, and whether the disk has room, without reading a table.
    """
    from exporter.cli.tables import findings_summary
    from exporter.errors import SourceError
    from exporter.preflight.check import Checkup, unreachable
    from exporter.preflight.check import check as check_source

    settings = settings_from(config, source=source, output=output)
    warn_of_password(source)
    try:
        checkup: Checkup = check_source(settings)
    except SourceError as error:
        if as_json:
            print_json(unreachable(settings, error))
        raise
    if as_json:
        print_json(checkup)
    else:
        show(checkup, notes=notes)
    said = findings_summary(checkup.findings)
    if not checkup.exportable:
        raise SourceError(f"the source cannot be exported: {said}")
    if not as_json:
        print(f"The source can be exported: {said}{' (see --notes)' if not notes else ''}.")


def print_json(checkup: "Checkup") -> None:
    """The one object of `check --json`."""
    print(json.dumps(checkup.as_object(), indent=2, ensure_ascii=False))


def show(checkup: "Checkup", *, notes: bool) -> None:
    """Findings and estimate: as a table on a terminal, else a line each."""
    from rich.console import Console

    from exporter.cli.tables import estimate_text, estimates_table, findings_table
    from exporter.source.compatibility import Severity

    terminal = sys.stdout.isatty()
    console = Console(width=None if terminal else 160, highlight=False)
    listed = [finding for finding in checkup.findings if notes or finding.severity is not Severity.NOTE]
    if terminal and listed:
        console.print(findings_table(listed), "")
    else:
        for finding in listed:
            print(f"{finding.severity}: {finding}")
    if checkup.estimate and notes:
        console.print(estimates_table(checkup.estimate), "")
    if checkup.estimate:
        said = estimate_text(checkup.estimate, checkup.output, checkup.free)
        console.print(said, markup=False, emoji=False, soft_wrap=not terminal)
    if terminal:
        console.print()
