"""What `exporter local` prints, for 80 columns: how to use a graph, query results, the list of graphs."""

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from neo4j.graph import Node, Path, Relationship
from neo4j.time import DateTime
from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from exporter.local.queries import MOST_ROWS, QueryResult
from exporter.local.registry import DEFAULT, PASSWORD, Graph, Record
from exporter.model.sample_queries import Query
from exporter.text import format_age

TRAILING_ZEROS = re.compile(r"(?:(\.\d*[1-9])|\.)0+(?=[+-]\d\d:\d\d$)")
FIRST_QUERY = "MATCH (g:Guide) RETURN g.full_name, g.tier LIMIT 5"
NO_BROWSER = "not included in Neo4j's jars; an installed Neo4j (NEO4J_HOME) has one"


def samples_text(samples: Iterable[tuple[Query, str]]) -> RenderableType:
    """The sample queries, ready to paste into any client of Neo4j."""
    parts: list[RenderableType] = []
    for number, (query, cypher) in enumerate(samples, 1):
        parts += [Text(f"\n// {number} {query.name}", "dim"), Text(f"{cypher};")]
    return Group(*parts)


def usage_text(graph: Graph, record: Record) -> RenderableType:
    """What a graph holds, its addresses, and what to type next."""
    name = "" if graph.name == DEFAULT else f" --name {graph.name}"
    browser = f"http://127.0.0.1:{record.http_port}/browser/" if record.http_port else NO_BROWSER
    rows = {
        "Bolt": f"bolt://127.0.0.1:{record.bolt_port}",
        "User": f"neo4j, the password is in {graph.directory / PASSWORD}",
        "Browser": browser,
        "Ask": f"exporter local{name} --query {shlex.quote(FIRST_QUERY)}",
        "Samples": f"exporter local{name} --query 1",
        "Stop": f"exporter local{name} --stop",
        "Start": f"exporter local{name} --start",
    }
    lines = [Text.assemble((f"  {title:<9}", "bold"), text) for title, text in rows.items()]
    return Group(Text(f"\n{contents_text(graph, record)}"), *lines)


def contents_text(graph: Graph, record: Record) -> str:
    """`graph: 10,028 nodes and 11,678 relationships of astrokiran, as of 5 min 2 s ago`."""
    counts = f"{record.nodes:,} nodes and {record.relationships:,} relationships"
    return f"{graph.name}: {counts} of {record.database}, as of {format_age(record.snapshot_at)} ago"


def seconds_table(seconds: Mapping[str, float]) -> RenderableType:
    """The seconds of each step."""
    table = Table(Column(), Column(justify="right"), box=None, show_header=False, pad_edge=False)
    for title, taken in seconds.items():
        table.add_row(title, f"{taken:.1f} s")
    table.add_row("total", f"{sum(seconds.values()):.1f} s")
    return table


def graphs_table(graphs: Iterable[Graph]) -> RenderableType:
    """Every graph: whether it is running and where, its nodes, the age of its snapshot, its size on disk."""
    right = [Column(title, justify="right") for title in ("nodes", "snapshot", "MB")]
    table = Table("graph", "running", Column("address", no_wrap=True), *right, box=None, pad_edge=False)
    for graph in graphs:
        record = graph.readable_record()
        if not record:
            table.add_row(graph.name, Text("?"), Text("its record cannot be read", "bold red"))
            continue
        runs = "yes" if graph.server() else "no"
        cells = (f"{record.nodes:,}", format_age(record.snapshot_at), f"{graph.size() / 1e6:,.0f}")
        table.add_row(graph.name, runs, f"bolt://127.0.0.1:{record.bolt_port}", *cells)
    return table


def result_table(result: QueryResult) -> RenderableType:
    """The rows of a result; one value per line if rows hold nodes, relationships, lists or maps."""
    below = [Text(f"… and more: only {MOST_ROWS:,} rows are shown", "dim")] if result.truncated else []
    if not result.rows:
        return Text("no rows", "dim")
    if any(isinstance(value, Mapping | list | Path) for row in result.rows for value in row):
        lines = Table(Column(style="bold", no_wrap=True), Column(overflow="fold"), box=None, show_header=False)
        for row in result.rows:
            for name, value in zip(result.columns, row, strict=True):
                lines.add_row(Text(name), Text(value_text(value)))
            lines.add_row()
        return Group(lines, *below)
    table = Table(box=None, pad_edge=False)
    for number, name in enumerate(result.columns):
        numeric = any(isinstance(row[number], int | float) for row in result.rows)
        table.add_column(Text(name), justify="right" if numeric else "left", overflow="fold")
    for row in result.rows:
        table.add_row(*(Text(value_text(value), "dim" if value is None else "") for value in row))
    return Group(table, *below)


def value_text(value: Any) -> str:
    """A value of a result: text unchanged, everything else as Cypher writes it."""
    return value if isinstance(value, str) else cypher_text(value)


def cypher_text(value: Any) -> str:
    """A value as Cypher writes it."""
    match value:
        case str():
            return json.dumps(value, ensure_ascii=False)
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case Node():
            return f"(:{':'.join(sorted(value.labels))} {cypher_text(dict(value))})"
        case Relationship():
            return f"[:{value.type}{' ' + cypher_text(dict(value)) if dict(value) else ''}]"
        case Path():
            hops = zip(value.relationships, value.nodes, value.nodes[1:], strict=False)
            return cypher_text(value.start_node) + "".join(hop_text(*hop) for hop in hops)
        case dict():
            return "{" + ", ".join(f"{name}: {cypher_text(member)}" for name, member in sorted(value.items())) + "}"
        case list():
            return "[" + ", ".join(map(cypher_text, value)) + "]"
        case DateTime():
            return TRAILING_ZEROS.sub(r"\1", value.iso_format()).replace("+00:00", "Z")
        case _:
            return str(value)


def hop_text(relationship: Relationship, before: Node, after: Node) -> str:
    """A hop of a path, in the direction of its relationship."""
    if relationship.start_node == before:
        return f"-{cypher_text(relationship)}->{cypher_text(after)}"
    return f"<-{cypher_text(relationship)}-{cypher_text(after)}"
