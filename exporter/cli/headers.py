"""`exporter headers`: the header files, generated from the model."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from exporter.cli.options import Json, print_json
from exporter.errors import DifferenceError, SourceError
from exporter.invocation import command

DEFAULT = Path("headers")


def headers(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Directory of the headers.")] = DEFAULT,
    check: Annotated[bool, typer.Option("--check", help="Only compare; exit with 1 if they differ.")] = False,
    as_json: Json = False,
) -> None:
    """Write the header files of the model, one for each label and pattern."""
    from exporter.model.validate import problems
    from exporter.sink.headers import compare_headers, write_headers
    from exporter.text import quantity, visible

    if faults := [f"model: {problem}; correct exporter/model" for problem in problems()]:
        raise SourceError("\n  ".join(["the model cannot be exported:", *faults]))
    differences = compare_headers(directory) if check else []
    written = [] if check else write_headers(directory)
    if as_json:
        print_json({"directory": str(directory), "written": len(written), "differences": differences})
    else:
        for difference in differences:
            print(visible(difference))
    if differences:
        raise DifferenceError(
            f"{quantity(len(differences), 'difference')} from the model; run {command()} headers"
            + ("" if directory == DEFAULT else f" {shlex.quote(str(directory))}")
        )
    if not as_json:
        print(f"{directory} matches the model" if check else f"{len(written)} headers in {directory}")
