"""Commands that show the graph model: headers, model."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from exporter.errors import LimitError


class ModelFormat(StrEnum):
    TABLE = "table"
    MERMAID = "mermaid"
    JSON = "json"


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
