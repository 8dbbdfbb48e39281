"""`exporter local`: graphs on the user's own machine, made by the command itself and used by its subcommands."""

import os
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from exporter.cli.completion import complete_export, complete_graph
from exporter.cli.copy_options import flag_values
from exporter.cli.local_query import Name, name_option, query
from exporter.cli.options import (
    Cache,
    Config,
    Json,
    LockTimeout,
    MaxDuration,
    MaxRejects,
    Memory,
    Source,
    StallTimeout,
    Timezone,
    Workers,
    print_json,
    result_console,
    settings_from,
    warn_of_masking,
    warn_of_secrets,
)
from exporter.errors import UsageError
from exporter.invocation import command
from exporter.text import visible

app = typer.Typer(name="local")

PASSWORD = re.compile(r"//[^/]*:[^/]*@|password")

ExportToUse = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="EXPORT",
        help="Build it from this export instead of a source.",
        show_default=False,
        autocompletion=complete_export,
    ),
]
NewName = Annotated[str | None, name_option("Name of the graph; you can have several side by side.", "graph")]
NameToRemove = Annotated[str | None, name_option("Name of the graph.", False)]
NameArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="NAME", help="Name of the graph, as with --name.", show_default=False, autocompletion=complete_graph
    ),
]


HELP = (
    "Build a graph on this machine, and list, query, start, stop or remove it.\n\n"
    "With --source or --from: export, import into a Neo4j of its own, verify and start it. A graph of the same name is "
    "replaced once the new one is complete. With neither, and without a command: the list of graphs."
)


# What may be said of a graph from a source as from an export.
OF_BOTH = {"--name", "--cache"}


@app.callback(invoke_without_command=True, subcommand_metavar="[COMMAND]", help=HELP)
def local(
    context: typer.Context,
    source: Source = None,
    export: ExportToUse = None,
    name: NewName = None,
    config: Config = None,
    workers: Workers = None,
    memory: Memory = None,
    timezone: Timezone = None,
    max_rejects: MaxRejects = None,
    max_duration: MaxDuration = None,
    lock_timeout: LockTimeout = None,
    stall_timeout: StallTimeout = None,
    cache: Cache = None,
    as_json: Json = False,
) -> None:
    """Builds a graph where a source or an export is given on the command line, else prints the list of graphs.

    Raises `UsageError` for flags that would be ignored.
    """
    flags = passed_flags(context) - {"--json"}
    if context.invoked_subcommand:
        if flags or as_json:
            raise UsageError(f"{' and '.join(sorted(flags) or ['--json'])} must follow {context.invoked_subcommand}")
    elif source is None and export is None:
        if flags:
            needed = "--source" if flags - OF_BOTH else "--source or --from"
            raise UsageError(f"{' and '.join(sorted(flags))} cannot stand without {needed}")
        list_graphs(as_json)
        if not as_json:
            hint_at_building()
    elif export is not None and (unused := flags - OF_BOTH - {"--from"}):
        raise UsageError(f"--from cannot be combined with {' and '.join(sorted(unused))}")
    else:
        settings = None if export else settings_from(context, config)
        warn_of_secrets(context)
        if settings:
            refuse_cluster(settings)
            warn_of_masking(settings)
        build(name, export or settings, cache, as_json)


def refuse_cluster(settings: Any) -> None:
    """Raises `UsageError` for settings that have a cluster read."""
    if settings.cluster:
        raise UsageError(
            "a local graph is built by this machine alone: leave cluster out of the settings file and the environment,"
            " or name another file with --config"
        )


def passed_flags(context: typer.Context) -> set[str]:
    """The flags of the running command that were passed."""
    values = flag_values(context)
    given = {parameter.opts[0]: values.get(parameter.name or "") for parameter in context.command.params}
    return {flag for flag, value in given.items() if value is not None and value is not False}


