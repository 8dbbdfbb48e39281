"""Commands on exports that are there: verify, runs, prune."""

import os
import sys
from typing import Annotated

import typer

from exporter.cli.options import Config, Export, Keep, Output, settings_from
from exporter.errors import LimitError, UsageError


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
    from exporter.progress import waiting
    from exporter.screen import counted
    from exporter.target.bolt import verify_bolt
    from exporter.target.verification import verify_files

    with waiting("Comparing the files with the manifest") as on_progress:
        differences = verify_files(export, on_progress)
    if bolt and not differences:
        password = os.environ.get("NEO4J_PASSWORD")
        if user and password is None:
            raise UsageError("--user needs its password in NEO4J_PASSWORD")
        with waiting("Comparing Neo4j with the manifest"):
            differences = verify_bolt(export, bolt, user=user, password=password, database=database)
    for difference in differences:
        print(difference)
    if differences:
        raise LimitError(f"{counted(len(differences), 'difference')} from the manifest of {export}")
    print(f"{export}: as its manifest says" + (f", and so is {bolt}" if bolt else ""))


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


def prune(keep: Keep, output: Output = None, config: Config = None) -> None:
    """Remove old exports, never the one that is latest, and rejects that were kept before the oldest that stays."""
    from exporter.history import prune as prune_exports

    removed = prune_exports(settings_from(config, output=output).output, keep)
    for directory in removed:
        print(f"removed {directory}")
    if not removed:
        print("Nothing is to be removed.")
