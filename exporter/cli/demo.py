"""`exporter demo`: everything from a source to answers, on a sample."""

from pathlib import Path
from typing import Annotated

import typer

from exporter.cli.options import Cache, Json, print_json


def demo(
    scale: Annotated[
        float, typer.Option("--scale", metavar="N", help="Size of the sample; 1 is about 100,000 rows.")
    ] = 1.0,
    keep: Annotated[bool, typer.Option("--keep", help="Leave Neo4j running, with its Browser.")] = False,
    output: Annotated[
        Path, typer.Option("--output", metavar="DIR", help="The export is a new directory below this one.")
    ] = Path("output/demo"),
    cache: Cache = None,
    as_json: Json = False,
) -> None:
    """Create a sample source, export it, import it into a real Neo4j, verify it, and run the five sample queries."""
    from rich.console import Console

    from exporter.demo.demo import run_demo
    from exporter.progress.log import stderr_console

    show = stderr_console().print if as_json else Console().print
    result = run_demo(scale=scale, keep=keep, output=output, cache=cache, show=show)
    if as_json:
        print_json(result)