@app.command("list")
def listing(as_json: Json = False) -> None:
    """List the graphs on this machine: which are running and where, how old and how large they are."""
    list_graphs(as_json)


app.command()(query)


@app.command()
def start(argument: NameArgument = None, name: Name = None, cache: Cache = None, as_json: Json = False) -> None:
    """Start a graph again, for example after a reboot."""
    from exporter.local import lifecycle, registry
    from exporter.progress.log import stderr_console
    from exporter.store.deploy import Steps

    graph = registry.find(one_name(argument, name))
    record = lifecycle.start(graph, cache=cache, steps=Steps(stderr_console().print))
    print_usage(graph, record, as_json)


@app.command()
def stop(argument: NameArgument = None, name: Name = None, as_json: Json = False) -> None:
    """Stop a graph; it stays on disk."""
    from exporter.local import lifecycle, registry

    graph = registry.find(one_name(argument, name))
    was_running = lifecycle.stop(graph)
    if as_json:
        print_json({"name": graph.name, "was_running": was_running})
    else:
        print(f"{graph.name}: stopped" if was_running else f"{graph.name}: was not running")


@app.command()
def remove(argument: NameArgument = None, name: NameToRemove = None, as_json: Json = False) -> None:
    """Stop the graph with this name and delete it."""
    from exporter.local import lifecycle, registry

    wanted = one_name(argument, name)
    if not wanted:
        raise UsageError(f"which graph? Name it: {command()} local remove NAME; it is never guessed")
    graph = registry.find(wanted)
    lifecycle.delete(graph)
    print_json({"name": graph.name}) if as_json else print(f"{graph.name}: removed")


def one_name(argument: str | None, option: str | None) -> str | None:
    """The name of a graph, given as an argument or by --name. Raises `UsageError` for two different names."""
    if argument and option and argument != option:
        raise UsageError(f"two names of one graph: {argument} and --name {option}")
    return argument or option


def build(name: str | None, origin: Any, cache: Path | None, as_json: bool) -> None:
    """Builds a graph from settings or from an export's directory, and prints what to do with it."""
    from exporter.local import lifecycle, queries, registry, tables
    from exporter.progress.log import stderr_console
    from exporter.store.deploy import Steps

    graph, steps = registry.graph_named(name), Steps(stderr_console().print)
    record = lifecycle.create(graph, origin, cache=cache, steps=steps)
    steps.show_line("")
    steps.show(tables.seconds_table(steps.seconds))
    if not as_json:
        with queries.open_driver(graph, record) as driver:
            samples = queries.sample_queries(driver)
        result_console().print(
            "\nFive queries to start with, ready to paste:", tables.samples_text(samples), soft_wrap=True
        )
    print_usage(graph, record, as_json)


def print_usage(graph: Any, record: Any, as_json: bool) -> None:
    """Prints what a running graph holds, and what to type next."""
    from exporter.local import tables

    if as_json:
        print_json(tables.graph_json(graph))
    else:
        result_console().print(tables.usage_text(graph, record), soft_wrap=True)


def list_graphs(as_json: bool) -> None:
    """Prints the graphs on this machine."""
    from exporter.local import names, registry, tables

    graphs = registry.graphs()
    if as_json:
        print_json({"graphs": [tables.graph_json(graph) for graph in graphs]})
    elif not graphs:
        print(visible(f"There is no graph in {names.data_directory()}."))
    else:
        result_console().print(tables.graphs_table(graphs))


def hint_at_building() -> None:
    """Says on stderr how to build a graph, since a source in the settings alone does not."""
    from exporter.progress.log import log_stderr

    known = os.environ.get("EXPORTER_SOURCE", "")
    # A password in it would be seen on the command line.
    usable = known and not PASSWORD.search(known)
    source = '"$EXPORTER_SOURCE"' if usable else "postgresql://USER@HOST/DATABASE"
    log_stderr(f"To build one: {command()} local --source {source}, or --from EXPORT")
