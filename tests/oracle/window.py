"""Compares a window with the faithful export of the same source: it must be the subgraph that its nodes induce."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from .closure import TABLES, Row
from .reading import read_fields, read_header, read_import_args, read_rejects

Line = tuple[tuple[str | None, bool], ...]


@dataclass(frozen=True)
class Lines:
    """The lines of an entity: each with the ids by which it is found, one of a node, two of a relationship."""

    lines: Counter[Line]
    ids: dict[Line, tuple[str | None, ...]]


def lines_of(paths: list[Path]) -> Lines:
    """A header's data files."""
    places = [place for place, column in enumerate(read_header(paths[0])) if column.type.endswith("ID")]
    lines = Counter(tuple(fields) for path in paths[1:] for fields in read_fields(path))
    return Lines(lines, {line: tuple(line[place][0] for place in places) for line in lines})


def entities_of(export: Path) -> tuple[dict[str, Lines], list[tuple[str, Lines]]]:
    """The nodes and relationships of an export, these by their folder's name."""
    files = read_import_args(export)
    relationships = [(paths[1].parent.name, lines_of(paths)) for _, paths in files.relationships]
    return {label: lines_of(paths) for label, paths in files.nodes.items()}, relationships


def window_differences(faithful: Path, window: Path) -> list[str]:
    """What a window has and the faithful export has not; and the relationships between the window's nodes that it
    lacks. Nothing, if it is a window."""
    nodes, relationships = entities_of(window)
    all_nodes, all_relationships = entities_of(faithful)
    differences = [
        f"{name}: {len(more)} lines are not in the faithful export"
        for name, lines in [*nodes.items(), *relationships]
        if (more := lines.lines - dict([*all_nodes.items(), *all_relationships])[name].lines)
    ]
    ids = {label: {id for (id,) in lines.ids.values()} for label, lines in nodes.items()}
    found = dict(relationships)
    for name, lines in all_relationships:
        start, _, end = name.split("-")
        induced = Counter(
            {
                line: times
                for line, times in lines.lines.items()
                if lines.ids[line][0] in ids[start] and lines.ids[line][1] in ids[end]
            }
        )
        if missing := induced - found[name].lines:
            differences.append(f"{name}: {missing.total()} relationships between nodes of the window are missing")
    for folder in sorted((window / "rejects").glob("*/*")):
        rejects = read_rejects(folder) - read_rejects(faithful / folder.relative_to(window))
        if rejects:
            differences.append(
                f"{folder.name}: rejects that the faithful export has not: {sorted(rejects.items())[:3]}"
            )
    return differences


def rows_in(export: Path) -> dict[str, int]:
    """By table, the rows that are in a window, as its manifest accounts for them."""
    manifest = json.loads((export / "manifest.json").read_text(encoding="utf-8"))
    return {each["table"]: accounted(each) for each in manifest["nodes"]}


def accounted(entry: dict[str, Any]) -> int:
    """The rows of a node's entry that are in the window."""
    rejects = sum(count for reason, count in entry["rejects"].items() if reason != "unrepresentable_value")
    return int(entry["rows"]) + rejects


def rows_of_source(
    connection: psycopg.Connection, since: str | None, until: str | None, zone: str
) -> dict[str, list[Row]]:
    """Every row of the linked tables as the reference of the closure takes it: the texts of its ids, and whether it is
    in time. Times are compared in SQL: those without zone are in `zone`."""
    connection.execute(sql.SQL("set timezone = {}").format(zone))
    found = {}
    for table in TABLES.values():
        person = [table.person[1]] if table.person else []
        guides = {"consultation.consultation": ["guide_id"], "wallet.wallet_orders": ["consultant_id"]}
        names = [*table.key, *(up.column for up in table.ups), *person, *guides.get(table.name, [])]
        columns = list(dict.fromkeys(names))
        time = "updated_at" if table.name == "offers.user_behavior_metrics" else "created_at"
        bounds = [f"{time} >= '{since}'" if since else "true", f"{time} < '{until}'" if until else "true"]
        texts = ", ".join(f"{column}::text" for column in columns)
        query = f"select {texts}, coalesce({' and '.join(bounds)}, false) from {table.name}"
        rows = connection.execute(query).fetchall()  # type: ignore[call-overload]
        found[table.name] = [dict(zip([*columns, "in time"], row, strict=True)) for row in rows]
    return found
