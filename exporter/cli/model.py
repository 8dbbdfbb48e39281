"""`exporter model`: the graph model, printed."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from exporter.cli.options import print_json, result_console
from exporter.errors import UsageError


class ModelFormat(StrEnum):
    TABLE = "table"
    MERMAID = "mermaid"
    JSON = "json"


def model(
    format: Annotated[
        ModelFormat, typer.Option("--format", metavar="table|mermaid|json", help="Output format.")
    ] = ModelFormat.TABLE,
    privacy: Annotated[
        bool, typer.Option("--privacy", help="How personal each property is, and how --redact analyst masks it.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As --format json.")] = False,
) -> None:
    """Print the graph model: labels and patterns, with the tables and columns they come from."""
    from exporter.model.render import mermaid, model_json

    if privacy:
        if format is ModelFormat.MERMAID:
            raise UsageError("--privacy has no diagram; leave out --format mermaid")
        print_privacy(as_json=as_json or format is ModelFormat.JSON)
    elif as_json or format is ModelFormat.JSON:
        # No final newline, so that the SHA-256 of the output is the manifest's.
        sys.stdout.write(model_json())
    elif format is ModelFormat.MERMAID:
        print(mermaid())
    else:
        from exporter.cli.tables import model_tables

        result_console().print(model_tables())


def print_privacy(*, as_json: bool) -> None:
    """Prints the class and treatment of every property."""
    from exporter.cli.privacy_tables import CAUTION, rules_object, rules_table
    from exporter.model.redaction import ANALYST, VERSION, effective_rules

    rules = effective_rules({}, ())
    if as_json:
        print_json({"profile": ANALYST, "version": VERSION, "properties": rules_object(rules)})
    else:
        result_console().print(rules_table(rules))
        print(f"\n{CAUTION}")
