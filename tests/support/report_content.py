"""A made-up export of the whole model, as the report takes it."""

from typing import Any

from exporter.model.tables import ordered_nodes, ordered_relationships
from exporter.report.content import Content, content
from exporter.shape.examples import Example

HOSTILE = "<script>alert(1)</script>\"'&"


def manifest_of(rows: int) -> dict[str, Any]:
    """The manifest of an export whose n-th entity has n * `rows` rows, all with a hostile name of the database."""
    common = {"properties": 3 * rows, "property_counts": {}}
    nodes = [
        {
            "label": node.label,
            "table": node.table,
            "rows": place * rows,
            "rejects": {"null_id": place} if rows else {},
            **common,
        }
        for place, node in enumerate(ordered_nodes())
    ]
    relationships = [
        {
            **{"start": each.start, "type": each.type, "end": each.end, "table": each.table, "rows": place * rows},
            **{"no_target": 4, "rejects": {}, **common},
        }
        for place, each in enumerate(ordered_relationships())
    ]
    folders = [f"nodes/{node.label}" for node in ordered_nodes()] + [
        f"relationships/{each.name}" for each in ordered_relationships()
    ]
    return {
        "format": 1,
        "tool": {"name": "astrokiran-graph-exporter", "version": "1.0.0"},
        "model": {"sha256": "0" * 64},
        "source": {
            **{"database": HOSTILE, "server_version": "18.4", "host": "db.example.org"},
            **{"snapshot_at": "2026-11-23T03:15:01.250000Z", "wal_lsn": "0/16B3748"},
        },
        "options": {},
        "started_at": "2026-11-23T03:15:00.000000Z",
        "finished_at": "2026-11-23T03:15:02.500000Z",
        "nodes": nodes,
        "relationships": relationships,
        "files": [
            {"path": f"{folder}/part-000{number}.csv", "rows": 0, "bytes": 500, "sha256": ""}
            for folder in folders
            for number in (1, 2)
        ],
        "totals": {
            "nodes": sum(each["rows"] for each in nodes),
            "relationships": sum(each["rows"] for each in relationships),
            "properties": 3 * rows * len(folders),
            "bytes": 1000 * len(folders),
            "rejects": sum(sum(each["rejects"].values()) for each in nodes),
        },
    }


def content_of(rows: int) -> Content:
    """What the report tells of such an export, the first one of its output directory."""
    examples = {
        "Guide": [
            Example("null_id", "id", HOSTILE, HOSTILE, False, HOSTILE),
            Example("null_id", "id", None, "phone", True, None),
        ]
    }
    return content(manifest_of(rows), examples, [], {"workers": "2"}, 200 << 20)


CONTENT = content_of(rows=1000)
