"""`exporter local`: graphs on the user's own machine."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from exporter.cli.options import (
    Cache,
    Config,
    LockTimeout,
    MaxDuration,
    MaxRejects,
    Memory,
    Source,
    StallTimeout,
    Timezone,
    Workers,
    result_console,
    setting_flags,
    settings_from,
    warn_of_password,
)
from exporter.errors import UsageError

ExportToUse = Annotated[
    Path | None,
    typer.Option("--from", metavar="EXPORT", help="Use this export instead of a source.", show_default=False),
]
Name = Annotated[
    str | None,
    typer.Option(
        "--name", metavar="NAME", help="Name of the graph; you can have several side by side.", show_default="graph"
    ),
]
Query = Annotated[
    str | None,
    typer.Option(
        "--query",
        metavar="CYPHER",
        help="Run a read-only query; 1 to 5 runs a sample query, - reads one from stdin.",
        show_default=False,
    ),
]
Start = Annotated[bool, typer.Option("--start", help="Start the graph again, for example after a reboot.")]
Stop = Annotated[bool, typer.Option("--stop", help="Stop the graph; it stays on disk.")]
List = Annotated[bool, typer.Option("--list", help="List the graphs on this machine.")]
Remove = Annotated[bool, typer.Option("--remove", help="Stop the graph named by --name and delete it.")]


def local(
    context: typer.Context,
    source: Source = None,
    export: ExportToUse = None,
    name: Name = None,
    query: Query = None,
    start: Start = False,
    stop: Stop = False,
    listing: List = False,
    remove: Remove = False,
    config: Config = None,
    workers: Workers = None,
    memory: Memory = None,
    timezone: Timezone = None,
    max_rejects: MaxRejects = None,
    max_duration: MaxDuration = None,
    lock_timeout: LockTimeout = None,
    stall_timeout: StallTimeout = None,
    cache: Cache = None,
) -> None:
    """Build a graph of a source on this machine; query, stop, start, list or remove it.

    Builds by exporting, importing into a Neo4j of its own, verifying and starting it. A graph of the same name is
    replaced once the new one is complete.
    """
    from exporter.local import lifecycle, registry

    actions = {
        "--from": export, "--query": query, "--start": start, "--stop": stop, "--list": listing, "--remove": remove,
    }  # fmt: skip
    match only_action(actions, setting_flags(context) | {"config": config}, name=name, cache=cache):
        case "--list":
            list_graphs()
        case "--query":
            run_query(name, sys.stdin.read() if query == "-" else query or "")
        case "--start":
            start_graph(name, cache)
        case "--stop":
            graph = registry.find(name)
            print(f"{graph.name}: stopped" if lifecycle.stop(graph) else f"{graph.name}: was not running")
        case "--remove":
            graph = registry.find(name)
            lifecycle.delete(graph)
            print(f"{graph.name}: removed")
        case _:
            warn_of_password(source)
            make_graph(name, export or settings_from(context, config), cache)


def only_action(
    actions: Mapping[str, object], settings: Mapping[str, object], *, name: str | None, cache: Path | None
) -> str | None:
    """The one action that the flags ask for; None to export a source into a graph.

    `actions` and `settings` are flags with their values. Raises `UsageError` for flags that cannot be combined: none is
    ignored.
    """
    requested = [flag for flag, value in actions.items() if value not in (None, False)]
    action = requested[0] if requested else None
    unused = [f"--{flag.replace('_', '-')}" for flag, value in settings.items() if action and value is not None]
    unused += ["--cache"] if cache and action not in (None, "--from", "--start") else []
    unused += ["--name"] if name and action == "--list" else []
    if len(requested) > 1 or unused:
        raise UsageError(f"{' and '.join([*requested, *unused])} cannot be combined")
    if action == "--remove" and not name:
        raise UsageError("--remove needs --name: the graph to delete is never guessed")
    return action


def make_graph(name: str | None, origin: Any, cache: Path | None) -> None:
    """Builds a graph from settings or from an export's directory, and prints what to do with it."""
    from exporter.local import lifecycle, queries, registry, tables
    from exporter.progress.log import stderr_console
    from exporter.store.deploy import Steps

    graph, steps = registry.graph_named(name), Steps(stderr_console().print)
    record = lifecycle.create(graph, origin, cache=cache, steps=steps)
    steps.show_line("")
    steps.show(tables.seconds_table(steps.seconds))
    with queries.open_driver(graph, record) as driver:
        samples = queries.sample_queries(driver)
    console = result_console()
    console.print("\nFive queries to start with, ready to paste:", tables.samples_text(samples), soft_wrap=True)
    console.print(tables.usage_text(graph, record), soft_wrap=True)


def start_graph(name: str | None, cache: Path | None) -> None:
    """Starts a graph, and prints what to do with it."""
    from exporter.local import lifecycle, registry, tables
    from exporter.progress.log import stderr_console
    from exporter.store.deploy import Steps

    graph = registry.find(name)
    record = lifecycle.start(graph, cache=cache, steps=Steps(stderr_console().print))
    result_console().print(tables.usage_text(graph, record), soft_wrap=True)


def run_query(name: str | None, cypher: str) -> None:
    """Runs a query and prints its result."""
    from exporter.local import lifecycle, queries, registry, tables

    graph = registry.find(name)
    if not graph.server():
        raise UsageError(f"the graph {graph.name} is not running; exporter local --name {graph.name} --start")
    with queries.open_driver(graph, lifecycle.require_record(graph)) as driver:
        result = queries.run_query(driver, cypher)
    result_console().print(tables.result_table(result))


def list_graphs() -> None:
    """Prints the graphs on this machine."""
    from exporter.local import registry, tables

    graphs = registry.graphs()
    result_console().print(
        tables.graphs_table(graphs) if graphs else f"There is no graph in {registry.data_directory()}."
    )
