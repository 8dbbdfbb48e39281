"""Whether a running Neo4j matches an export's manifest: one scan of its nodes, one of its relationships."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import neo4j
from neo4j.exceptions import ConfigurationError, DriverError, Neo4jError

from exporter.errors import DifferenceError, RunError, UsageError
from exporter.sink.entries import EntityEntry, NodeEntry
from exporter.sink.layout import MANIFEST
from exporter.sink.manifest import Manifest, read_manifest
from exporter.store.bolt import error_code, login_refusal, query_rows
from exporter.text import visible

CONNECT_SECONDS = 15
QUERY_SECONDS = 3600
BOLT = re.compile(r"(bolt|neo4j)(\+ssc|\+s)?://")
NO_ADDRESS = "not a Bolt address: give one such as bolt://127.0.0.1:7687"
SHOWN_DIFFERENCES = 10

# Grouped by the list of keys, which takes a fifth of the time of a count for each property.
NODES = "MATCH (n) RETURN labels(n) AS labels, keys(n) AS keys, count(*) AS rows"
RELATIONSHIPS = (
    "MATCH (a)-[r]->(b) RETURN labels(a) AS start, type(r) AS type, labels(b) AS end, keys(r) AS keys, count(*) AS rows"
)


@dataclass(slots=True)
class Found:
    """How many nodes or relationships of a kind there are, and how many values of each property."""

    rows: int = 0
    values: Counter[str] = field(default_factory=Counter)

    def add(self, keys: list[str], rows: int) -> None:
        self.rows += rows
        self.values.update(dict.fromkeys(keys, rows))


def verify_bolt(
    export: Path, uri: str, *, user: str | None = None, password: str | None = None, database: str = "neo4j"
) -> list[str]:
    """The differences between a manifest and the database behind a Bolt URI, one sentence each; none if equal.

    Compares the nodes of each label, the relationships of each pattern with both end labels, the values of each
    property, and whether there is anything else. Raises `UsageError` for what is not a Bolt URI and for a login that is
    refused, `RunError` if the server does not answer, and what `read_manifest` raises.
    """
    manifest = read_manifest(export)
    if not BOLT.match(uri):
        raise UsageError(NO_ADDRESS)
    try:
        driver = neo4j.GraphDatabase.driver(
            uri,
            auth=(user, password or "") if user else None,
            connection_timeout=CONNECT_SECONDS,
            connection_acquisition_timeout=CONNECT_SECONDS,
            notifications_min_severity="OFF",
        )
    except (ConfigurationError, ValueError):
        raise UsageError(NO_ADDRESS) from None
    try:
        with driver:
            driver.verify_connectivity()
            found = count_graph(driver, database)
    except (DriverError, Neo4jError) as error:
        if refusal := login_refusal(error):
            raise UsageError(refusal) from None
        raise RunError(
            f"Neo4j does not answer ({error_code(error)}): is it running, and is database {database} online?"
        ) from None
    return differences(manifest, found)


def differences(manifest: Manifest, found: Mapping[str, Found]) -> list[str]:
    """How what was found, by label and pattern, differs from a manifest; first whether it looks like another export."""
    known = {entity.pattern: found.get(entity.pattern, Found()) for entity in manifest.entities}
    lines = [sentence for entity in manifest.entities for sentence in compare(entity, known[entity.pattern])]
    lines += [
        f"{visible(name)}: none in {MANIFEST}, {found[name].rows} in Neo4j"
        for name in sorted(found.keys() - known.keys())
    ]
    labels = [node for node in manifest.nodes if node.rows]
    if lines and labels and not any(known[node.pattern].rows == node.rows for node in labels):
        lines.insert(0, none_agrees(len(labels), manifest.source.snapshot_at, empty=not found))
    return lines


def none_agrees(labels: int, snapshot_at: datetime, *, empty: bool) -> str:
    """What the differences together mean."""
    taken = f"this one is of {snapshot_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if empty:
        return f"none of {labels} labels agrees, the database is empty: was the export imported here? ({taken})"
    return f"none of {labels} labels agrees: was another export imported? ({taken})"


def check_graph(
    export: Path, uri: str, *, user: str | None = None, password: str | None = None, database: str = "neo4j"
) -> None:
    """Raises `DifferenceError` with the first differences, one per line, if `verify_bolt` finds any."""
    found = verify_bolt(export, uri, user=user, password=password, database=database)
    if found:
        shown = found[:SHOWN_DIFFERENCES]
        more = [f"and {len(found) - len(shown)} more"] if len(found) > len(shown) else []
        raise DifferenceError("\n  ".join(["the graph differs from the manifest:", *shown, *more]))


def count_graph(driver: neo4j.Driver, database: str) -> dict[str, Found]:
    """What was found of every label and pattern, by its name; a node without a label counts as `no label`."""
    found: dict[str, Found] = defaultdict(Found)
    for row in read_rows(driver, database, NODES):
        found[":".join(sorted(row["labels"])) or "no label"].add(row["keys"], row["rows"])
    for row in read_rows(driver, database, RELATIONSHIPS):
        start, end = (":".join(sorted(row[side])) for side in ("start", "end"))
        found[f"({start})-[{row['type']}]->({end})"].add(row["keys"], row["rows"])
    return found


def read_rows(driver: neo4j.Driver, database: str, cypher: str) -> list[dict[str, Any]]:
    """The rows of a read-only query, by column."""
    query = neo4j.Query(cypher, timeout=QUERY_SECONDS)
    return [dict(row) for row in query_rows(driver, query, database=database, access=neo4j.READ_ACCESS)]


def compare(entity: EntityEntry, found: Found) -> Iterator[str]:
    """Differences in the numbers of rows and of property values, including properties not in the manifest. Where the
    rows differ, the values are bound to: then they are only counted."""
    names = (*entity.property_counts, *sorted(set(found.values) - set(entity.property_counts)))
    expected = {name: entity.property_counts.get(name, 0) for name in names}
    differing = [name for name in names if expected[name] != found.values[name]]
    if found.rows != entity.rows:
        kind = "nodes" if isinstance(entity, NodeEntry) else "relationships"
        more = f", and {len(differing)} of its properties" if differing else ""
        yield f"{entity.pattern}, {kind}: {entity.rows} in {MANIFEST}, {found.rows} in Neo4j{more}"
        return
    for name in differing:
        yield f"{entity.pattern}.{visible(name)}: {expected[name]} in {MANIFEST}, {found.values[name]} in Neo4j"
