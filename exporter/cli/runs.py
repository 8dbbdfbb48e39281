"""`exporter runs`: the existing exports, and what changed between two of them."""

from typing import Annotated

import typer

from exporter.cli.completion import complete_export_name
from exporter.cli.options import Config, Output, result_console, settings_from


def runs(
    context: typer.Context,
    output: Output = None,
    config: Config = None,
    diff: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--diff",
            metavar="A B",
            help="Compare two exports, by name or directory.",
            show_default=False,
            autocompletion=complete_export_name,
        ),
    ] = None,
) -> None:
    """List the exports in the output directory, or compare two of them by label and pattern."""
    from exporter.cli.tables import changes_table, runs_table
    from exporter.published.diff import changes
    from exporter.published.history import exports, find

    directory = settings_from(context, config).output
    console = result_console()
    if diff:
        before, after = (find(directory, name) for name in diff)
        differing = [change for change in changes(before, after) if change.changed]
        console.print(changes_table(differing) if differing else "Every label and pattern has the same numbers.")
    elif published := exports(directory):
        console.print(runs_table(published))
    else:
        console.print(f"No exports in {directory}.")
