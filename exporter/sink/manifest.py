"""The manifest: what an export holds, added up while it is written, and the proof that every row is accounted for."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from exporter.model.vocabulary import Node
from exporter.sink.files import FileRecord
from exporter.sink.layout import Entity, entities, name

FORMAT = 1
UNREPRESENTABLE = "unrepresentable_value"


@dataclass(slots=True)
class Tally:
    """What has been written of one entity so far."""

    entity: Entity
    rows: int = 0
    values: Counter[str] = field(default_factory=Counter)
    no_target: int = 0
    rejects: Counter[str] = field(default_factory=Counter)
    multiline: bool = False
    longest: int = 0
    files: list[FileRecord] = field(default_factory=list)
    reject_files: list[FileRecord] = field(default_factory=list)

    def property_counts(self) -> dict[str, int]:
        """Non-null values of each property, the key included; a Device's key is none."""
        keys = self.entity.key_properties if isinstance(self.entity, Node) else ()
        prop: Iterable[Any] = (*keys, *self.entity.properties)
        return {each.name: self.values[each.name] for each in prop}

    def accounted(self) -> int:
        """Rows of the table that are accounted for (contract.md: every row is, always)."""
        left_out = sum(count for reason, count in self.rejects.items() if reason != UNREPRESENTABLE)
        return self.rows + self.no_target + left_out

    def entry(self) -> dict[str, Any]:
        """The entity's entry in the manifest."""
        counts = self.property_counts()
        common = {
            "table": self.entity.table,
            "rows": self.rows,
            "properties": sum(counts.values()),
            "property_counts": counts,
        }
        rejects = {"rejects": dict(sorted(self.rejects.items()))}
        if isinstance(self.entity, Node):
            return {"label": self.entity.label, **common, **rejects}
        ends = {"start": self.entity.start, "type": self.entity.type, "end": self.entity.end}
        return {**ends, **common, "no_target": self.no_target, **rejects}


def new_tallies() -> dict[str, Tally]:
    """A tally for every entity by its name, in import order."""
    return {name(entity): Tally(entity) for entity in entities()}


def unaccounted(tallies: dict[str, Tally], counts: dict[str, int], rows_read: Counter[str]) -> list[str]:
    """Where the numbers do not add up, one sentence each; `counts` is `count(*)` by table in the snapshot."""
    found = [
        f"{table} has {count} rows in the snapshot, but {rows_read[table]} were read"
        for table, count in counts.items()
        if rows_read[table] != count
    ]
    for entity, tally in tallies.items():
        count = counts[tally.entity.table]
        if tally.accounted() != count:
            found.append(f"{entity}: {tally.accounted()} of the {count} rows of {tally.entity.table} are accounted for")
    return found


def manifest(tallies: dict[str, Tally], *, about: dict[str, Any]) -> dict[str, Any]:
    """The manifest's object; `about` has tool, model, source, options, started_at and finished_at."""
    entries = {entity: tally.entry() for entity, tally in tallies.items()}
    nodes = [entries[entity] for entity, tally in tallies.items() if isinstance(tally.entity, Node)]
    relationships = [entries[entity] for entity, tally in tallies.items() if not isinstance(tally.entity, Node)]
    files = [record for tally in tallies.values() for record in tally.files]
    return {
        "format": FORMAT,
        **about,
        "nodes": nodes,
        "relationships": relationships,
        "files": [{"path": file.path, "rows": file.rows, "bytes": file.bytes, "sha256": file.sha256} for file in files],
        "totals": {
            "nodes": sum(entry["rows"] for entry in nodes),
            "relationships": sum(entry["rows"] for entry in relationships),
            "properties": sum(entry["properties"] for entry in entries.values()),
            "bytes": sum(file.bytes for file in files),
            "rejects": sum(tally.rejects.total() for tally in tallies.values()),
        },
    }
