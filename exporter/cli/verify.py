"""`exporter verify`: an export, or a running Neo4j, against the manifest."""

import os
from typing import Annotated

import typer

from exporter.cli.options import Export, Json, print_json
from exporter.errors import DifferenceError, UsageError


def verify(
    export: Export,
    bolt: Annotated[
        str | None,
        typer.Option("--bolt", metavar="URI", help="Also compare a running Neo4j, such as bolt://127.0.0.1:7687."),
    ] = None,
    database: Annotated[str, typer.Option("--database", metavar="NAME", help="The database to compare.")] = "neo4j",
    user: Annotated[
        str | None,
        typer.Option(
            "--user",
            metavar="NAME",
            help="Neo4j user, else NEO4J_USERNAME; the password is NEO4J_PASSWORD.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare an export's files, and with --bolt a running Neo4j, with its manifest. Exit code 1 if they differ."""
    from exporter.progress.status import status
    from exporter.published.verify import verify_files
    from exporter.store.verify import verify_bolt
    from exporter.text import quantity

    with status("Comparing the files with the manifest") as on_progress:
        differences = verify_files(export, on_progress)
    if bolt and not differences:
        user, password = login(user)
        with status("Comparing Neo4j with the manifest"):
            differences = verify_bolt(export, bolt, user=user, password=password, database=database)
    if as_json:
        compared = {"bolt": bolt, "database": database} if bolt else {}
        print_json({"export": str(export), **compared, "matches": not differences, "differences": differences})
    else:
        for difference in differences:
            print(difference)
    if differences:
        raise DifferenceError(f"{quantity(len(differences), 'difference')} from the manifest of {export}")
    if not as_json:
        print(f"{export} matches its manifest" + (f", and so does {bolt}" if bolt else ""))


def login(user: str | None) -> tuple[str | None, str | None]:
    """The user, by default that of NEO4J_USERNAME, or neo4j if there is a password, and the password. Raises
    `UsageError` for a user without one."""
    password = os.environ.get("NEO4J_PASSWORD")
    configured = os.environ.get("NEO4J_USERNAME")
    if password is None and (user or configured):
        raise UsageError(f"{'--user' if user else 'NEO4J_USERNAME'} needs its password in NEO4J_PASSWORD")
    return user or configured or ("neo4j" if password else None), password
