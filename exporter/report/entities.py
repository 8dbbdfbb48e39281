"""Labels and patterns as the report shows them: their numbers, a few rejects, and what changed."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from exporter.model.tables import tables
from exporter.report.limits import Level, Limits
from exporter.shape.examples import Example
from exporter.sink.entries import EntityEntry, NodeEntry
from exporter.sink.files import FileRecord
from exporter.sink.manifest import Manifest


@dataclass(frozen=True, slots=True)
class EntitySummary:
    """A label or pattern: its numbers, a few of its rejects, and its trend.

    `name` is that of its folders, `pattern` that in messages. `trend` has its rows in earlier exports (None if it did
    not exist), oldest first, and in this one; `level` compares those that it lost with the limit. `rejected_before` is
    the previous export's number of its rejects.
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
    outside_window: int
    rejects: Mapping[str, int]
    examples: Sequence[Example]
    rejected_before: int
    trend: Sequence[int | None]
    level: Level

    @property
    def parts(self) -> list[str]:
        """A pattern's start, type and end; a label alone."""
        return self.name.split("-")

    @property
    def rejected(self) -> int:
        """Its rejects, for all reasons."""
        return sum(self.rejects.values())

    @property
    def before(self) -> int | None:
        """Its rows in the previous export."""
        return self.trend[-2] if len(self.trend) > 1 else None

    @property
    def reason(self) -> str:
        """Its most common reason for rejects; empty if it has none."""
        return max(self.rejects, key=lambda reason: self.rejects[reason], default="")

    @property
    def cypher(self) -> str:
        """A query for a few of its nodes or relationships."""
        if len(self.parts) == 1:
            return f"MATCH (n:{self.name}) RETURN n LIMIT 25"
        return "MATCH p = (:{})-[:{}]->(:{}) RETURN p LIMIT 25".format(*self.parts)


def summaries(
    entries: Sequence[EntityEntry],
    manifest: Manifest,
    examples: Mapping[str, Sequence[Example]],
    earlier: Sequence[Manifest],
    limits: Limits,
) -> list[EntitySummary]:
    """Labels or patterns of a manifest, compared with earlier manifests, oldest first."""
    history = [{entry.name: entry for entry in before.entities} for before in earlier]
    groups = {table.name: table.group for table in tables()}
    sizes = bytes_by_folder(manifest.files)

    def summary(entry: EntityEntry) -> EntitySummary:
        before = [entries.get(entry.name) for entries in history]
        last = before[-1] if before else None
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
            outside_window=entry.outside_window,
            rejects=entry.rejects,
            examples=examples.get(entry.name, ()),
            rejected_before=sum(last.rejects.values()) if last else 0,
            trend=[*(known.rows if known else None for known in before), entry.rows],
            level=limits.drop(last.rows if last else None, entry.rows),
        )

    return [summary(entry) for entry in entries]


def bytes_by_folder(files: Iterable[FileRecord]) -> Counter[str]:
    """The bytes of the data files of each folder."""
    sizes = Counter[str]()
    for file in files:
        sizes[file.path.rpartition("/")[0]] += file.bytes
    return sizes
