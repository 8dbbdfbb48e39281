"""A made-up export of the whole model, as the report takes it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from exporter.model.graph import NODES
from exporter.model.tables import ordered_relationships
from exporter.published.history import PublishedExport
from exporter.report.content import Content, content
from exporter.report.limits import Limits
from exporter.shape.examples import Example
from exporter.sink.entries import NodeEntry, RelationshipEntry
from exporter.sink.files import FileRecord
from exporter.sink.manifest import FAITHFUL, Manifest, Totals
from tests.support.manifests import METADATA

HOSTILE = "<script>alert(1)</script>\"'&"


def manifest_of(rows: int) -> Manifest:
    """The manifest of an export whose n-th entity has n * `rows` rows, all with a hostile name of the database."""
    nodes = [
        NodeEntry(node.label, node.table, number * rows, 3 * rows, {}, {"null_id": number} if rows else {})
        for number, node in enumerate(NODES)
    ]
    relationships = [
        RelationshipEntry(
            start=relationship.start,
            type=relationship.type,
            end=relationship.end,
            table=relationship.table,
            rows=number * rows,
            properties=3 * rows,
            property_counts={},
            no_target=4,
            rejects={},
        )
        for number, relationship in enumerate(ordered_relationships())
    ]
    entries = [*nodes, *relationships]
    return Manifest(
        format=FAITHFUL,
        tool=METADATA.tool,
        model=METADATA.model,
        source=replace(METADATA.source, database=HOSTILE),
        options=METADATA.options,
        started_at=METADATA.started_at,
        finished_at=METADATA.finished_at,
        nodes=nodes,
        relationships=relationships,
        files=[
            FileRecord(f"{entry.folder}/part-000{number}.csv", 0, 500, "") for entry in entries for number in (1, 2)
        ],
        totals=Totals(
            nodes=sum(node.rows for node in nodes),
            relationships=sum(relationship.rows for relationship in relationships),
            properties=3 * rows * len(entries),
            bytes=1000 * len(entries),
            rejects=sum(sum(node.rejects.values()) for node in nodes),
        ),
    )


def content_of(rows: int) -> Content:
    """What the report shows of such an export, the first one of its output directory."""
    examples = {
        "Guide": [
            Example("null_id", "id", HOSTILE, HOSTILE, False, HOSTILE),
            Example("null_id", "id", None, "phone", True, None),
        ]
    }
    return content(manifest_of(rows), examples, [], {"workers": "2"}, 200 << 20, Limits())


def content_since(
    rows: int, now: Mapping[str, int], rejects: Mapping[str, int] | None = None, limits: Limits | None = None
) -> Content:
    """What the report shows of the second of two such exports, in which some labels have `now` other numbers of rows,
    or other `rejects`."""
    before = manifest_of(rows)
    nodes = [
        replace(
            node,
            rows=now.get(node.label, node.rows),
            rejects={"null_id": rejects[node.label]} if rejects and node.label in rejects else node.rejects,
        )
        for node in before.nodes
    ]
    totals = replace(
        before.totals,
        nodes=sum(node.rows for node in nodes),
        rejects=sum(sum(node.rejects.values()) for node in nodes),
    )
    earlier = [PublishedExport(Path("20261122T031500Z"), before)]
    return content(replace(before, nodes=nodes, totals=totals), {}, earlier, {}, 0, limits or Limits())


CONTENT = content_of(rows=1000)
