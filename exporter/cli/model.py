"""`exporter model`: the graph model, printed."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from exporter.cli.options import result_console


class ModelFormat(StrEnum):
    TABLE = "table"
    MERMAID = "mermaid"
    JSON = "json"


def model(
    format: Annotated[
        ModelFormat, typer.Option("--format", metavar="table|mermaid|json", help="Output format.")
    ] = ModelFormat.TABLE,
    as_json: Annotated[bool, typer.Option("--json", help="As --format json.")] = False,
) -> None:
    """Print the graph model: labels and patterns, with the tables and columns they come from."""
    from exporter.model.render import mermaid, model_json

    if as_json or format is ModelFormat.JSON:
        # No final newline, so that the SHA-256 of the output is the manifest's.
        sys.stdout.write(model_json())
    elif format is ModelFormat.MERMAID:
        print(mermaid())
    else:
        from exporter.cli.tables import model_tables

        result_console().print(model_tables())
