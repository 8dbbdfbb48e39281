"""What `exporter local` prints of graphs, for 80 columns and as JSON: how to use one, and the list of them."""

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from exporter.invocation import command
from exporter.local.registry import PASSWORD, Graph, Record
from exporter.model.sample_queries import Query
from exporter.published.extent import short_window
from exporter.sink.copies import NOT_ANONYMOUS, window_object
from exporter.store.configuration import USER
from exporter.text import format_age, visible

FIRST_QUERY = "MATCH (g:Guide) RETURN g.full_name, g.tier LIMIT 5"
NO_BROWSER = "this Neo4j has none; build the graph again without NEO4J_HOME to have one"


def samples_text(samples: Iterable[tuple[Query, str]]) -> RenderableType:
    """The sample queries, ready to paste into any client of Neo4j."""
    parts: list[RenderableType] = []
    for number, (query, cypher) in enumerate(samples, 1):
        parts += [Text(f"\n// {number} {query.name}", "dim"), Text(f"{cypher};")]
    return Group(*parts)


def usage_text(graph: Graph, record: Record) -> RenderableType:
    """What a graph holds, its addresses, and what to type next."""
    local = f"{command()} local"
    rows = {
        "Bolt": bolt_address(record),
        "User": f"{USER}, the password is in {graph.directory / PASSWORD}",
        "Browser": browser_address(record) or NO_BROWSER,
        "Ask": f"{local} query{graph.flag} {shlex.quote(FIRST_QUERY)}",
        "Samples": f"{local} query{graph.flag} 1",
        "Stop": f"{local} stop{graph.flag}",
        "Start": f"{local} start{graph.flag}",
    }
    lines = [Text.assemble((f"  {title:<9}", "bold"), text) for title, text in rows.items()]
    return Group(Text(f"\n{contents_text(graph, record)}"), *lines)


def bolt_address(record: Record) -> str:
    return f"bolt://127.0.0.1:{record.bolt_port}"


def browser_address(record: Record) -> str | None:
    """Where Neo4j Browser is served; None if the graph's Neo4j has none."""
    return f"http://127.0.0.1:{record.http_port}/browser/" if record.http_port else None


def contents_text(graph: Graph, record: Record) -> str:
    """`graph: 10,028 nodes and 11,678 relationships of astrokiran, as of 5 min 2 s ago`, and what makes it a copy."""
    counts = f"{record.nodes:,} nodes and {record.relationships:,} relationships"
    text = f"{graph.name}: {counts} of {visible(record.database)}, as of {format_age(record.snapshot_at)} ago"
    if record.window:
        text += f"\n  A window, {visible(str(record.window))}: {record.window.rows}"
    if record.masked:
        text += f"\n  Masked by the profile {visible(record.masked)}: {NOT_ANONYMOUS}"
    return text


def seconds_table(seconds: Mapping[str, float]) -> RenderableType:
    """The seconds of each step."""
    table = Table(Column(), Column(justify="right"), box=None, show_header=False, pad_edge=False)
    for title, taken in seconds.items():
        table.add_row(title, f"{taken:.1f} s")
    table.add_row("total", f"{sum(seconds.values()):.1f} s")
    return table


def graphs_table(graphs: Iterable[Graph]) -> RenderableType:
    """Every graph: whether it is running and where, its nodes, the age of its snapshot, its size on disk; where some
    are copies, their windows and the profiles that masked them."""
    records = [(graph, graph.readable_record()) for graph in graphs]
    copies = any(record and (record.window or record.masked) for _, record in records)
    right = [Column(title, justify="right") for title in ("nodes", "snapshot", "MB")]
    kind = ["window", "masked"] if copies else []
    table = Table("graph", "running", Column("address", no_wrap=True), *right, *kind, box=None, pad_edge=False)
    for graph, record in records:
        if not record:
            table.add_row(graph.name, Text("?"), Text("its record cannot be read", "bold red"))
            continue
        runs = "yes" if graph.server() else "no"
        cells = (f"{record.nodes:,}", format_age(record.snapshot_at), f"{graph.size() / 1e6:,.0f}")
        window = short_window(record.extent) or "–", visible(record.masked or "–")
        table.add_row(graph.name, runs, bolt_address(record), *cells, *(window if copies else ()))
    return table


def graph_json(graph: Graph) -> dict[str, Any]:
    """A graph for programs; of one whose record cannot be read, only its name and null for the rest."""
    record = graph.readable_record()
    return {
        "name": graph.name,
        "running": bool(graph.server()) if record else None,
        "bolt": bolt_address(record) if record else None,
        "browser": browser_address(record) if record else None,
        "user": USER,
        "password_file": str(graph.directory / PASSWORD),
        "database": record.database if record else None,
        "snapshot_at": record.snapshot_at.isoformat().replace("+00:00", "Z") if record else None,
        "window": window_object(record.window) if record else None,
        "masked": record.masked if record else None,
        "nodes": record.nodes if record else None,
        "relationships": record.relationships if record else None,
        "neo4j": record.neo4j.version if record else None,
        "bytes": graph.size(),
    }
