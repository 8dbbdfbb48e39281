"""The model as people and machines read it: rows of a table, a Mermaid diagram, canonical JSON."""

import hashlib
import json
from dataclasses import asdict
from typing import Any

from exporter.model.graph import SKIPPED_TABLES
from exporter.model.tables import Table, ordered_nodes, ordered_relationships, tables
from exporter.model.vocabulary import Reference, Relationship


def model_json() -> str:
    """The canonical model JSON: sorted keys, no blanks, no line end."""
    return json.dumps(as_object(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def model_sha256() -> str:
    """The SHA-256 of the canonical model JSON, which the manifest names."""
    return hashlib.sha256(model_json().encode()).hexdigest()


def as_object() -> dict[str, Any]:
    """The declaration as plain lists and dicts, in import order."""
    return {
        "nodes": [asdict(node) for node in ordered_nodes()],
        "relationships": [asdict(relationship) for relationship in ordered_relationships()],
        "skipped_tables": sorted(SKIPPED_TABLES),
    }


def reference_text(reference: Reference) -> str:
    """Where an end comes from, as the specification writes it: `order_id ?`, `consultant_id, else by phone_number`."""
    text = ", ".join(f"{column} ?" if column == reference.optional else column for column in reference.columns)
    if not reference.by_value:
        return text
    if text:
        return f"{text}, else by {reference.by_value.column}"
    return f"{reference.by_value.owner_column} = {reference.by_value.column} ?"


def groups() -> dict[str, list[Table]]:
    """The tables of each of the document's groups, in import order."""
    found: dict[str, list[Table]] = {}
    for table in tables():
        found.setdefault(table.group, []).append(table)
    return found


def pattern(relationship: Relationship) -> str:
    """(Customer)-[HAS_AUTH]->(AuthUser)"""
    return f"({relationship.start})-[{relationship.type}]->({relationship.end})"


def mermaid() -> str:
    """The graph as a Mermaid flowchart: labels in their groups, an arrow a pattern."""
    lines = ["flowchart LR"]
    for number, (group, members) in enumerate(groups().items()):
        labels = [table.node.label for table in members if table.node]
        lines += [f'  subgraph g{number}["{group}"]', *(f"    {label}" for label in labels), "  end"]
    lines += [f"  {made.start} -->|{made.type}| {made.end}" for made in ordered_relationships()]
    return "\n".join(lines)
