"""The numbers that the report shows, from the manifest, the workers' examples and earlier exports."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from exporter.model.tables import tables
from exporter.published.history import PublishedExport
from exporter.report.entities import EntitySummary, summaries
from exporter.report.limits import Level, Limits
from exporter.shape.examples import Example
from exporter.sink.manifest import Manifest

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
class ReasonSummary:
    """A reason with its meaning, its rejects in this export and in the previous one (None if there is none), and the
    labels and patterns that have some, those with the most first."""

    name: str
    meaning: str
    rejects: int
    before: int | None
    entities: Sequence[EntitySummary]


@dataclass(frozen=True, slots=True)
class Content:
    """The report's numbers. `earlier` are earlier exports, oldest first; `settings` has names and values as users write
    them; `peak_memory` is in bytes; `rejects_level` compares the rise of all rejects with its limit."""

    manifest: Manifest
    labels: Sequence[EntitySummary]
    patterns: Sequence[EntitySummary]
    totals: Sequence[Total]
    reasons: Sequence[ReasonSummary]
    earlier: Sequence[PublishedExport]
    settings: Mapping[str, str]
    peak_memory: int
    limits: Limits
    rejects_level: Level

    @property
    def entities(self) -> list[EntitySummary]:
        return [*self.labels, *self.patterns]

    @property
    def tables(self) -> int:
        """The number of tables they come from."""
        return len({entity.table for entity in self.entities})

    @property
    def changed(self) -> list[EntitySummary]:
        """Labels and patterns whose number of rows differs from the previous export: those beyond the limit first, then
        the largest changes."""
        changed = [entity for entity in self.entities if entity.before is not None and entity.before != entity.rows]
        levels = list(Level)
        return sorted(
            changed, key=lambda entity: (levels.index(entity.level), -abs(entity.rows - (entity.before or 0)))
        )


def content(
    manifest: Manifest,
    examples: Mapping[str, Sequence[Example]],
    earlier: Sequence[PublishedExport],
    settings: Mapping[str, str],
    peak_memory: int,
    limits: Limits,
) -> Content:
    """The report's numbers. `manifest` is the new export's, `examples` are by the entity's name, `earlier` exports are
    oldest first."""
    manifests = [export.manifest for export in earlier if export.manifest]
    previous = manifests[-1] if manifests else None
    labels, patterns = (
        summaries(entries, manifest, examples, manifests, limits)
        for entries in (manifest.nodes, manifest.relationships)
    )
    return Content(
        manifest,
        labels,
        patterns,
        totals(manifest, manifests),
        reasons([*labels, *patterns], previous),
        earlier,
        settings,
        peak_memory,
        limits,
        rejects_level(previous, manifest, limits) if previous else Level.WITHIN,
    )


def reasons(entities: Sequence[EntitySummary], previous: Manifest | None) -> list[ReasonSummary]:
    """The reasons that occur, the most common first."""
    counts, before = Counter[str](), Counter[str]()
    for entity in entities:
        counts.update(entity.rejects)
    for entry in previous.entities if previous else ():
        before.update(entry.rejects)
    found = [
        ReasonSummary(
            name,
            meaning,
            counts[name],
            before[name] if previous else None,
            sorted(
                (entity for entity in entities if entity.rejects.get(name)), key=lambda entity: -entity.rejects[name]
            ),
        )
        for name, meaning in REASONS.items()
        if counts[name]
    ]
    return sorted(found, key=lambda reason: -reason.rejects)


def rejects_level(before: Manifest, after: Manifest, limits: Limits) -> Level:
    """How the rise of all rejects compares with its limit."""
    rows = before.totals.nodes + before.totals.relationships
    return limits.rise(before.totals.rejects, after.totals.rejects, rows)


def totals(manifest: Manifest, earlier: Sequence[Manifest]) -> list[Total]:
    """The numbers of the whole export with their trends: counts, bytes, and the seconds it took."""
    exports = [*earlier, manifest]
    found = [
        Total(name, getattr(manifest.totals, name), [getattr(export.totals, name) for export in exports])
        for name in ("nodes", "relationships", "properties", "rejects", "bytes")
    ]
    seconds = [(export.finished_at - export.started_at).total_seconds() for export in exports]
    return [*found, Total("seconds", seconds[-1], seconds)]
