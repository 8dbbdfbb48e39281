"""The numbers that the report shows, from the manifest, the workers' examples and earlier exports."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from exporter.model.tables import tables
from exporter.published.history import PublishedExport
from exporter.shape.examples import Example
from exporter.sink.files import FileRecord
from exporter.sink.manifest import EntityEntry, Manifest, NodeEntry

JOIN_TABLES = [table.name.rpartition(".")[2] for table in tables() if not table.node]
# Each reason with what it left out, in the order in which they decide; docs/graph.md says the same.
REASONS = {
    "null_id": "a row whose own key, or a required reference, is null",
    "malformed_id": "a row whose own key, or a reference, is not an ID: neither a 64-bit integer nor a UUID",
    "duplicate_id": "a row whose key belongs to a row that takes precedence, and its relationships",
    "ambiguous_link": "a link by referral code or phone that matches more than one node",
    "dangling_start": "a relationship whose start node is not in the export",
    "dangling_end": "a relationship whose end node is not in the export",
    "duplicate_relationship": f"a repeated row of {' or '.join(JOIN_TABLES)}",
    "unrepresentable_value": "a single value that the graph cannot hold; its row is exported without it",
}
# The report highlights a label or pattern that had at least this many rows and lost more than this share of them.
SMALLEST_SHOWN, LARGEST_DROP = 20, 0.2


@dataclass(frozen=True, slots=True)
class EntitySummary:
    """A label or pattern: its numbers, a few of its rejects, and its trend.

    `name` is that of its folders, `pattern` that in messages. `trend` has its rows in earlier exports (None if it did
    not exist), oldest first, and in this one.
    """

    name: str
    pattern: str
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
        """Its rejects, for all reasons."""
        return sum(self.rejects.values())

    @property
    def before(self) -> int | None:
        """Its rows in the previous export."""
        return self.trend[-2] if len(self.trend) > 1 else None

    @property
    def dropped(self) -> bool:
        """Whether it lost so many rows that somebody should take a look."""
        before = self.before or 0
        return before >= SMALLEST_SHOWN and self.rows < before * (1 - LARGEST_DROP)


@dataclass(frozen=True, slots=True)
class Total:
    """A number for the whole export; `trend` has it in earlier exports, oldest first, and in this one."""

    name: str
    value: float
    trend: Sequence[float]

    @property
    def before(self) -> float | None:
        """The number in the previous export."""
        return self.trend[-2] if len(self.trend) > 1 else None


@dataclass(frozen=True, slots=True)
class Content:
    """The report's numbers. `earlier` has the names of earlier exports, oldest first; `settings` has names and values
    as users write them; `peak_memory` is in bytes."""

    manifest: Manifest
    labels: Sequence[EntitySummary]
    patterns: Sequence[EntitySummary]
    totals: Sequence[Total]
    earlier: Sequence[str]
    settings: Mapping[str, str]
    peak_memory: int

    @property
    def entities(self) -> list[EntitySummary]:
        return [*self.labels, *self.patterns]

    @property
    def tables(self) -> int:
        """The number of tables they come from."""
        return len({entity.table for entity in self.entities})

    @property
    def rejects(self) -> list[tuple[str, str, int]]:
        """Each reason that occurs, its meaning and its number of rejects, the most common first."""
        counts = Counter[str]()
        for entity in self.entities:
            counts.update(entity.rejects)
        found = [(reason, meaning, counts[reason]) for reason, meaning in REASONS.items() if counts[reason]]
        return sorted(found, key=lambda row: -row[2])

    @property
    def rejecting(self) -> list[EntitySummary]:
        """Labels and patterns with rejects, those with the most first."""
        return sorted((entity for entity in self.entities if entity.rejected), key=lambda entity: -entity.rejected)

    @property
    def changed(self) -> list[EntitySummary]:
        """Labels and patterns whose number of rows differs from the previous export, the largest changes first."""
        changed = [entity for entity in self.entities if entity.before is not None and entity.before != entity.rows]
        return sorted(changed, key=lambda entity: -abs(entity.rows - (entity.before or 0)))


def content(
    manifest: Manifest,
    examples: Mapping[str, Sequence[Example]],
    earlier: Sequence[PublishedExport],
    settings: Mapping[str, str],
    peak_memory: int,
) -> Content:
    """The report's numbers. `manifest` is the new export's, `examples` are by the entity's name, `earlier` exports are
    oldest first."""
    manifests = [export.manifest for export in earlier if export.manifest]
    history = [{entry.name: entry.rows for entry in before.entities} for before in manifests]
    groups = {table.name: table.group for table in tables()}
    sizes = bytes_by_folder(manifest.files)

    def summary(entry: EntityEntry) -> EntitySummary:
        return EntitySummary(
            name=entry.name,
            pattern=entry.pattern,
            folder=entry.folder,
            table=entry.table,
            group=groups[entry.table],
            rows=entry.rows,
            bytes=sizes[entry.folder],
            properties=entry.properties,
            no_target=0 if isinstance(entry, NodeEntry) else entry.no_target,
            rejects=entry.rejects,
            examples=examples.get(entry.name, ()),
            trend=[*(rows.get(entry.name) for rows in history), entry.rows],
        )

    return Content(
        manifest,
        [summary(entry) for entry in manifest.nodes],
        [summary(entry) for entry in manifest.relationships],
        totals(manifest, manifests),
        [export.directory.name for export in earlier],
        settings,
        peak_memory,
    )


def totals(manifest: Manifest, earlier: Sequence[Manifest]) -> list[Total]:
    """The numbers of the whole export with their trends: counts, bytes, and the seconds it took."""
    exports = [*earlier, manifest]
    found = [
        Total(name, getattr(manifest.totals, name), [getattr(export.totals, name) for export in exports])
        for name in ("nodes", "relationships", "properties", "rejects", "bytes")
    ]
    seconds = [(export.finished_at - export.started_at).total_seconds() for export in exports]
    return [*found, Total("seconds", seconds[-1], seconds)]


def bytes_by_folder(files: Iterable[FileRecord]) -> Counter[str]:
    """The bytes of the data files of each folder."""
    sizes = Counter[str]()
    for file in files:
        sizes[file.path.rpartition("/")[0]] += file.bytes
    return sizes
