"""`exporter headers`: the header files, generated from the model."""

from pathlib import Path
from typing import Annotated

import typer

from exporter.errors import DifferenceError, SourceError


def headers(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Directory of the headers.")] = Path("headers"),
    check: Annotated[bool, typer.Option("--check", help="Only compare; exit with 1 if they differ.")] = False,
) -> None:
    """Write the header files of the model, one for each label and pattern."""
    from exporter.model.validate import problems
    from exporter.sink.headers import compare_headers, write_headers
    from exporter.text import quantity

    if faults := [f"model: {problem}; correct exporter/model" for problem in problems()]:
        raise SourceError("\n  ".join(["the model cannot be exported:", *faults]))
    if not check:
        print(f"{len(write_headers(directory))} headers in {directory}")
        return
    differences = compare_headers(directory)
    for difference in differences:
        print(difference)
    if differences:
        raise DifferenceError(f"{quantity(len(differences), 'difference')} from the model; run `exporter headers`")
    print(f"{directory} matches the model")
