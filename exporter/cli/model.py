"""`exporter model`: the graph model, printed."""

import sys
from enum import StrEnum
from typing import Annotated

import typer


class ModelFormat(StrEnum):
    TABLE = "table"
    MERMAID = "mermaid"
    JSON = "json"


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

        from exporter.cli.tables import model_tables

        Console(width=None if sys.stdout.isatty() else 160).print(model_tables())
