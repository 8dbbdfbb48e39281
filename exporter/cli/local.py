"""The command that keeps graphs on the user's own machine: local."""

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
    settings_from,
    warn_of_password,
)
from exporter.errors import UsageError


def local(
    source: Source = None,
    export: Annotated[
        Path | None,
        typer.Option("--from", metavar="EXPORT", help="Take this export instead of a source.", show_default=False),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="Which graph; several live side by side.", show_default="graph"),
    ] = None,
    query: Annotated[
        str | None,
        typer.Option(
            "--query",
            metavar="CYPHER",
            help="Ask the graph, which stays as it is; 1 to 5 asks a sample query, - reads from stdin.",
            show_default=False,
        ),
    ] = None,
    start: Annotated[bool, typer.Option("--start", help="Start the graph again, as after a reboot.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Stop the graph; it stays on the disk.")] = False,
    listing: Annotated[bool, typer.Option("--list", help="List the registry.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Stop the graph of --name and remove all of it.")] = False,
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
    """Make a graph of a source on this machine: export, import into a Neo4j that comes along, verify, start; then
    ask, stop, start, list and remove it. A graph of the same name is replaced when the new one is whole."""
    from exporter.local import lifecycle, registry

    exporting = {
        "source": source, "workers": workers, "memory": memory, "timezone": timezone, "max_rejects": max_rejects,
        "max_duration": max_duration, "lock_timeout": lock_timeout, "stall_timeout": stall_timeout,
    }  # fmt: skip
    actions = {
        "--from": export, "--query": query, "--start": start, "--stop": stop, "--list": listing, "--remove": remove,
    }  # fmt: skip
    match only_action(actions, exporting | {"config": config}, name=name, cache=cache):
        case "--list":
            list_graphs()
        case "--query":
            ask(name, sys.stdin.read() if query == "-" else query or "")
        case "--start":
            begin(name, cache)
        case "--stop":
            graph = registry.find(name)
            print(f"{graph.name}: stopped" if lifecycle.stop(graph) else f"{graph.name}: it was not running")
        case "--remove":
            graph = registry.find(name)
            lifecycle.delete(graph)
            print(f"{graph.name}: removed")
        case _:
            warn_of_password(source)
            make(name, export or settings_from(config, **exporting), cache)


def only_action(
    actions: Mapping[str, object], exporting: Mapping[str, object], *, name: str | None, cache: Path | None
) -> str | None:
    """The one action that was asked for, None for an export and its graph. Raises `UsageError` where flags do not go
    together: none is ignored."""
    wanted = [flag for flag, value in actions.items() if value not in (None, False)]
    action = wanted[0] if wanted else None
    idle = [f"--{flag.replace('_', '-')}" for flag, value in exporting.items() if action and value is not None]
    idle += ["--cache"] if cache and action not in (None, "--from", "--start") else []
    idle += ["--name"] if name and action == "--list" else []
    if len(wanted) > 1 or idle:
        raise UsageError(f"{' and '.join([*wanted, *idle])} do not go together")
    if action == "--remove" and not name:
        raise UsageError("--remove needs --name: which graph is to go is never guessed")
    return action


def make(name: str | None, origin: Any, cache: Path | None) -> None:
    """Makes a graph, and prints how to go on with it."""
    from rich.console import Console

    from exporter.local import lifecycle, queries, registry, tables
    from exporter.store.deploy import Steps

    graph, steps = registry.graph_named(name), Steps(Console(stderr=True).print)
    record = lifecycle.create(graph, origin, cache=cache, steps=steps)
    steps.show_line("")
    steps.show(tables.seconds_table(steps.seconds))
    with queries.open_driver(graph, record) as driver:
        samples = queries.sample_queries(driver)
    console = result_console()
    console.print("\nFive queries for a start, ready to paste:", tables.samples_text(samples), soft_wrap=True)
    console.print(tables.usage_text(graph, record), soft_wrap=True)


def begin(name: str | None, cache: Path | None) -> None:
    """Starts a graph, and prints how to go on with it."""
    from rich.console import Console

    from exporter.local import lifecycle, registry, tables
    from exporter.store.deploy import Steps

    graph = registry.find(name)
    record = lifecycle.start(graph, cache=cache, steps=Steps(Console(stderr=True).print))
    result_console().print(tables.usage_text(graph, record), soft_wrap=True)


def ask(name: str | None, cypher: str) -> None:
    """Prints what a graph answers."""
    from exporter.local import lifecycle, queries, registry, tables

    graph = registry.find(name)
    if not graph.server():
        raise UsageError(f"the graph {graph.name} is not running; exporter local --name {graph.name} --start")
    with queries.open_driver(graph, lifecycle.require_record(graph)) as driver:
        result = queries.run_query(driver, cypher)
    result_console().print(tables.result_table(result))


def list_graphs() -> None:
    """Prints the graphs there are."""
    from exporter.local import registry, tables

    found = registry.graphs()
    result_console().print(
        tables.graphs_table(found) if found else f"There is no graph in {registry.data_directory()}."
    )


def result_console() -> Any:
    """Where results go; wide enough for most where it is no terminal."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 160)
