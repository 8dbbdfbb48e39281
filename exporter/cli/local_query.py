"""`exporter local query`: a question to a graph on the user's own machine."""

import sys
from contextlib import ExitStack
from enum import StrEnum
from typing import Annotated, Any

import typer

from exporter.cli.completion import complete_graph
from exporter.cli.options import result_console
from exporter.errors import UsageError
from exporter.invocation import command


class Format(StrEnum):
    """The form of a result: for people, or for programs; `json` is one object per line and row."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def name_option(help: str, default: str | bool) -> Any:
    """The flag `--name`, completed with the graphs that exist; `default` is only shown."""
    return typer.Option("--name", metavar="NAME", help=help, show_default=default, autocompletion=complete_graph)


Name = Annotated[str | None, name_option("Name of the graph.", "graph, or the only one")]


def query(
    cypher: Annotated[
        str,
        typer.Argument(metavar="QUERY", help="Read-only Cypher; 1 to 5 for a sample query, - to read one from stdin."),
    ],
    name: Name = None,
    form: Annotated[
        Format,
        typer.Option(
            "--format", metavar="table|csv|json", help="A table to read, or CSV or JSON lines, complete and exact."
        ),
    ] = Format.TABLE,
    as_json: Annotated[bool, typer.Option("--json", help="As --format json.", show_default=False)] = False,
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="N", min=1, help="Print at most N rows.", show_default="1000 in a table"),
    ] = None,
) -> None:
    """Ask a graph that is running."""
    from exporter.local import lifecycle, queries, registry, results
    from exporter.progress.log import log_stderr
    from exporter.progress.status import status

    if as_json and form is Format.CSV:
        raise UsageError("--json and --format csv cannot be combined")
    graph = registry.find(name)
    if not graph.server():
        raise UsageError(f"{graph.title} is not running; start it: {command()} local start{graph.flag}")
    text = stdin_text() if cypher == "-" else cypher
    record = lifecycle.require_record(graph)
    with queries.open_driver(graph, record) as driver, ExitStack() as waiting:
        waiting.enter_context(status("Waiting for the answer"))
        with queries.run_query(driver, text) as result:
            if form is Format.TABLE and not as_json:
                table = results.read_table(result, limit)
                waiting.close()
                result_console().print(table)
            else:
                result.peek()
                waiting.close()
                if results.print_lines(result, limit, csv=form is Format.CSV):
                    log_stderr(f"exporter: there are more rows than --limit {limit}")
            for notification in queries.notifications(result):
                log_stderr(f"exporter: Neo4j: {notification}")


def stdin_text() -> str:
    """The text on stdin. Raises `UsageError` if it is not UTF-8."""
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError("the query on stdin is not UTF-8") from None
