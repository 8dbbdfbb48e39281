"""What the report tells, in numbers: taken from the manifest, the workers' examples and earlier exports."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from exporter.model.tables import tables
from exporter.published.history import PublishedExport
from exporter.shape.examples import Example

# Each reason with what it left out, in the order in which they decide; docs/graph.md says the same.
REASONS = {
    "null_id": "a row whose own key, or a required reference, is null",
    "malformed_id": "a row whose own key, or a reference, is not an ID: neither a 64-bit integer nor a UUID",
    "duplicate_id": "a row whose key belongs to a row that takes precedence, and its relationships",
    "ambiguous_link": "a link by referral code or phone that matches more than one node",
    "dangling_start": "a relationship whose start node is not in the export",
    "dangling_end": "a relationship whose end node is not in the export",
    "duplicate_relationship": "a repeated row of guide_skills or guide_languages",
    "unrepresentable_value": "a single value that the graph cannot hold; its row is exported without it",
}
# What a label or pattern must lose, of at least so many rows, for the report to point at it.
DROP, FEW = 0.2, 20


@dataclass(frozen=True, slots=True)
class Entity:
    """A label or pattern: its numbers, a few of its rejects, and its rows in the earlier exports (None where it has
    none), oldest first, and in this one."""

    name: str
    folder: str
    table: str
    group: str
    rows: int
    bytes: int
    properties: int
    no_target: int
    rejects: Mapping[str, int]
    examples: Sequence[Example]
    trend: Sequence[int | None]

    @property
    def rejected(self) -> int:
        return sum(self.rejects.values())

    @property
    def before(self) -> int | None:
        """Its rows in the export before this one."""
        return self.trend[-2] if len(self.trend) > 1 else None

    @property
    def dropped(self) -> bool:
        """Whether it lost so much that somebody should look."""
        before = self.before or 0
        return before >= FEW and self.rows < before * (1 - DROP)


@dataclass(frozen=True, slots=True)
class Sum:
    """A number of the whole export, and the same number in the earlier exports, oldest first, and in this one."""

    name: str
    value: float
    trend: Sequence[float]

    @property
    def before(self) -> float | None:
        return self.trend[-2] if len(self.trend) > 1 else None


@dataclass(frozen=True, slots=True)
class Content:
    """The report's numbers. `settings` are names and values as a user gives them; `peak_memory` is in bytes."""

    manifest: Mapping[str, Any]
    labels: Sequence[Entity]
    patterns: Sequence[Entity]
    sums: Sequence[Sum]
    earlier: Sequence[str]
    settings: Mapping[str, str]
    peak_memory: int

    @property
    def entities(self) -> list[Entity]:
        return [*self.labels, *self.patterns]

    @property
    def tables(self) -> int:
        return len({each.table for each in self.entities})

    @property
    def rejects(self) -> list[tuple[str, str, int]]:
        """Each reason that there is, what it means, and how often it came, the commonest first."""
        found = [
            (name, meant, sum(each.rejects.get(name, 0) for each in self.entities)) for name, meant in REASONS.items()
        ]
        return sorted((each for each in found if each[2]), key=lambda each: -each[2])

    @property
    def rejecting(self) -> list[Entity]:
        """Labels and patterns with rejects, those with the most first."""
        return sorted((each for each in self.entities if each.rejected), key=lambda each: -each.rejected)

    @property
    def moved(self) -> list[Entity]:
        """Labels and patterns whose rows are not as many as in the export before, the largest changes first."""
        changed = [each for each in self.entities if each.before is not None and each.before != each.rows]
        return sorted(changed, key=lambda each: -abs(each.rows - (each.before or 0)))


def content(
    manifest: Mapping[str, Any],
    examples: Mapping[str, Sequence[Example]],
    earlier: Sequence[PublishedExport],
    settings: Mapping[str, str],
    peak_memory: int,
) -> Content:
    """The report's numbers; `manifest` is the new export's, `examples` are by folder, `earlier` oldest first."""
    then = [{each.name: each.rows for each in run.manifest.entities} for run in earlier if run.manifest]
    groups = {table.name: table.group for table in tables()}
    sizes = bytes_by_folder(manifest["files"])

    def entity(entry: Mapping[str, Any], name: str, folder: str) -> Entity:
        kind = "nodes" if "label" in entry else "relationships"
        return Entity(
            name, folder, entry["table"], groups[entry["table"]], entry["rows"], sizes[f"{kind}/{folder}"],
            entry["properties"], entry.get("no_target", 0), entry["rejects"], examples.get(folder, ()),
            [*(rows.get(name) for rows in then), entry["rows"]],
        )  # fmt: skip

    labels = [entity(each, each["label"], each["label"]) for each in manifest["nodes"]]
    patterns = [
        entity(
            each,
            f"({each['start']})-[{each['type']}]->({each['end']})",
            f"{each['start']}-{each['type']}-{each['end']}",
        )
        for each in manifest["relationships"]
    ]
    return Content(
        manifest,
        labels,
        patterns,
        sums(manifest, earlier),
        [run.directory.name for run in earlier],
        settings,
        peak_memory,
    )


def sums(manifest: Mapping[str, Any], earlier: Sequence[PublishedExport]) -> list[Sum]:
    """The numbers of the whole export with their history."""
    before = [run.manifest for run in earlier if run.manifest]
    totals = manifest["totals"]
    took = (moment(manifest["finished_at"]) - moment(manifest["started_at"])).total_seconds()
    made = [
        Sum(name, totals[name], [*(getattr(each.totals, name) for each in before), totals[name]])
        for name in ("nodes", "relationships", "properties", "rejects", "bytes")
    ]
    seconds = [(each.finished_at - each.started_at).total_seconds() for each in before]
    return [*made, Sum("seconds", took, [*seconds, took])]


def moment(text: str) -> datetime:
    """A timestamp of the manifest."""
    return datetime.fromisoformat(text)


def bytes_by_folder(files: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """The bytes of the data files of each folder."""
    found: dict[str, int] = {}
    for file in files:
        folder = file["path"].rpartition("/")[0]
        found[folder] = found.get(folder, 0) + file["bytes"]
    return found
