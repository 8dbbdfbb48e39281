"""`exporter runs`: the exports there are, and what changed between two of them."""

import sys
from typing import Annotated

import typer

from exporter.cli.options import Config, Output, settings_from


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

    from exporter.cli.tables import changes_table, runs_table
    from exporter.published.diff import changes
    from exporter.published.history import exports, find

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
