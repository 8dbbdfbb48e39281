"""The model as people and programs read it: the parts of a table, a Mermaid diagram, canonical JSON."""

import hashlib
import json
from dataclasses import asdict
from typing import Any

from exporter.model.graph import GRAPH
from exporter.model.tables import Table, ordered_relationships, tables
from exporter.model.vocabulary import Reference, Relationship


def model_json() -> str:
    """The canonical model JSON: sorted keys, no spaces, no final newline."""
    return json.dumps(as_object(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def model_sha256() -> str:
    """The SHA-256 of the canonical model JSON, which the manifest records."""
    return hashlib.sha256(model_json().encode()).hexdigest()


# The JSON's names where the vocabulary's differ: renaming a field does not change the model's SHA-256.
JSON_NAMES = {"id_rule": "grammar", "keep_latest": "latest", "pii": "mark", "tiebreaker": "tie"}


def as_object() -> dict[str, Any]:
    """The declaration as plain lists and dicts, in import order."""
    return {
        "nodes": [asdict(node, dict_factory=json_object) for node in GRAPH.nodes],
        "relationships": [asdict(relationship, dict_factory=json_object) for relationship in ordered_relationships()],
        "skipped_tables": sorted(GRAPH.skipped_tables),
    }


def json_object(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of the canonical JSON, from the fields of one of the vocabulary's classes."""
    return {JSON_NAMES.get(name, name): value for name, value in fields}


def reference_text(reference: Reference) -> str:
    """Where an end comes from, as graph-model.md writes it: `order_id ?`, `consultant_id, else by phone_number`."""
    text = ", ".join(f"{column} ?" if column == reference.optional else column for column in reference.columns)
    if not reference.by_value:
        return text
    if text:
        return f"{text}, else by {reference.by_value.column}"
    return f"{reference.by_value.owner_column} = {reference.by_value.column} ?"


def groups() -> dict[str, list[Table]]:
    """The tables of each group, in import order."""
    by_group: dict[str, list[Table]] = {}
    for table in tables():
        by_group.setdefault(table.group, []).append(table)
    return by_group


def pattern(relationship: Relationship) -> str:
    """(Customer)-[HAS_AUTH {via}]->(AuthUser)"""
    names = ", ".join(prop.name for prop in relationship.properties)
    return f"({relationship.start})-[{relationship.type}{f' {{{names}}}' if names else ''}]->({relationship.end})"


# Tighter than Mermaid's default, so that the widest group is legible at a page's width.
LAYOUT = (
    '%%{init: {"flowchart": {"nodeSpacing": 12, "rankSpacing": 12, "padding": 6,'
    ' "subGraphTitleMargin": {"top": 2, "bottom": 12}}}}%%'
)


def mermaid() -> str:
    """The graph as a Mermaid flowchart: one box for each group, with its labels, and an arrow for each pattern.

    A label of another group that a group's relationships touch is drawn again in its box, dashed: one connected picture
    with all arrows would be unreadable.
    """
    lines = [LAYOUT, "flowchart TB"]
    for number, (group, members) in enumerate(groups().items()):
        lines += [f'  subgraph g{number}["{group}"]', "    direction LR", *box(number, members), "  end"]
    # Invisible links keep the boxes in order.
    lines += [f"  g{number} ~~~ g{number + 1}" for number in range(len(groups()) - 1)]
    return "\n".join([*lines, "  classDef elsewhere stroke-dasharray: 4"])


def box(number: int, members: list[Table]) -> list[str]:
    """The lines of one group: its own labels, the other groups' labels that it touches, and the arrows."""
    relationships = [relationship for table in members for relationship in table.relationships]
    own = [table.node.label for table in members if table.node]
    touched = dict.fromkeys(label for relationship in relationships for label in (relationship.start, relationship.end))
    identifiers = {label: label if label in own else f"{label}_{number}" for label in (*own, *touched)}
    lines = [f"    {label}" for label in own]
    lines += [f'    {identifiers[label]}["{label}"]:::elsewhere' for label in touched if label not in own]
    return lines + [
        f"    {identifiers[relationship.start]} -->|{relationship.type}| {identifiers[relationship.end]}"
        for relationship in relationships
    ]
